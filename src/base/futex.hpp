#pragma once

#include "base/clock.hpp"

#include <atomic>
#include <cstdint>

namespace openxpc::base {

/// Sleeps while `word` holds `expected`, until woken, the deadline, or spuriously. False only at
/// the deadline.
bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                instant deadline = never) noexcept;
void futex_wake(const std::atomic<std::uint32_t>& word, int count = 1) noexcept;

/// The same on a word in memory that processes share. False only when `at_most` has passed.
bool futex_wait_shared(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::nanoseconds at_most) noexcept;
/// Wakes one sleeper.
void futex_wake_shared(const std::atomic<std::uint32_t>& word) noexcept;

}  // namespace openxpc::base
