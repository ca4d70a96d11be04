#include "engine/pool.hpp"

#include "base/clock.hpp"
#include "base/futex.hpp"
#include "engine/core.hpp"
#include "engine/fork.hpp"
#include "engine/loop.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <new>

namespace openxpc::engine {
namespace {

constexpr std::size_t spares_kept = 2;
constexpr std::chrono::seconds spare_life{10};

}  // namespace

bool start_thread(void* (*entry)(void*), void* argument) noexcept {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  bool started = pthread_create(&thread, &attributes, entry, argument) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

unsigned pool::count() noexcept {
  std::lock_guard guard(lock_);
  return static_cast<unsigned>(numbers_.count());
}

pool::worker* pool::reserve() noexcept {
  worker* fresh;
  {
    std::lock_guard guard(lock_);
    if (!parked_.empty()) {
      worker* spare = parked_.back();
      parked_.pop_back();
      return spare;
    }
    if (numbers_.all()) return nullptr;
    fresh = new (std::nothrow) worker;
    if (!fresh) return nullptr;
    while (numbers_.test(fresh->number)) ++fresh->number;
    numbers_.set(fresh->number);
  }
  // It waits for its assignment before it looks at anything else.
  if (start_thread(&pool::entry, fresh)) return fresh;
  std::lock_guard guard(lock_);
  numbers_.reset(fresh->number);
  delete fresh;
  return nullptr;
}

void pool::assign(worker& spare, loop& to) noexcept {
  spare.next = &to;
  spare.assigned.store(1, std::memory_order_release);
  base::futex_wake(spare.assigned);
}

void pool::give_back(worker& spare) noexcept {
  std::lock_guard guard(lock_);
  parked_.push_back(&spare);
}

bool pool::give_thread(loop& to) noexcept {
  worker* spare = reserve();
  if (!spare) return false;
  assign(*spare, to);
  return true;
}

bool pool::hand_over(loop& from, std::uint64_t stance) noexcept {
  if (from.stance() != stance) return false;
  // The thread first, then the loop: a loop must never be without one.
  worker* spare = reserve();
  if (!spare) return false;
  if (from.take_from(stance)) {
    assign(*spare, from);
    return true;
  }
  give_back(*spare);
  return false;
}

loop* pool::park(worker& self) noexcept {
  base::instant until = base::never;
  {
    std::lock_guard guard(lock_);
    if (parked_.size() >= spares_kept) until = base::from_now(spare_life);
  }
  while (self.assigned.load(std::memory_order_acquire) == 0) {
    if (base::futex_wait(self.assigned, 0, until)) continue;
    std::lock_guard guard(lock_);
    auto mine = std::find(parked_.begin(), parked_.end(), &self);
    if (mine != parked_.end()) {
      parked_.erase(mine);
      return nullptr;
    }
    until = base::from_now(spare_life);  // reserved: an assignment follows, or it is given back
  }
  self.assigned.store(0, std::memory_order_relaxed);
  return self.next;
}

void pool::main(worker& self) noexcept {
  char name[16];
  std::snprintf(name, sizeof name, "xpc-engine-%u", self.number + 1);
  pthread_setname_np(pthread_self(), name);
  while (loop* next = park(self)) {
    next->run();
    // A child that was forked inside a callback ends when the callback returns into an engine that
    // is not there.
    if (forked()) ::_exit(0);
    give_back(self);
  }
  std::lock_guard guard(lock_);
  numbers_.reset(self.number);
  delete &self;
}

void* pool::entry(void* self) {
  core::get().threads.main(*static_cast<worker*>(self));
  return nullptr;
}

}  // namespace openxpc::engine
