#include <string>
#include <utility>

#include "dispatch/attribute.hpp"
#include "dispatch/block_abi.hpp"
#include "dispatch/bug.hpp"
#include "dispatch/lane.hpp"
#include "dispatch/queue.hpp"
#include "dispatch/root.hpp"
#include "dispatch/watch.hpp"
#include "dispatch/work_block.hpp"

// <dispatch/queue.h>: check, unwrap, delegate. dispatch_after and dispatch_apply have files of
// their own.

using namespace openxpc::dispatch;

namespace {

void submit_block(queue& where, void* block, bool barrier) {
  bool alone = barrier || work_block::wants_barrier(block);
  where.push(*new work(block_abi::copy(block), block_abi::call_and_release, alone));
}
void sync_block(queue& where, void* block, bool barrier, const char* caller) {
  where.sync(block, block_abi::call, barrier || work_block::wants_barrier(block), caller);
}

}  // namespace

// ---- Which queue

dispatch_queue_global_t dispatch_get_global_queue(intptr_t identifier, uintptr_t flags) {
  if (flags & ~uintptr_t{2})
    return nullptr;  // 2 asks for a thread of its own, which the pool sees to anyway
  dispatch_qos_class_t qos = static_cast<dispatch_qos_class_t>(identifier);
  switch (identifier) {
    case DISPATCH_QUEUE_PRIORITY_HIGH:
      qos = QOS_CLASS_USER_INITIATED;
      break;
    case DISPATCH_QUEUE_PRIORITY_DEFAULT:
      qos = QOS_CLASS_DEFAULT;
      break;
    case DISPATCH_QUEUE_PRIORITY_LOW:
      qos = QOS_CLASS_UTILITY;
      break;
    case DISPATCH_QUEUE_PRIORITY_BACKGROUND:
      qos = QOS_CLASS_BACKGROUND;
      break;
    default:
      break;
  }
  return wrap<dispatch_queue_global_t>(global_queue(qos));
}

dispatch_queue_t dispatch_queue_create_with_target(const char* label,
                                                   dispatch_queue_attr_t attribute,
                                                   dispatch_queue_t target) {
  auto how = attribute_of(attribute, __func__);
  queue& to = target ? as<queue>(target, __func__) : *global_queue(how.qos);
  return wrap<dispatch_queue_t>(new lane(label ? label : "", how, to));
}

dispatch_queue_t dispatch_queue_create(const char* label, dispatch_queue_attr_t attribute) {
  return dispatch_queue_create_with_target(label, attribute, DISPATCH_TARGET_QUEUE_DEFAULT);
}

dispatch_workloop_t dispatch_workloop_create(const char* label) {
  return static_cast<dispatch_workloop_t>(dispatch_queue_create(label, DISPATCH_QUEUE_SERIAL));
}

dispatch_workloop_t dispatch_workloop_create_inactive(const char* label) {
  return static_cast<dispatch_workloop_t>(
      dispatch_queue_create(label, DISPATCH_QUEUE_SERIAL_INACTIVE));
}

void dispatch_workloop_set_autorelease_frequency(dispatch_workloop_t handle,
                                                 dispatch_autorelease_frequency_t) {
  auto* made = dynamic_cast<lane*>(&as<queue>(handle, __func__));
  if (!made || !made->is_inactive()) client_bug(__func__, "the workloop is active");
}

const char* dispatch_queue_get_label(dispatch_queue_t handle) {
  queue* at = handle ? &as<queue>(handle, __func__) : frame::current();
  return at ? at->label().c_str() : "";
}

dispatch_qos_class_t dispatch_queue_get_qos_class(dispatch_queue_t handle, int* relative_priority) {
  queue& at = as<queue>(handle, __func__);
  if (relative_priority) {
    auto* made = dynamic_cast<lane*>(&at);
    *relative_priority = made ? made->relative_priority() : 0;
  }
  return at.qos();
}

dispatch_queue_t dispatch_get_current_queue() {
  queue* at = frame::current();
  return at == &main_queue() ? dispatch_get_main_queue()
                             : wrap<dispatch_queue_t>(at ? at : &default_queue());
}

void dispatch_main() {
  if (on_main_thread()) catch_signals_again();
  run_main();
}

// ---- Submitting

void dispatch_async_f(dispatch_queue_t where, void* context, dispatch_function_t function) {
  as<queue>(where, __func__).async(context, function);
}
void dispatch_async(dispatch_queue_t where, dispatch_block_t block) {
  submit_block(as<queue>(where, __func__), block, false);
}
void dispatch_barrier_async_f(dispatch_queue_t where, void* context, dispatch_function_t function) {
  as<queue>(where, __func__).async(context, function, true);
}
void dispatch_barrier_async(dispatch_queue_t where, dispatch_block_t block) {
  submit_block(as<queue>(where, __func__), block, true);
}

void dispatch_sync_f(dispatch_queue_t where, void* context, dispatch_function_t function) {
  as<queue>(where, __func__).sync(context, function, false, __func__);
}
void dispatch_sync(dispatch_queue_t where, dispatch_block_t block) {
  sync_block(as<queue>(where, __func__), block, false, __func__);
}
void dispatch_barrier_sync_f(dispatch_queue_t where, void* context, dispatch_function_t function) {
  as<queue>(where, __func__).sync(context, function, true, __func__);
}
void dispatch_barrier_sync(dispatch_queue_t where, dispatch_block_t block) {
  sync_block(as<queue>(where, __func__), block, true, __func__);
}
void dispatch_async_and_wait_f(dispatch_queue_t where, void* context,
                               dispatch_function_t function) {
  as<queue>(where, __func__).sync(context, function, false, __func__);
}
void dispatch_async_and_wait(dispatch_queue_t where, dispatch_block_t block) {
  sync_block(as<queue>(where, __func__), block, false, __func__);
}
void dispatch_barrier_async_and_wait_f(dispatch_queue_t where, void* context,
                                       dispatch_function_t function) {
  as<queue>(where, __func__).sync(context, function, true, __func__);
}
void dispatch_barrier_async_and_wait(dispatch_queue_t where, dispatch_block_t block) {
  sync_block(as<queue>(where, __func__), block, true, __func__);
}

// ---- Where am I

void dispatch_queue_set_specific(dispatch_queue_t where, const void* key, void* context,
                                 dispatch_function_t destructor) {
  if (!key) return;
  // Values of a global queue would be seen by everybody.
  queue& at = as<queue>(where, __func__);
  if (at.target()) at.set_specific(key, context, destructor);
}

void* dispatch_queue_get_specific(dispatch_queue_t where, const void* key) {
  return key ? as<queue>(where, __func__).specific(key) : nullptr;
}

void* dispatch_get_specific(const void* key) {
  if (!key) return nullptr;
  for (queue* at = frame::current(); at; at = at->target())
    if (void* value = at->specific(key)) return value;
  return nullptr;
}

void dispatch_assert_queue(dispatch_queue_t where) {
  if (!frame::holds(as<queue>(where, __func__))) client_bug(__func__, "not on the expected queue");
}
void dispatch_assert_queue_barrier(dispatch_queue_t where) {
  if (!frame::holds_alone(as<queue>(where, __func__)))
    client_bug(__func__, "not on the expected queue, or not alone there");
}
void dispatch_assert_queue_not(dispatch_queue_t where) {
  if (frame::holds(as<queue>(where, __func__)))
    client_bug(__func__, "on the queue that was excluded");
}
