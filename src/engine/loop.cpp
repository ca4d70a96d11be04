#include "engine/loop.hpp"

#include "base/misuse.hpp"
#include "base/uncancelled.hpp"
#include "engine/core.hpp"
#include "engine/fork.hpp"
#include "engine/registration.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

// A thread runs a batch: the events of one epoll_wait, then the tasks that were posted. Around each
// callback it moves stance_ from even to odd and back; when the way back fails, somebody moved it
// on meanwhile, the loop belongs to another thread, and nothing of it may be touched any more.

namespace openxpc::engine {

position& here() noexcept {
  static thread_local position value;
  return value;
}

loop::loop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  // Edge-triggered: each write is one event and nobody needs to read the counter back.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = slot_store::wake_token;
  if (!epoll_ || !wake_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
    base::bug("the engine cannot have an epoll set: %s", std::strerror(errno));
}

void loop::post(task work) {
  bool asleep;
  {
    std::lock_guard guard(lock_);
    posted_.push_back(std::move(work));
    asleep = sleeping_.exchange(false, std::memory_order_relaxed);
  }
  if (asleep) wake();
}

void loop::wake() noexcept {
  std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

bool loop::start() noexcept {
  if (started_.load(std::memory_order_acquire)) return true;
  core& engine = core::get();
  if (engine.mode() == drive::program) return true;
  std::lock_guard guard(lock_);
  if (started_.load(std::memory_order_relaxed)) return true;
  if (!engine.threads.give_thread(*this)) return false;
  started_.store(true, std::memory_order_release);
  return true;
}

void loop::run() {
  while (finish_batch()) {
    if (forked()) return;
    wait(take_posted() ? 0 : -1);
  }
}

std::size_t loop::poll() {
  called_ = 0;
  take_posted();
  wait(0);
  finish_batch();
  std::lock_guard guard(lock_);
  if (posted_.empty())
    sleeping_.store(true, std::memory_order_relaxed);
  else
    wake();
  return called_;
}

/// Moves what was posted to running_; with nothing there the loop counts as asleep. True when there
/// is something to run.
bool loop::take_posted() {
  std::lock_guard guard(lock_);
  running_.swap(posted_);
  if (running_.empty()) sleeping_.store(true, std::memory_order_relaxed);
  return !running_.empty();
}

void loop::wait(int timeout) noexcept {
  next_event_ = 0;
  event_count_ = base::uncancelled_epoll_wait(epoll_.get(), events_, batch_size, timeout);
  if (event_count_ < 0) event_count_ = 0;
  if (timeout != 0) sleeping_.store(false, std::memory_order_relaxed);
}

/// False when the loop went to another thread.
bool loop::finish_batch() {
  while (next_event_ < event_count_) {
    const epoll_event event = events_[next_event_++];
    if (!deliver(event)) return false;
  }
  while (next_task_ < running_.size()) {
    task work = std::move(running_[next_task_++]);
    if (!call(work)) return false;
  }
  running_.clear();
  next_task_ = 0;
  return true;
}

bool loop::deliver(const epoll_event& event) {
  if (event.data.u64 == slot_store::wake_token) return true;
  core& engine = core::get();
  if (event.data.u64 == slot_store::clock_token) {
    engine.clock.turn();
    return true;
  }
  slot& at = engine.slots.at(static_cast<std::uint32_t>(event.data.u64));
  base::ref<source> target;
  {
    std::lock_guard guard(at.lock);
    if (at.generation == static_cast<std::uint32_t>(event.data.u64 >> 32)) target = at.target;
  }
  if (!target) return true;  // its registration ended while the event was on its way
  return call([&] { target->ready(event.events); });
}

template <class F>
bool loop::call(F&& callback) {
  ++called_;
  core& engine = core::get();
  const std::uint64_t mine = stance_.load(std::memory_order_relaxed) + 1;
  stance_.store(mine, std::memory_order_seq_cst);
  if (engine.mode() == drive::threads) engine.clock.watch();
  here() = {this, mine};
  callback();
  here() = {};
  std::uint64_t expected = mine;
  return stance_.compare_exchange_strong(expected, mine + 1, std::memory_order_acq_rel) &&
         !forked();
}

void loop::abandon() noexcept {
  epoll_.reset();
  wake_.reset();
}

}  // namespace openxpc::engine
