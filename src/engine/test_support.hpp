#pragma once

// For the tests of this folder only.

#include "base/fd.hpp"
#include "base/futex.hpp"

#include <sys/socket.h>

#include <atomic>
#include <cstdint>

namespace openxpc::engine::test {

/// A number that only rises, and that can be waited for. Sleeps outside of the engine's knowledge,
/// as a program would.
class count {
 public:
  void add(unsigned by = 1) noexcept {
    value_.fetch_add(by, std::memory_order_acq_rel);
    base::futex_wake(value_, INT32_MAX);
  }
  unsigned value() const noexcept { return value_.load(std::memory_order_acquire); }
  void wait_for(unsigned wanted) const noexcept {
    for (std::uint32_t now; (now = value()) < wanted;) base::futex_wait(value_, now);
  }

 private:
  std::atomic<std::uint32_t> value_{0};
};

struct pair_of_sockets {
  pair_of_sockets() {
    int numbers[2] = {-1, -1};
    (void)::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, numbers);
    fd[0].reset(numbers[0]);
    fd[1].reset(numbers[1]);
  }
  /// One byte from that end to the other.
  void say(int from) const noexcept { (void)!::send(fd[from].get(), "x", 1, MSG_NOSIGNAL); }
  base::fd fd[2];
};

}  // namespace openxpc::engine::test
