#pragma once

#include "job/outcome.hpp"
#include "supervise/trusted_path.hpp"

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

/// Looking at files of others (threat T45). A file system may never answer: one whose server is a
/// process that hangs, or a machine that is gone. The loop must not stand still with it, so a
/// thread looks, and is waited for so long and no longer.
namespace openxpc::supervise {

/// Threads: its members are for one thread, xpcd's.
class bounded_looks {
 public:
  explicit bounded_looks(std::chrono::milliseconds patience);
  ~bounded_looks();  // a thread that hangs keeps what it needs
  bounded_looks(const bounded_looks&) = delete;
  bounded_looks& operator=(const bounded_looks&) = delete;

  /// Runs `work` on a thread of its own and waits for it. It must own everything that it uses: it
  /// goes on, to no avail, when it is waited for no longer.
  /// @param path  what it looks at.
  /// @return nothing, or (unavailable, ETIMEDOUT) that this path does not answer. As long as such a
  /// look hangs, others at the same path, or below the same mount point, are refused at once.
  failure_of run(const std::string& path, std::function<void()> work);

  /// run() for work with a result.
  template <class T>
  outcome<T> look(const std::string& path, std::function<outcome<T>()> work) {
    auto found = std::make_shared<std::optional<outcome<T>>>();
    if (failure_of why = run(path, [found, work = std::move(work)] { *found = work(); }))
      return *why;
    return std::move(**found);
  }

  /// look() for work that touches nothing but what the path leads to: where that cannot hang
  /// (is_near()) it needs no other thread, and to wake one takes longer than most looks.
  template <class T>
  outcome<T> look_there(const std::string& path, std::function<outcome<T>()> work) {
    return is_near(path) ? work() : look<T>(path, std::move(work));
  }

  /// What hangs now: paths, or the mount points that they lie below. Each keeps a thread.
  std::multiset<std::string> hanging() const;

 private:
  struct shared;
  failure_of refused(const std::string& path) const;
  failure_of begin_thread(const std::string& path);
  static void work_on(const std::shared_ptr<shared>& all);

  const std::chrono::milliseconds patience_;
  const std::shared_ptr<shared> all_;
};

/// Those of this process.
bounded_looks& looks();

}  // namespace openxpc::supervise
