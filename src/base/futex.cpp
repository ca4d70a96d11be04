#include "base/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace openxpc::base {
namespace {

timespec timespec_of(std::chrono::nanoseconds time) noexcept {
  return {static_cast<time_t>(time.count() / 1'000'000'000),
          static_cast<long>(time.count() % 1'000'000'000)};
}

/// False only when the timeout, if there is one, has passed.
bool wait(const std::atomic<std::uint32_t>& word, int how, std::uint32_t expected,
          const timespec* timeout) noexcept {
  const long outcome = ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word), how,
                                 expected, timeout, nullptr, 0);
  return outcome == 0 || errno != ETIMEDOUT;
}

void wake(const std::atomic<std::uint32_t>& word, int how, int count) noexcept {
  ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word), how, count, nullptr, nullptr,
            0);
}

}  // namespace

// The kernel's futex knows CLOCK_MONOTONIC and CLOCK_REALTIME only, so a boot-time deadline becomes
// a relative one. After a suspend the sleeper wakes late by what it slept through; callers look at
// the clock again and go on.
bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                instant deadline) noexcept {
  if (deadline == never) return wait(word, FUTEX_WAIT_PRIVATE, expected, nullptr);
  const auto left = deadline - boot_clock::now();
  if (left.count() <= 0) return false;
  const timespec relative = timespec_of(left);
  return wait(word, FUTEX_WAIT_PRIVATE, expected, &relative);
}

void futex_wake(const std::atomic<std::uint32_t>& word, int count) noexcept {
  wake(word, FUTEX_WAKE_PRIVATE, count);
}

bool futex_wait_shared(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::nanoseconds at_most) noexcept {
  const timespec relative = timespec_of(at_most);
  return wait(word, FUTEX_WAIT, expected, &relative);
}

void futex_wake_shared(const std::atomic<std::uint32_t>& word) noexcept {
  wake(word, FUTEX_WAKE, 1);
}

}  // namespace openxpc::base
