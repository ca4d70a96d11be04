#include "connection/strand.hpp"

#include "engine/blocking.hpp"
#include "engine/engine.hpp"
#include "engine/fork.hpp"

// A strand is a queue and a promise that one thread at most works it off. `scheduled_` is that
// promise: whoever sets it runs the queue, or has posted somebody who will, and clears it under the
// lock when the queue is empty or closed.
namespace openxpc::connection {
namespace {

// After this many deliveries the thread goes back to its loop, so that one busy conversation does
// not starve the others.
constexpr int deliveries_at_once = 64;

}  // namespace

strand::~strand() { clear(); }

void strand::set_executor(base::ref<executor> where) {
  std::lock_guard lock(mutex_);
  executor_ = std::move(where);
}

base::ref<executor> strand::where() const {
  std::lock_guard lock(mutex_);
  return executor_;
}

void strand::push(base::ref<delivery> what) {
  std::lock_guard lock(mutex_);
  delivery* added = what.release();
  added->next_ = nullptr;
  (first_ ? last_->next_ : first_) = added;
  last_ = added;
  queued_.store(true, std::memory_order_release);
}

void strand::kick(bool here) {
  // Whoever pushes kicks afterwards, and run() looks again under the lock.
  if (!queued_.load(std::memory_order_acquire)) return;
  std::unique_lock lock(mutex_);
  if (stops_ || scheduled_ || !first_) return;
  scheduled_ = true;
  schedule(lock, here);
}

void strand::schedule(std::unique_lock<base::mutex>& lock, bool here) {
  if (!executor_ && here) return run(lock);
  base::ref<executor> where = executor_;
  lock.unlock();
  auto work = [this, owner = base::ref<base::counted>::share(owner_)] { run(); };
  if (where)
    where->post(std::move(work));
  else
    engine::post(std::move(work));
}

void strand::run() {
  std::unique_lock lock(mutex_);
  run(lock);
}

/// The lock is free when it returns.
void strand::run(std::unique_lock<base::mutex>& lock) {
  auto owner = base::ref<base::counted>::share(owner_);
  for (int done = 0;; ++done) {
    if (stops_ || !first_) {
      scheduled_ = false;
      lock.unlock();
      return;
    }
    if (done == deliveries_at_once) {
      schedule(lock, false);
      return;
    }
    auto next = base::ref<delivery>::adopt(first_);
    first_ = next->next_;
    if (!first_) queued_.store(false, std::memory_order_relaxed);
    busy_ = true;
    thread_ = std::this_thread::get_id();
    lock.unlock();
    next->run();
    next = nullptr;
    lock.lock();
    busy_ = false;
    thread_ = {};
    if (idle_awaited_ > 0) idle_.notify_all();
  }
}

base::ref<delivery> strand::withdraw(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  delivery* before = nullptr;
  for (delivery* at = first_; at; before = at, at = at->next_) {
    if (!at->is_request(id)) continue;
    (before ? before->next_ : first_) = at->next_;
    if (last_ == at) last_ = before;
    if (!first_) queued_.store(false, std::memory_order_relaxed);
    return base::ref<delivery>::adopt(at);
  }
  return nullptr;
}

void strand::clear() {
  delivery* dropped;
  {
    std::lock_guard lock(mutex_);
    dropped = first_;
    first_ = last_ = nullptr;
    for (delivery** at = &dropped; *at; at = &(*at)->next_) {
      if (!(*at)->is_last()) continue;
      first_ = last_ = std::exchange(*at, (*at)->next_);
      first_->next_ = nullptr;
      break;
    }
    queued_.store(first_ != nullptr, std::memory_order_relaxed);
  }
  while (dropped) {
    auto gone = base::ref<delivery>::adopt(dropped);
    dropped = gone->next_;
    gone->drop();
  }
}

void strand::suspend() {
  std::lock_guard lock(mutex_);
  ++stops_;
}

void strand::resume() {
  {
    std::lock_guard lock(mutex_);
    --stops_;
  }
  kick(false);
}

void strand::wait_until_idle() {
  if (engine::forked()) return;
  std::unique_lock lock(mutex_);
  if (busy_ && thread_ == std::this_thread::get_id()) return;
  if (!busy_) return;
  lock.unlock();
  engine::blocking_region away;
  lock.lock();
  ++idle_awaited_;
  idle_.wait(lock, [this] { return !busy_; });
  --idle_awaited_;
}

bool strand::idle() const {
  std::lock_guard lock(mutex_);
  return !busy_ && !first_;
}

bool strand::runs_here() const {
  std::lock_guard lock(mutex_);
  return busy_ && thread_ == std::this_thread::get_id();
}

}  // namespace openxpc::connection
