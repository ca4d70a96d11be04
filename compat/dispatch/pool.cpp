#include "dispatch/pool.hpp"

#include "base/clock.hpp"
#include "base/futex.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>

#include "dispatch/manager.hpp"

// Staffing: as many threads work as there are cores, not counting those that sleep in waits of
// ours. Threads that sleep elsewhere (a read, a lock) are found by looking: while work waits and
// none was taken for a tick, the kernel is asked how many of the threads can run, and one more
// starts when that is less than there are cores.

namespace openxpc::dispatch {
namespace {

constexpr std::chrono::milliseconds look_tick{10};
constexpr std::chrono::seconds idle_life{10};

thread_local void* this_worker = nullptr;

unsigned usable_cores() noexcept {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return 2;
  return std::max(2, CPU_COUNT(&cores));
}

/// True when the kernel counts the thread as running or ready to run.
bool can_run(long tid) noexcept {
  char path[48], text[512];
  std::snprintf(path, sizeof path, "/proc/self/task/%ld/stat", tid);
  FILE* file = std::fopen(path, "re");
  if (!file) return true;
  std::size_t size = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  text[size] = '\0';
  const char* end = std::strrchr(text, ')');
  return !end || end[1] == '\0' || end[2] == 'R';
}

}  // namespace

pool& pool::get() noexcept {
  static pool* made = new pool;
  return *made;
}

pool::pool() : cores_(usable_cores()) {
  workers_.reserve(threads_limit);
  idle_.reserve(threads_limit);
}

bool pool::is_worker() noexcept { return this_worker != nullptr; }

unsigned pool::thread_count() noexcept {
  std::lock_guard guard(lock_);
  return static_cast<unsigned>(workers_.size());
}

bool pool::any_locked() const noexcept {
  for (auto& each : lists_)
    if (each.items.head) return true;
  return false;
}

void pool::push(item& one, queue& root, unsigned level) {
  std::lock_guard guard(lock_);
  lists_[level].root = &root;
  lists_[level].items.append(one);
  staff_locked();
}

/// There is work: wakes or starts a thread for it, or sees to it that somebody looks again later.
void pool::staff_locked() noexcept {
  if (!idle_.empty()) {
    worker* next = idle_.back();
    idle_.pop_back();
    next->wake.store(1, std::memory_order_release);
    base::futex_wake(next->wake);
    return;
  }
  if (workers_.size() - sleeping_ < cores_ && start_locked()) return;
  look_again_locked();
}

bool pool::start_locked() noexcept {
  if (workers_.size() == threads_limit) return false;
  auto* fresh = new (std::nothrow) worker;
  if (!fresh) return false;
  sigset_t every, before;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  bool started = pthread_create(&thread, &attributes, &pool::entry, fresh) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (started)
    workers_.push_back(fresh);
  else
    delete fresh;
  return started;
}

void* pool::entry(void* self) {
  pthread_setname_np(pthread_self(), "xpc-dispatch");
  this_worker = self;
  get().main(*static_cast<worker*>(self));
  return nullptr;
}

void pool::main(worker& self) {
  std::unique_lock guard(lock_);
  self.tid = ::syscall(SYS_gettid);
  for (;;) {
    unsigned level = levels;
    while (level-- > 0 && !lists_[level].items.head) {
    }
    if (level < levels) {
      item& one = lists_[level].items.take();
      queue& root = *lists_[level].root;
      ++taken_;
      guard.unlock();
      {
        frame here(root, false);
        one.run(&one);
      }
      guard.lock();
      continue;
    }
    self.wake.store(0, std::memory_order_relaxed);
    idle_.push_back(&self);
    base::instant until = base::from_now(idle_life);
    while (self.wake.load(std::memory_order_acquire) == 0) {
      guard.unlock();
      bool in_time = base::futex_wait(self.wake, 0, until);
      guard.lock();
      if (in_time || self.wake.load(std::memory_order_acquire) != 0) continue;
      // One thread stays for what comes next; the rest have waited long enough.
      if (workers_.size() > 1) {
        std::erase(idle_, &self);
        std::erase(workers_, &self);
        delete &self;
        return;
      }
      until = base::never;
    }
  }
}

pool::sleeping::sleeping() noexcept {
  auto* self = static_cast<worker*>(this_worker);
  if (!self) return;
  pool& mine = get();
  std::lock_guard guard(mine.lock_);
  self->asleep = true;
  ++mine.sleeping_;
  if (mine.any_locked()) mine.staff_locked();
}

pool::sleeping::~sleeping() {
  auto* self = static_cast<worker*>(this_worker);
  if (!self) return;
  pool& mine = get();
  std::lock_guard guard(mine.lock_);
  self->asleep = false;
  --mine.sleeping_;
}

void pool::look_again_locked() {
  if (looking_) return;
  looking_ = true;
  taken_at_look_ = taken_;
  manager::get().after(look_tick, [this] { look(); });
}

void pool::look() {
  std::lock_guard guard(lock_);
  looking_ = false;
  if (!any_locked()) return;
  if (taken_ == taken_at_look_ && workers_.size() < threads_limit) {
    unsigned busy = 0;
    for (worker* each : workers_) busy += !each->asleep && (each->tid == 0 || can_run(each->tid));
    if (busy < cores_) start_locked();
  }
  look_again_locked();
}

}  // namespace openxpc::dispatch
