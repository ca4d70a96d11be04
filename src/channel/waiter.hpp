#pragma once

#include <atomic>
#include <cstdint>

namespace openxpc::channel {

/// One thread that blocks in channel::wait(). Lives on that thread's stack, or wherever its owner
/// keeps it, at least until wait() has returned; serves one wait after the other.
class waiter {
 public:
  waiter() noexcept = default;
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;
  /// Makes a finished waiter ready for another wait. Not while somebody waits on it.
  void reset() noexcept {
    news_.store(0, std::memory_order_relaxed);
    finished_.store(false, std::memory_order_relaxed);
  }

 private:
  bool is_finished() const noexcept { return finished_.load(std::memory_order_relaxed); }

  friend class reader_role;
  friend class channel_body;
  friend struct role_model;
  /// What a sleeper looks at: 0 sleep on, 1 look again under the lock.
  std::atomic<std::uint32_t> news_{0};
  /// Wakes the thread while it polls: an eventfd of its own; -1 when it cannot poll.
  int borrowed_wake_fd_ = -1;
  /// Set under the lock, or by the waiter's own thread while it reads.
  std::atomic<bool> finished_{false};
  // The rest belongs to the reader role, under the channel's lock.
  bool queued_ = false;
  bool can_poll_ = false;
  bool asleep_ = false;
  bool patient_ = false;  ///< reads without hearing its bell
  waiter* next_ = nullptr;
  waiter* previous_ = nullptr;
};

}  // namespace openxpc::channel
