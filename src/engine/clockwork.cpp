#include "engine/clockwork.hpp"

#include "base/misuse.hpp"
#include "engine/core.hpp"
#include "engine/fork.hpp"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

// The alarm is a timerfd on the boot clock, so that timers are right after a suspend. Whoever needs
// an earlier wake-up than the one that is set moves the alarm and need not wake the thread. turn()
// works on a stale alarm without harm: it looks at the clock, does what is due, and sets the alarm
// anew.

namespace openxpc::engine {

clockwork::clockwork(drive who)
    : alarm_(::timerfd_create(CLOCK_BOOTTIME,
                              TFD_CLOEXEC | (who == drive::program ? TFD_NONBLOCK : 0))),
      thread_started_(who == drive::program) {
  if (!alarm_) base::bug("the engine cannot have a timer: %s", std::strerror(errno));
}

void clockwork::join(loop& with) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = slot_store::clock_token;
  if (::epoll_ctl(with.epoll_fd(), EPOLL_CTL_ADD, alarm_.get(), &event) != 0)
    base::bug("the engine cannot wait for its timer: %s", std::strerror(errno));
}

void clockwork::start_thread_locked() noexcept {
  if (thread_started_) return;
  thread_started_ = start_thread(&clockwork::entry, this);
}

void* clockwork::entry(void* self) {
  pthread_setname_np(pthread_self(), "xpc-clock");
  auto& clock = *static_cast<clockwork*>(self);
  for (;;) {
    std::uint64_t times;
    (void)!::read(clock.alarm_.get(), &times, sizeof times);
    clock.turn();
  }
}

void clockwork::set_alarm_locked(base::instant when) noexcept {
  itimerspec at{};
  if (when != base::never) {
    // Zero would switch the alarm off.
    auto since = std::max<std::int64_t>(when.time_since_epoch().count(), 1);
    at.it_value.tv_sec = static_cast<time_t>(since / 1'000'000'000);
    at.it_value.tv_nsec = static_cast<long>(since % 1'000'000'000);
  }
  alarm_at_ = when;
  ::timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
}

void clockwork::wake_by_locked(base::instant when) noexcept {
  start_thread_locked();
  if (when < alarm_at_) set_alarm_locked(when);
}

void clockwork::turn() {
  const base::instant now = base::boot_clock::now();
  std::vector<std::pair<base::ref<timer_node>, std::uint64_t>> due;
  bool late = false, watch = false;
  {
    std::lock_guard guard(lock_);
    while (!heap_.empty() && heap_.front()->when <= now) {
      timer_node& node = *heap_.front();
      unlink_locked(node);
      node.at = timer_node::phase::triggered;
      due.emplace_back(base::ref<timer_node>::adopt(&node), node.round);  // the heap's reference
    }
    if (late_due_ <= now) {
      late = true;
      late_now_.swap(late_);
    }
    watch = watch_due_ <= now;
  }
  for (auto& [node, round] : due) {
    loop& where = node->where;
    where.start();
    where.post([this, node = std::move(node), round = round] {
      {
        std::lock_guard guard(lock_);
        if (node->at != timer_node::phase::triggered || node->round != round) return;
        node->at = timer_node::phase::idle;
      }
      node->expired();
    });
  }
  if (late) arm_late(late_now_);
  bool watch_on = watch && look_at_loops();

  std::lock_guard guard(lock_);
  if (late) {
    late_.insert(late_.end(), late_now_.begin(), late_now_.end());
    late_now_.clear();
    late_due_ = late_.empty() ? base::never : base::from_now(late_tick);
  }
  if (watch) watch_due_ = watch_on ? base::from_now(watch_tick) : base::never;
  base::instant next = std::min(late_due_, watch_due_);
  if (!heap_.empty()) next = std::min(next, heap_.front()->when);
  set_alarm_locked(next);
}

// --- Late arms
// ---------------------------------------------------------------------------------------------------------

void clockwork::list_late(slot& with) {
  std::lock_guard guard(lock_);
  late_.push_back(&with);
  if (late_due_ == base::never) late_due_ = base::from_now(late_tick);
  wake_by_locked(late_due_);
}

/// Arms what has asked for the same thing since the tick before, keeps what asked anew (a streak of
/// synchronous calls goes on), and lets go of what asks for nothing. Leaves in the list what is to
/// be looked at again.
void clockwork::arm_late(std::vector<slot*>& list) noexcept {
  std::erase_if(list, [](slot* each) {
    std::uint64_t wanted = each->late.load(std::memory_order_seq_cst);
    if (wanted != 0 && wanted == each->late_seen) {
      // The lock keeps a later arm() behind this one: the older wish must not overwrite the newer.
      std::lock_guard guard(each->lock);
      if (each->late.compare_exchange_strong(wanted, 0) && each->fd.load() >= 0)
        each->arm_locked(static_cast<std::uint32_t>(wanted), slot::how::once);
    }
    each->late_seen = wanted;
    if (wanted != 0) return false;
    each->late_listed.store(false, std::memory_order_seq_cst);
    // Whoever asked between the two has seen the flag still set and relies on the list.
    return each->late.load(std::memory_order_seq_cst) == 0 ||
           each->late_listed.exchange(true, std::memory_order_seq_cst);
  });
}

// --- The watch on callbacks
// ----------------------------------------------------------------------------------------------

void clockwork::start_watch() noexcept {
  if (watching_.exchange(true, std::memory_order_seq_cst)) return;
  std::lock_guard guard(lock_);
  watch_due_ = base::from_now(watch_tick);
  wake_by_locked(watch_due_);
}

/// One tick; false ends the watch.
bool clockwork::look_at_loops() {
  static_assert(core::loops_limit <= std::tuple_size_v<decltype(seen_)>);
  core& engine = core::get();
  bool quiet = true;
  for (std::size_t i = 0; i < engine.loop_count(); ++i) {
    loop& at = engine.loop_at(i);
    std::uint64_t stance = at.stance();
    if (stance % 2 != 0 && stance == seen_[i]) engine.threads.hand_over(at, stance);
    if (stance % 2 != 0 || stance != seen_[i]) quiet = false;
    seen_[i] = stance;
  }
  quiet_ = quiet ? quiet_ + 1 : 0;
  if (quiet_ < quiet_ticks) return true;
  watching_.store(false, std::memory_order_seq_cst);
  // A callback that began between the look and the store has seen that somebody watches.
  for (std::size_t i = 0; i < engine.loop_count(); ++i)
    if (engine.loop_at(i).stance() != seen_[i])
      return !watching_.exchange(true, std::memory_order_seq_cst);
  return false;
}

// --- Timers: a binary heap, the earliest at the front
// --------------------------------------------------------------------

void clockwork::place_locked(std::size_t at, timer_node* node) noexcept {
  heap_[at] = node;
  node->place = at;
}

void clockwork::rise_locked(std::size_t at) noexcept {
  timer_node* node = heap_[at];
  for (; at > 0 && node->when < heap_[(at - 1) / 2]->when; at = (at - 1) / 2)
    place_locked(at, heap_[(at - 1) / 2]);
  place_locked(at, node);
}

void clockwork::sink_locked(std::size_t at) noexcept {
  timer_node* node = heap_[at];
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->when < heap_[child]->when) ++child;
    if (node->when <= heap_[child]->when) break;
    place_locked(at, heap_[child]);
    at = child;
  }
  place_locked(at, node);
}

/// Takes the node out of the heap; the heap's reference passes to the caller.
void clockwork::unlink_locked(timer_node& node) noexcept {
  std::size_t at = node.place;
  timer_node* last = heap_.back();
  heap_.pop_back();
  node.at = timer_node::phase::idle;
  if (last == &node) return;
  place_locked(at, last);
  sink_locked(at);
  rise_locked(last->place);
}

void clockwork::schedule(const base::ref<timer_node>& node, base::instant when) {
  if (when == base::never) {
    cancel(*node);
    return;
  }
  std::lock_guard guard(lock_);
  ++node->round;
  node->when = when;
  if (node->at == timer_node::phase::scheduled) {
    sink_locked(node->place);
    rise_locked(node->place);
  } else {
    heap_.push_back(base::ref<timer_node>(node).release());
    node->at = timer_node::phase::scheduled;
    rise_locked(heap_.size() - 1);
  }
  wake_by_locked(when);
}

bool clockwork::cancel(timer_node& node) noexcept {
  base::ref<timer_node> dropped;  // after the lock: its task may own anything
  std::lock_guard guard(lock_);
  bool was_pending = node.at != timer_node::phase::idle;
  if (node.at == timer_node::phase::scheduled) {
    unlink_locked(node);
    dropped = base::ref<timer_node>::adopt(&node);
  }
  node.at = timer_node::phase::idle;
  return was_pending;
}

}  // namespace openxpc::engine
