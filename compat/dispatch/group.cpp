#include "dispatch/group.hpp"

#include "base/futex.hpp"

#include <utility>

#include "dispatch/block_abi.hpp"
#include "dispatch/bug.hpp"
#include "dispatch/moment.hpp"
#include "dispatch/sleep.hpp"
#include "dispatch/work_block.hpp"

namespace openxpc::dispatch {
namespace {

struct group_work final : item {
  group_work(group& g, void* c, dispatch_function_t f) noexcept
      : item(&group_work::go), of(&g), context(c), function(f) {}
  static void go(item* self) {
    auto* mine = static_cast<group_work*>(self);
    mine->function(mine->context);
    mine->of->leave("dispatch_group_async");
    delete mine;
  }
  const held<group> of;
  void* const context;
  const dispatch_function_t function;
};

}  // namespace

// A group with something inside holds a reference to itself, so that it may be released while work
// is under way.
void group::enter() noexcept {
  std::lock_guard guard(lock_);
  if (inside_++ == 0) retain();
}

void group::leave(const char* caller) {
  std::vector<notice> now;
  {
    std::lock_guard guard(lock_);
    if (inside_ == 0) client_bug(caller, "left more often than entered");
    if (--inside_ != 0) return;
    now.swap(notices_);
    emptied_.fetch_add(1, std::memory_order_release);
  }
  base::futex_wake(emptied_, INT32_MAX);
  for (auto& each : now) each.where->push(*each.what);
  release();
}

bool group::wait(base::instant deadline) noexcept {
  for (;;) {
    std::uint32_t seen;
    {
      std::lock_guard guard(lock_);
      if (inside_ == 0) return true;
      seen = emptied_.load(std::memory_order_relaxed);
    }
    if (!sleep_while_until(emptied_, seen, deadline)) return false;
    return true;  // it was empty once since, whatever entered again
  }
}

void group::notify(queue& where, item& one) {
  {
    std::lock_guard guard(lock_);
    if (inside_ != 0) {
      notices_.push_back({held<queue>(&where), &one});
      return;
    }
  }
  where.push(one);
}

void group::async(queue& where, void* context, dispatch_function_t function) {
  enter();
  where.push(*new group_work(*this, context, function));
}

}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

dispatch_group_t dispatch_group_create() { return wrap<dispatch_group_t>(new group); }

void dispatch_group_enter(dispatch_group_t handle) { as<group>(handle, __func__).enter(); }
void dispatch_group_leave(dispatch_group_t handle) { as<group>(handle, __func__).leave(__func__); }

intptr_t dispatch_group_wait(dispatch_group_t handle, dispatch_time_t timeout) {
  return as<group>(handle, __func__).wait(deadline_of(timeout)) ? 0 : -1;
}

void dispatch_group_async_f(dispatch_group_t handle, dispatch_queue_t where, void* context,
                            dispatch_function_t function) {
  as<group>(handle, __func__).async(as<queue>(where, __func__), context, function);
}

void dispatch_group_notify_f(dispatch_group_t handle, dispatch_queue_t where, void* context,
                             dispatch_function_t function) {
  as<group>(handle, __func__).notify(as<queue>(where, __func__), *new work(context, function));
}

void dispatch_group_async(dispatch_group_t handle, dispatch_queue_t where, dispatch_block_t block) {
  as<group>(handle, __func__)
      .async(as<queue>(where, __func__), block_abi::copy(block), block_abi::call_and_release);
}

void dispatch_group_notify(dispatch_group_t handle, dispatch_queue_t where,
                           dispatch_block_t block) {
  as<group>(handle, __func__)
      .notify(as<queue>(where, __func__),
              *new work(block_abi::copy(block), block_abi::call_and_release,
                        work_block::wants_barrier(block)));
}
