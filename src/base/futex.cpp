#include "base/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace openxpc::base {

// The kernel's futex knows CLOCK_MONOTONIC and CLOCK_REALTIME only, so a boot-time deadline becomes
// a relative one. After a suspend the sleeper wakes late by what it slept through; callers look at
// the clock again and go on.
bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                instant deadline) noexcept {
  timespec relative{};
  timespec* timeout = nullptr;
  if (deadline != never) {
    auto left = deadline - boot_clock::now();
    if (left.count() <= 0) return false;
    relative.tv_sec = static_cast<time_t>(left.count() / 1'000'000'000);
    relative.tv_nsec = static_cast<long>(left.count() % 1'000'000'000);
    timeout = &relative;
  }
  long outcome = ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word),
                           FUTEX_WAIT_PRIVATE, expected, timeout, nullptr, 0);
  return outcome == 0 || errno != ETIMEDOUT;
}

void futex_wake(const std::atomic<std::uint32_t>& word, int count) noexcept {
  ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word), FUTEX_WAKE_PRIVATE, count,
            nullptr, nullptr, 0);
}

bool futex_wait_shared(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::nanoseconds at_most) noexcept {
  const timespec relative{static_cast<time_t>(at_most.count() / 1'000'000'000),
                          static_cast<long>(at_most.count() % 1'000'000'000)};
  const long outcome = ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word),
                                 FUTEX_WAIT, expected, &relative, nullptr, 0);
  return outcome == 0 || errno != ETIMEDOUT;
}

void futex_wake_shared(const std::atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word), FUTEX_WAKE, 1, nullptr,
            nullptr, 0);
}

}  // namespace openxpc::base
