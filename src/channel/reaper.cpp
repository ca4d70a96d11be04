#include "channel/reaper.hpp"

#include "engine/fork.hpp"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>

// A thread made when the first descriptor is buried, never joined. When all there are have been in
// one close() for long, what is buried next gets another one, so that what hangs keeps nobody
// else's descriptors open. There is a most of them: beyond it descriptors wait.

namespace openxpc::channel {
namespace {

using clock = std::chrono::steady_clock;
constexpr unsigned most_threads = 16;
constexpr auto long_time = std::chrono::milliseconds(100);

struct grave {
  std::mutex lock;
  std::condition_variable filled;
  std::deque<base::fd> waiting;
  unsigned threads = 0;
  clock::time_point taken;  // when one of them last took a descriptor

  void work() {
    ::pthread_setname_np(::pthread_self(), "xpc-reaper");
    std::unique_lock hold(lock);
    for (;;) {
      filled.wait(hold, [this] { return !waiting.empty(); });
      base::fd next = std::move(waiting.front());
      waiting.pop_front();
      taken = clock::now();
      hold.unlock();
      next.reset();
      hold.lock();
    }
  }

  /// Under the lock.
  bool needs_thread() const {
    if (threads == 0) return true;
    return threads < most_threads && !waiting.empty() && clock::now() - taken > long_time;
  }
};

grave& the_grave() {
  static grave* const only = new grave;  // outlives every thread
  return *only;
}

bool start(grave& where) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = true;
  try {
    std::thread([&where] { where.work(); }).detach();
  } catch (...) {
    started = false;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace

void bury(std::vector<base::fd>& foreign) noexcept {
  if (foreign.empty()) return;
  if (!engine::forked()) {
    grave& where = the_grave();
    std::lock_guard hold(where.lock);
    if (where.needs_thread() && start(where)) ++where.threads;
    if (where.threads != 0) {
      for (base::fd& each : foreign) where.waiting.push_back(std::move(each));
      where.filled.notify_one();
    }
  }
  foreign.clear();
}

void bury(base::fd foreign) noexcept {
  if (!foreign) return;
  std::vector<base::fd> one;
  one.push_back(std::move(foreign));
  bury(one);
}

}  // namespace openxpc::channel
