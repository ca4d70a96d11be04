// A queue and an eventfd. The descriptor is readable exactly while there is work or a stop, so a
// program can wait for it in a loop of its own; one thread at a time takes the whole queue and runs
// it.

#include "base/fd.hpp"
#include "base/misuse.hpp"
#include "base/ref.hpp"
#include "engine/blocking.hpp"

#include <xpc/openxpc/runtime.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <vector>

namespace base = openxpc::base;

namespace {

struct job {
  void* work;
  void (*run)(void*);
};

thread_local openxpc_loop_t running_here = nullptr;

}  // namespace

struct openxpc_loop_s : base::counted {
  openxpc_loop_s() : wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake) base::misuse("openxpc_loop_create", "no descriptor is left for a loop");
  }

  void ring() noexcept {
    std::uint64_t one = 1;
    [[maybe_unused]] auto written = ::write(wake.get(), &one, sizeof one);
  }
  void hush() noexcept {
    std::uint64_t count;
    [[maybe_unused]] auto read = ::read(wake.get(), &count, sizeof count);
  }

  /// Runs what is there; how much it was.
  std::size_t run_all(const char* function) {
    std::vector<job> now;
    {
      std::scoped_lock lock(mutex);
      if (busy && running_here != this)
        base::misuse(function, "another thread runs this loop already");
      if (jobs.empty()) return 0;
      now.swap(jobs);
      hush();
      if (stopping.load(std::memory_order_acquire)) ring();
    }
    // A job may turn the loop again (a nested run): the busy flag and the mark go back to what they
    // were.
    bool was_busy = std::exchange(busy, true);
    openxpc_loop_t outer = std::exchange(running_here, this);
    for (const job& each : now) each.run(each.work);
    running_here = outer;
    busy = was_busy;
    return now.size();
  }

  base::fd wake;
  std::atomic<bool> stopping{false};
  bool busy = false;
  std::mutex mutex;
  std::vector<job> jobs;
  bool closed = false;
};

openxpc_loop_t openxpc_loop_create() { return new openxpc_loop_s; }
openxpc_loop_t openxpc_loop_retain(openxpc_loop_t loop) {
  loop->retain();
  return loop;
}
void openxpc_loop_release(openxpc_loop_t loop) { loop->release(); }

bool openxpc_loop_post(openxpc_loop_t loop, void* work, void (*run)(void*)) {
  // Rung under the lock: afterwards the loop may be gone, since the work may have let go of it.
  std::scoped_lock lock(loop->mutex);
  if (loop->closed) return false;
  loop->jobs.push_back({work, run});
  if (loop->jobs.size() == 1) loop->ring();
  return true;
}

bool openxpc_loop_run_some(openxpc_loop_t loop) {
  auto held = base::ref<openxpc_loop_s>::share(loop);
  for (;;) {
    if (loop->stopping.exchange(false, std::memory_order_acq_rel)) {
      std::scoped_lock lock(loop->mutex);
      if (loop->jobs.empty()) loop->hush();
      return false;
    }
    if (loop->run_all("openxpc_loop_run_some") > 0) return true;
    openxpc::engine::blocking_region sleeping;
    pollfd one{loop->wake.get(), POLLIN, 0};
    ::poll(&one, 1, -1);
  }
}

std::size_t openxpc_loop_poll(openxpc_loop_t loop) {
  auto held = base::ref<openxpc_loop_s>::share(loop);
  return loop->run_all("openxpc_loop_poll");
}

void openxpc_loop_stop(openxpc_loop_t loop) {
  loop->stopping.store(true, std::memory_order_release);
  loop->ring();
}

int openxpc_loop_get_borrowed_fd(openxpc_loop_t loop) { return loop->wake.get(); }

bool openxpc_loop_is_current(openxpc_loop_t loop) { return running_here == loop; }

void openxpc_loop_close(openxpc_loop_t loop) {
  auto held = base::ref<openxpc_loop_s>::share(loop);
  while (loop->run_all("openxpc_loop_close") > 0) {
  }
  std::vector<job> last;
  {
    std::scoped_lock lock(loop->mutex);
    loop->closed = true;
    last.swap(loop->jobs);
  }
  for (const job& each : last) each.run(each.work);
}
