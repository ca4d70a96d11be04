#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace openxpc::base {

/// Owns one file descriptor and closes it. Move-only; -1 is "none".
class fd {
 public:
  fd() noexcept = default;
  explicit fd(int owned) noexcept : number_(owned) {}
  fd(fd&& other) noexcept : number_(other.release()) {}
  fd& operator=(fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~fd() { reset(); }

  /// A new close-on-exec descriptor for the same open file; empty with errno set when there is none
  /// to be had.
  static fd copy(int borrowed_fd) noexcept { return fd(::fcntl(borrowed_fd, F_DUPFD_CLOEXEC, 3)); }

  int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }
  void reset(int owned = -1) noexcept {
    int old = std::exchange(number_, owned);
    if (old >= 0) ::close(old);
  }

 private:
  int number_ = -1;
};

}  // namespace openxpc::base
