#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <string_view>

namespace openxpc::base {

/// Where a process that systemd started from a unit says how it fares: the protocol of
/// sd_notify(3), one datagram a word. What NOTIFY_SOCKET and WATCHDOG_USEC said when it was made;
/// in a set-uid program they say nothing. Immutable, so any thread may use it.
class notify_socket {
 public:
  notify_socket() noexcept;

  /// Somebody wants to know.
  explicit operator bool() const noexcept { return size_ != 0; }
  /// How often "WATCHDOG=1" is to be told; zero: never. Half of what is asked for, as
  /// sd_watchdog_enabled(3) advises.
  std::chrono::microseconds sign_of_life() const noexcept { return sign_of_life_; }
  /// "WATCHDOG=1" never waits: it comes again. Any other word is said once, so a manager whose
  /// queue is full is waited for, but not longer than `patience`: one that does not read must not
  /// keep a service from ending.
  void tell(std::string_view what) const noexcept;
  static constexpr std::chrono::seconds patience{3};

 private:
  sockaddr_un address_{};
  socklen_t size_ = 0;
  std::chrono::microseconds sign_of_life_{0};
};

}  // namespace openxpc::base
