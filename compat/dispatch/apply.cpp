#include "base/futex.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "dispatch/block_abi.hpp"
#include "dispatch/queue.hpp"
#include "dispatch/root.hpp"
#include "dispatch/sleep.hpp"

namespace openxpc::dispatch {
namespace {

using iteration_function = void (*)(void*, std::size_t);

/// Shared by the caller and its helpers; a helper that comes late finds nothing left and only drops
/// its reference.
struct job {
  job(std::size_t n, void* c, iteration_function f, unsigned parties)
      : count(n), context(c), function(f), users(parties) {}
  void work() {
    for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
      function(context, i);
      if (done.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
        finished.store(1, std::memory_order_release);
        base::futex_wake(finished);
      }
    }
  }
  void drop() {
    if (users.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  const std::size_t count;
  void* const context;
  const iteration_function function;
  std::atomic<std::size_t> next{0}, done{0};
  std::atomic<std::uint32_t> finished{0};
  std::atomic<unsigned> users;
};

void help(void* self) {
  auto* mine = static_cast<job*>(self);
  mine->work();
  mine->drop();
}

void apply(std::size_t count, queue* where, void* context, iteration_function function,
           const char* caller) {
  if (count == 0) return;
  queue& at = where ? *where : default_queue();
  bool in_turn = count == 1;
  for (queue* each = &at; each; each = each->target()) in_turn = in_turn || each->serial();
  unsigned helpers = in_turn ? 0
                             : static_cast<unsigned>(std::min<std::size_t>(
                                   count - 1, std::max(2u, std::thread::hardware_concurrency())));
  auto* shared = new job(count, context, function, helpers + 1);
  for (unsigned i = 0; i < helpers; ++i) at.async(shared, help);
  if (frame::holds(at))
    shared->work();
  else
    at.sync(shared, [](void* self) { static_cast<job*>(self)->work(); }, false, caller);
  sleep_while(shared->finished, 0);
  shared->drop();
}

}  // namespace
}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

void dispatch_apply_f(size_t iterations, dispatch_queue_t where, void* context,
                      void (*function)(void*, size_t)) {
  apply(iterations, where ? &as<queue>(where, __func__) : nullptr, context, function, __func__);
}

void dispatch_apply(size_t iterations, dispatch_queue_t where, dispatch_apply_block_t block) {
  apply(iterations, where ? &as<queue>(where, __func__) : nullptr, block, block_abi::call_with,
        __func__);
}
