#include "dispatch/work_block.hpp"

#include <atomic>

#include "dispatch/attribute.hpp"
#include "dispatch/block_abi.hpp"
#include "dispatch/bug.hpp"
#include "dispatch/group.hpp"
#include "dispatch/moment.hpp"

// A work item is a block made here around the program's. A group of its own holds the waiters until
// the first run is over.

namespace openxpc::dispatch {
namespace {

struct state {
  state(dispatch_block_flags_t f, void* block) : flags(f), inner(block_abi::copy(block)) {
    first_run->enter();
  }
  ~state() {
    block_abi::release(inner);
    finish();  // nobody is left who could run it
  }
  void finish() {
    if (!finished.exchange(true)) first_run->leave("dispatch_block");
  }
  const dispatch_block_flags_t flags;
  void* const inner;
  std::atomic<bool> canceled{false}, finished{false};
  held<group> first_run = held<group>::adopt(new group);
};

void run(void* self) {
  auto& mine = *static_cast<state*>(self);
  if (!mine.canceled.load(std::memory_order_acquire)) block_abi::call(mine.inner);
  mine.finish();
}
void drop(void* self) { delete static_cast<state*>(self); }

state& state_of(void* block, const char* caller) {
  auto* at = static_cast<state*>(block_abi::state_of(block, run));
  if (!at) client_bug(caller, "the block was not made by dispatch_block_create()");
  return *at;
}

}  // namespace

bool work_block::wants_barrier(void* block) noexcept {
  auto* at = static_cast<state*>(block_abi::state_of(block, run));
  return at && (at->flags & DISPATCH_BLOCK_BARRIER);
}

}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

dispatch_block_t dispatch_block_create(dispatch_block_flags_t flags, dispatch_block_t block) {
  constexpr dispatch_block_flags_t known =
      DISPATCH_BLOCK_BARRIER | DISPATCH_BLOCK_DETACHED | DISPATCH_BLOCK_ASSIGN_CURRENT |
      DISPATCH_BLOCK_NO_QOS_CLASS | DISPATCH_BLOCK_INHERIT_QOS_CLASS |
      DISPATCH_BLOCK_ENFORCE_QOS_CLASS;
  if (flags & ~known) return nullptr;
  return block_abi::make(new state(flags, block), run, drop);
}

dispatch_block_t dispatch_block_create_with_qos_class(dispatch_block_flags_t flags,
                                                      dispatch_qos_class_t qos_class,
                                                      int relative_priority,
                                                      dispatch_block_t block) {
  if (!is_qos(qos_class) || relative_priority > 0 || relative_priority < QOS_MIN_RELATIVE_PRIORITY)
    return nullptr;
  return dispatch_block_create(flags, block);
}

void dispatch_block_perform(dispatch_block_flags_t, dispatch_block_t block) {
  block_abi::call(block);
}

intptr_t dispatch_block_wait(dispatch_block_t block, dispatch_time_t timeout) {
  held<group> first_run = state_of(block, __func__).first_run;
  return first_run->wait(deadline_of(timeout)) ? 0 : -1;
}

void dispatch_block_notify(dispatch_block_t block, dispatch_queue_t where,
                           dispatch_block_t notification) {
  auto& mine = state_of(block, __func__);
  mine.first_run->notify(as<queue>(where, __func__),
                         *new work(block_abi::copy(notification), block_abi::call_and_release,
                                   work_block::wants_barrier(notification)));
}

void dispatch_block_cancel(dispatch_block_t block) {
  state_of(block, __func__).canceled.store(true, std::memory_order_release);
}

intptr_t dispatch_block_testcancel(dispatch_block_t block) {
  return state_of(block, __func__).canceled.load(std::memory_order_acquire) ? 1 : 0;
}
