// One wait that ends once. The engine's timer and a canceller race for one flag; whoever takes it
// calls. The flag outlives the handle, since the engine may be about to look at it.

#include "engine/timer.hpp"

#include "base/clock.hpp"
#include "base/ref.hpp"

#include <xpc/openxpc/runtime.h>

#include <atomic>

namespace base = openxpc::base;
namespace engine = openxpc::engine;

namespace {

struct wait : base::counted {
  wait(void* for_context, void (*call)(void*, bool)) : context(for_context), over(call) {}
  void end(bool canceled) {
    if (!ended.exchange(true, std::memory_order_acq_rel)) over(context, canceled);
  }
  std::atomic<bool> ended{false};
  void* context;
  void (*over)(void*, bool);
};

}  // namespace

struct openxpc_timer_s {
  base::ref<wait> waits;
  engine::timer clock;
};

openxpc_timer_t openxpc_timer_start(uint64_t delay_ns, void* context, void (*over)(void*, bool)) {
  auto waits = base::ref<wait>::adopt(new wait(context, over));
  auto* timer =
      new openxpc_timer_s{waits, engine::timer(engine::any_loop(), [waits] { waits->end(false); })};
  if (delay_ns < static_cast<std::uint64_t>(INT64_MAX))
    timer->clock.schedule(
        base::from_now(std::chrono::nanoseconds(static_cast<std::int64_t>(delay_ns))));
  return timer;
}

void openxpc_timer_cancel(openxpc_timer_t timer) {
  // The call may release the handle.
  auto waits = timer->waits;
  waits->end(true);
}

void openxpc_timer_release(openxpc_timer_t timer) {
  auto waits = timer->waits;
  delete timer;
  waits->end(true);
}
