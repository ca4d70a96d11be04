#include "dispatch/lane.hpp"

#include "base/futex.hpp"

#include <atomic>
#include <utility>

#include "dispatch/bug.hpp"
#include "dispatch/root.hpp"
#include "dispatch/sleep.hpp"

// An item goes through in two steps: the lane lets it out of its list (pump), in order, as far as
// barriers, suspension and seriality allow; then it waits in the target until that runs it. Locks
// are taken from a lane to its target, never the other way. Each item in the list holds a reference
// to the lane, so a queue that the program has released finishes its work.

namespace openxpc::dispatch {
namespace {

constexpr unsigned drain_limit = 64;  // then the others in the target have their turn

}  // namespace

/// An item that runs beside others, on its way through the target.
struct lane::shared_item final : item {
  shared_item(lane& l, item& w) noexcept : item(&shared_item::go), on(l), what(w) {}
  static void go(item* self) {
    auto* mine = static_cast<shared_item*>(self);
    lane& at = mine->on;
    item& what = mine->what;
    delete mine;
    at.run(what, false);
    at.leave(false);
    at.release();
  }
  lane& on;
  item& what;
};

/// A thread that sleeps until it is its turn on the lane. Lives on that thread's stack; the thread
/// that runs the lane meanwhile waits on a word of its own stack, so that neither looks at memory
/// that the other may have left.
struct lane::waiter final : item {
  enum : std::uint32_t { waiting, your_turn, done };
  waiter(lane& l, void* c, dispatch_function_t f, bool alone) noexcept
      : item(&waiter::go, alone), on(l), context(c), function(f) {}
  static void go(item* self) {
    auto& mine = *static_cast<waiter*>(self);
    if (on_main_thread()) {
      // Work for the main thread runs there and nowhere else.
      mine.function(mine.context);
      mine.turn.store(done, std::memory_order_release);
      base::futex_wake(mine.turn);
      return;
    }
    std::atomic<std::uint32_t> finished{0};
    mine.finished = &finished;
    mine.turn.store(your_turn, std::memory_order_release);
    base::futex_wake(mine.turn);
    sleep_while(finished, 0);
  }
  lane& on;
  void* const context;
  const dispatch_function_t function;
  std::atomic<std::uint32_t> turn{waiting};
  std::atomic<std::uint32_t>* finished = nullptr;
};

lane::lane(std::string label, const attribute& how, queue& target, bool counts)
    : queue(std::move(label), how.qos, counts),
      serial_(!how.concurrent),
      relative_priority_(how.relative_priority),
      target_(&target),
      suspended_(how.inactive),
      inactive_(how.inactive) {
  target.retain();
}

lane::~lane() {
  target_.load()->release();
  if (next_target_) next_target_->release();
  for (queue* each : former_) each->release();
}

void lane::append(item& one) {
  retain();
  items_.append(one);
}

void lane::push(item& one) {
  std::lock_guard guard(lock_);
  append(one);
  pump_locked();
}

/// Lets out what may go.
void lane::pump_locked() {
  if (next_target_ && !alone_ && shared_ == 0) {
    former_.push_back(target_.exchange(std::exchange(next_target_, nullptr)));
  }
  while (items_.head && !alone_ && suspended_ == 0) {
    if (barrier_at_head()) {
      if (shared_ != 0) return;
      alone_ = true;
      retain();
      target()->push(drain_);
      return;
    }
    if (next_target_) return;  // takes effect first
    ++shared_;
    item& one = items_.take();
    target()->push(*new shared_item(*this, one));  // keeps the item's reference to the lane
  }
}

/// Runs items that need the lane for themselves, in the target's context.
void lane::drain() {
  std::unique_lock guard(lock_);
  for (unsigned count = 0; count < drain_limit; ++count) {
    if (suspended_ != 0 || !items_.head || !barrier_at_head() || next_target_) break;
    item& one = items_.take();
    guard.unlock();
    run(one, true);
    release();  // the item's; the drain has one of its own
    guard.lock();
  }
  alone_ = false;
  pump_locked();
  guard.unlock();
  release();
}

void lane::run(item& one, bool alone) {
  frame here(*this, alone);
  one.run(&one);
}

void lane::leave(bool alone) noexcept {
  std::lock_guard guard(lock_);
  if (alone)
    alone_ = false;
  else
    --shared_;
  pump_locked();
}

void lane::sync(void* context, dispatch_function_t function, bool barrier, const char* caller) {
  const bool alone = serial_ || barrier;
  if (frame::holds_alone(*this) || (alone && frame::holds(*this)))
    client_bug(
        caller,
        "called on a queue that the calling thread works on already: it would wait for itself");
  waiter me(*this, context, function, alone);
  bool entered = false;
  {
    std::lock_guard guard(lock_);
    if (!items_.head && !alone_ && suspended_ == 0 && !next_target_ && (!alone || shared_ == 0)) {
      entered = true;
      retain();
      if (alone)
        alone_ = true;
      else
        ++shared_;
    } else {
      append(me);
      pump_locked();
    }
  }
  if (entered) {
    // Free: only the target is left to enter, in the same way.
    target()->sync(
        &me,
        [](void* self) {
          auto& mine = *static_cast<waiter*>(self);
          frame here(mine.on, mine.barrier);
          mine.function(mine.context);
        },
        false, caller);
    leave(alone);
    release();
    return;
  }
  sleep_while(me.turn, waiter::waiting);
  if (me.turn.load(std::memory_order_acquire) == waiter::done) return;
  {
    frame here(*this, alone);
    function(context);
  }
  std::atomic<std::uint32_t>& finished = *me.finished;
  finished.store(1, std::memory_order_release);
  base::futex_wake(finished);  // needs the address only
}

// ---- States and targets

bool lane::is_inactive() noexcept {
  std::lock_guard guard(lock_);
  return inactive_;
}

void lane::activate() {
  std::lock_guard guard(lock_);
  if (!inactive_) return;
  inactive_ = false;
  --suspended_;
  pump_locked();
}

void lane::suspend(const char*) {
  std::lock_guard guard(lock_);
  ++suspended_;
}

void lane::resume(const char* caller) {
  std::lock_guard guard(lock_);
  if (suspended_ == inactive_) client_bug(caller, "resumed more often than suspended");
  --suspended_;
  pump_locked();
}

void lane::set_target(queue* target, const char* caller) {
  if (!target) target = &default_queue();
  for (queue* each = target; each; each = each->target())
    if (each == this) client_bug(caller, "the targets would form a ring");
  target->retain();
  queue* replaced;
  {
    std::lock_guard guard(lock_);
    replaced = std::exchange(next_target_, target);
    pump_locked();
  }
  if (replaced) replaced->release();
}

void lane::abandoned(const char* caller) {
  std::lock_guard guard(lock_);
  if (inactive_) client_bug(caller, "the last reference to a queue that was never activated");
  if (suspended_ != 0) client_bug(caller, "the last reference to a suspended queue");
}

queue* lane::finalizer_queue() noexcept {
  queue* at = target();
  at->retain();
  return at;
}

}  // namespace openxpc::dispatch
