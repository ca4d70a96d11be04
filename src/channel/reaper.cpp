#include "channel/reaper.hpp"

#include "engine/fork.hpp"

#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

// One thread for the process, made when the first descriptor is buried, never joined. If it hangs
// in a close(), what is buried later waits: a peer that does this keeps descriptors of its own
// making open, within its limits, and nothing else.

namespace openxpc::channel {
namespace {

struct grave {
  std::mutex lock;
  std::condition_variable filled;
  std::vector<base::fd> waiting;
  bool dug = false;

  void work() {
    ::pthread_setname_np(::pthread_self(), "xpc-reaper");
    std::vector<base::fd> taken;
    for (;;) {
      {
        std::unique_lock hold(lock);
        filled.wait(hold, [this] { return !waiting.empty(); });
        taken.swap(waiting);
      }
      taken.clear();
    }
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
    if (!where.dug) where.dug = start(where);
    if (where.dug) {
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
