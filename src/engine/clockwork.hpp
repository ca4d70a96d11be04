#pragma once

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/ref.hpp"
#include "engine/engine.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <vector>

namespace openxpc::engine {

struct slot;

/// What a timer stands on.
struct timer_node final : base::counted {
  timer_node(loop& on, task call) : where(on), expired(std::move(call)) {}
  enum class phase : std::uint8_t { idle, scheduled, triggered };
  loop& where;
  const task expired;
  // Guarded by the clock's lock:
  base::instant when{};
  std::size_t place = 0;    // in the heap while scheduled
  std::uint64_t round = 0;  // tells one schedule() from the next
  phase at = phase::idle;
};

/// Everything that happens because time passes, by one thread that sleeps on one timerfd: timers
/// are handed to their loops, late arms are carried out, callbacks that take long lose their loops.
class clockwork {
 public:
  static constexpr std::chrono::milliseconds late_tick{1};
  static constexpr std::chrono::milliseconds watch_tick{5};
  /// So many ticks without any callback end the watch.
  static constexpr unsigned quiet_ticks = 2;

  explicit clockwork(drive who);
  /// Instead of a thread of its own: its timerfd goes into that loop, which then calls turn().
  void join(loop& with);

  void schedule(const base::ref<timer_node>& node, base::instant when);
  bool cancel(timer_node& node) noexcept;

  /// Puts a slot with a late arm on the list.
  void list_late(slot& with);
  /// A callback begins: sees to it that somebody watches how long it takes.
  void watch() noexcept {
    if (!watching_.load(std::memory_order_seq_cst)) start_watch();
  }
  /// Does what is due and sets the alarm for what comes next.
  void turn();
  void abandon() noexcept { alarm_.reset(); }

 private:
  void start_watch() noexcept;
  void start_thread_locked() noexcept;
  static void* entry(void* self);
  void wake_by_locked(base::instant when) noexcept;
  void set_alarm_locked(base::instant when) noexcept;
  void arm_late(std::vector<slot*>& list) noexcept;
  bool look_at_loops();

  void place_locked(std::size_t at, timer_node* node) noexcept;
  void rise_locked(std::size_t at) noexcept;
  void sink_locked(std::size_t at) noexcept;
  void unlink_locked(timer_node& node) noexcept;

  std::mutex lock_;
  base::fd alarm_;
  bool thread_started_;
  base::instant alarm_at_ = base::never;  // what the timerfd is set to
  std::vector<timer_node*> heap_;         // each entry owns a reference
  std::vector<slot*> late_;
  base::instant late_due_ = base::never;
  base::instant watch_due_ = base::never;
  std::atomic<bool> watching_{false};

  // Belong to whoever calls turn().
  std::vector<slot*> late_now_;
  std::array<std::uint64_t, 4> seen_{};
  unsigned quiet_ = 0;
};

}  // namespace openxpc::engine
