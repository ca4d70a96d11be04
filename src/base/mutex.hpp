#pragma once

#include "base/sanitized.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>

namespace openxpc::base {

#ifdef OPENXPC_TSAN
/// ThreadSanitizer knows the C library's, and in which order they are locked.
using mutex = std::mutex;
#else
/// For what every message locks a dozen times: where nobody else has it, lock() and unlock() are
/// one atomic operation each and no call; the C library's take some sixty instructions. Who finds
/// it taken looks for a moment longer before it sleeps, since what is done under it is short.
///
/// Not recursive; leaves errno as it was. As std::mutex: for std::lock_guard and std::unique_lock;
/// with std::condition_variable_any.
class mutex {
 public:
  constexpr mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  void lock() noexcept {
    if (!try_lock()) [[unlikely]]
      wait();
  }
  bool try_lock() noexcept {
    std::uint32_t expected = free;
    return state_.compare_exchange_strong(expected, taken, std::memory_order_acquire,
                                          std::memory_order_relaxed);
  }
  void unlock() noexcept {
    if (state_.exchange(free, std::memory_order_release) == wanted) [[unlikely]]
      wake();
  }

 private:
  /// The last: taken, and somebody sleeps or is about to.
  static constexpr std::uint32_t free = 0, taken = 1, wanted = 2;

  [[gnu::cold]] void wait() noexcept;
  [[gnu::cold]] void wake() noexcept;

  std::atomic<std::uint32_t> state_{free};
};
#endif

}  // namespace openxpc::base
