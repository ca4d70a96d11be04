#pragma once

#include "base/fd.hpp"
#include "base/function.hpp"

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <set>
#include <string>
#include <string_view>

namespace openxpc::supervise {

/// What is mounted, from the text of /proc/PID/mountinfo: of each mount what cannot change while it
/// lasts.
std::set<std::string> mounts_in(std::string_view mountinfo);

/// Tells of file systems that were mounted where xpcd can see them; no work while none is.
class mount_watcher {
 public:
  /// Nothing is opened before start(). `mounted` is called on the loop; several mounts may be told
  /// as one.
  mount_watcher(asio::io_context& loop, base::function<void()> mounted)
      : mounted_(std::move(mounted)), watch_(loop) {}
  ~mount_watcher() { stop(); }
  mount_watcher(const mount_watcher&) = delete;
  mount_watcher& operator=(const mount_watcher&) = delete;

  /// Without effect when it was started. @return false, with errno, when the list cannot be read.
  bool start();
  void stop() noexcept;

 private:
  void wait();
  std::string read() const;

  base::function<void()> mounted_;
  base::fd list_;
  asio::posix::stream_descriptor watch_;
  std::set<std::string> known_;
};

}  // namespace openxpc::supervise
