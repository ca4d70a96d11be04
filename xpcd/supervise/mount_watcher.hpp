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
  /// Nothing is opened before start(). `changed` is called on the loop, after a mount (then
  /// `mounted` is true) or its end; several may be told as one.
  mount_watcher(asio::io_context& loop, base::function<void(bool mounted)> changed)
      : changed_(std::move(changed)), watch_(loop) {}
  ~mount_watcher() { stop(); }
  mount_watcher(const mount_watcher&) = delete;
  mount_watcher& operator=(const mount_watcher&) = delete;

  /// Without effect when it was started. @return false, with errno, when the list cannot be read.
  bool start();
  bool is_on() const noexcept { return static_cast<bool>(list_); }
  void stop() noexcept;
  /// What is mounted, as far as was told; empty before start().
  const std::set<std::string>& known() const noexcept { return known_; }
  /// Whether something is mounted that was not when that was known().
  bool is_more_than(const std::set<std::string>& known_before) const;

 private:
  void wait();
  std::string read() const;

  base::function<void(bool)> changed_;
  base::fd list_;
  asio::posix::stream_descriptor watch_;
  std::set<std::string> known_;
};

}  // namespace openxpc::supervise
