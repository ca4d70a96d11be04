#pragma once

#include "base/function.hpp"
#include "job/outcome.hpp"
#include "supervise/trusted_path.hpp"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Looking at files of others (threat T45). A file system may never answer: one whose server is a
/// process that hangs, or a machine that is gone. The loop must not stand still with it, so a
/// thread looks. The loop waits for a moment, within which nearly all answer; a look that takes
/// longer is under way while others are served, and is given up after a while.
///
/// Of the looks at one such file system one alone is under way; others wait behind it, and are
/// refused with it. Each that was given up keeps its thread until the file system answers.
namespace openxpc::supervise {

/// A process that does a part of a look's work, 0 before it is there.
using helper_process = std::shared_ptr<std::atomic<pid_t>>;

/// Threads: its members are for one thread, the loop's.
class bounded_looks {
 public:
  using milliseconds = std::chrono::milliseconds;

  explicit bounded_looks(milliseconds patience, milliseconds moment = milliseconds(20));
  ~bounded_looks();  // a thread that hangs keeps what it needs
  bounded_looks(const bounded_looks&) = delete;
  bounded_looks& operator=(const bounded_looks&) = delete;

  /// From now on others are served on this loop, which must outlive it; until then nobody is, and
  /// each look is waited for until it is given up.
  void serve_on(asio::io_context& loop) { loop_ = &loop; }
  void set_patience(milliseconds patience) { patience_ = patience; }

  /// Runs `work` on another thread, and calls `then` with what it gives, perhaps before this
  /// returns, otherwise on the loop. The work must own everything that it uses: it goes on, to no
  /// avail, when it was given up.
  /// @param path  what it looks at. As long as a look at it, or below the same mount point, hangs
  /// that was given up, others are refused at once.
  /// @param helper  nullptr: nobody
  /// `then` gets (unavailable, ETIMEDOUT), that this path does not answer, when it is given up.
  template <class T>
  void ask(const std::string& path, std::function<outcome<T>()> work,
           base::function<void(outcome<T>)> then, helper_process helper = nullptr) {
    auto found = std::make_shared<std::optional<outcome<T>>>();
    begin(
        path, [found, work = std::move(work)] { found->emplace(work()); },
        [found, then = std::move(then)](failure_of why) {
          if (why) return then(std::move(*why));
          outcome<T> result = std::move(**found);
          found->reset();
          then(std::move(result));
        },
        std::move(helper));
  }

  /// For who needs an answer at once: (unavailable, EAGAIN) when it does not come within a moment.
  /// Before anybody is served as ask().
  template <class T>
  outcome<T> look(const std::string& path, std::function<outcome<T>()> work) {
    auto found = std::make_shared<std::optional<outcome<T>>>();
    if (failure_of why = run(path, [found, work = std::move(work)] { found->emplace(work()); }))
      return *why;
    return std::move(**found);
  }
  /// look() without a result.
  failure_of run(const std::string& path, std::function<void()> work);

  /// look() for work that touches nothing but what the path leads to: where that cannot hang
  /// (is_near()) it needs no other thread, and to wake one takes longer than most looks.
  template <class T>
  outcome<T> look_there(const std::string& path, std::function<outcome<T>()> work) {
    return is_near(path) ? work() : look<T>(path, std::move(work));
  }

  /// Waits for looks under way, and tells what they gave as they end, until `enough` says so or
  /// none is left.
  void settle(const std::function<bool()>& enough);
  /// Calls `quiet`, perhaps before this returns, when no look is under way: each ended or was given
  /// up.
  void when_quiet(base::function<void()> quiet);

  /// What hangs now and was given up: paths, or the mount points that they lie below. Each keeps a
  /// thread.
  std::multiset<std::string> hanging() const;

 private:
  using told = base::function<void(failure_of)>;
  struct one;
  struct shared;
  /// A look under way, as the loop knows it, and those behind it.
  struct waiting {
    std::shared_ptr<one> look;
    told then;
    std::unique_ptr<asio::steady_timer> timer;
    std::list<std::pair<std::shared_ptr<one>, told>> behind;
  };

  void begin(const std::string& path, std::function<void()> work, told then, helper_process helper);
  failure_of refused(const std::string& path) const;
  failure_of hand_out(const std::shared_ptr<one>& mine);
  waiting* same_place(const std::string& path);
  bool wait(const std::shared_ptr<one>& mine, milliseconds time);
  void leave(const std::shared_ptr<one>& mine, told then);
  void time_out(const std::string& key);
  void on_timer(const std::string& key);
  void tell(const std::shared_ptr<one>& ended);
  void give_up(const std::string& key);
  void go_on(waiting place);
  void check_quiet();
  static void work_on(const std::shared_ptr<shared>& all, std::shared_ptr<one> first, mode_t mask);

  milliseconds patience_, moment_;
  asio::io_context* loop_ = nullptr;
  const std::shared_ptr<shared> all_;
  std::map<std::string, waiting> under_way_;  // by mount point or path
  std::vector<base::function<void()>> await_quiet_;
};

/// Those of this process.
bounded_looks& looks();

}  // namespace openxpc::supervise
