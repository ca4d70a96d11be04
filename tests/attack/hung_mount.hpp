#pragma once

#include "base/fd.hpp"

#include <linux/fuse.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace attack {

/// A file system in user space whose server answers too little, mounted for this process and its
/// children alone. Nothing is left of it at the end, and whoever hangs in it is let go.
class hung_mount {
 public:
  enum class server {
    answering,        ///< any name is the program, which can be read and started
    silent,           ///< every look at a file in it hangs
    deaf_at_looks,    ///< the same, but it is heard who asks
    deaf_at_closing,  ///< any name is a file that opens; to close it hangs
    deaf_at_exec      ///< as `answering`, but to start it hangs
  };
  /// The directory must exist. Empty where no such thing can be mounted: ask why_not().
  /// @param program  whose content the files have
  hung_mount(const std::string& directory, server how, const std::string& program = {});
  ~hung_mount();
  hung_mount(const hung_mount&) = delete;
  hung_mount& operator=(const hung_mount&) = delete;

  explicit operator bool() const { return why_not_.empty(); }
  const std::string& why_not() const { return why_not_; }

  /// Returns when somebody hangs in it, who asked since it was let go last.
  void wait_until_asked();
  /// Answers whoever hangs in it, not who comes later: whatever was looked for is not there.
  void let_go();
  /// From now on; not for one that is silent from the beginning.
  void become(server how) { how_ = how; }

 private:
  const char* mount_it();
  void answer_all();
  bool answer(std::string& request);
  bool hold(const fuse_in_header& request);

  std::atomic<server> how_;
  std::string directory_, why_not_, content_;
  openxpc::base::fd device_, stop_;
  std::mutex mutex_;
  std::condition_variable asked_;
  std::vector<fuse_in_header> held_;
  std::thread answers_;
};

}  // namespace attack
