#include "dispatch/object.hpp"

#include "dispatch/attribute.hpp"
#include "dispatch/bug.hpp"
#include "dispatch/data.hpp"
#include "dispatch/queue.hpp"
#include "dispatch/root.hpp"

namespace openxpc::dispatch {

void object::retain() noexcept {
  if (counted_) inner_.fetch_add(1, std::memory_order_relaxed);
}

void object::release() noexcept {
  if (!counted_ || inner_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  dispatch_function_t finalizer = finalizer_.load(std::memory_order_acquire);
  void* context = context_.load(std::memory_order_acquire);
  held<queue> where;
  if (finalizer && context) where = held<queue>::adopt(finalizer_queue());
  delete this;
  if (where) where->async(context, finalizer);
}

void object::retain_for_program(const char* caller) noexcept {
  if (counted_ && outer_.fetch_add(1, std::memory_order_relaxed) == 0)
    client_bug(caller, "the object was released for the last time already");
}

void object::release_for_program(const char* caller) noexcept {
  if (!counted_) return;
  std::uint32_t before = outer_.fetch_sub(1, std::memory_order_acq_rel);
  if (before == 0) client_bug(caller, "one release too many");
  if (before != 1) return;
  abandoned(caller);
  release();
}

void object::suspend(const char*) {}
void object::resume(const char*) {}
void object::set_target(queue*, const char*) {}

queue* object::finalizer_queue() noexcept {
  queue& at = default_queue();
  at.retain();
  return &at;
}

object* unwrap(dispatch_object_t handle, const char* caller) noexcept {
  if (!handle) client_bug(caller, "the object is null");
  // The constants with an address of their own are mere names: a program that is not
  // position-independent may have copies.
  void* at = handle;
  if (at == static_cast<void*>(&_dispatch_main_q)) return &main_queue();
  if (at == static_cast<void*>(&_dispatch_data_empty)) return &empty_data();
  if (is_attribute(at)) return nullptr;
  return reinterpret_cast<object*>(handle);
}

void wrong_kind(const char* caller) noexcept {
  client_bug(caller, "the object is of another type");
}

}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

void dispatch_retain(dispatch_object_t object) {
  if (auto* at = unwrap(object, __func__)) at->retain_for_program(__func__);
}
void dispatch_release(dispatch_object_t object) {
  if (auto* at = unwrap(object, __func__)) at->release_for_program(__func__);
}
void* dispatch_get_context(dispatch_object_t object) {
  auto* at = unwrap(object, __func__);
  return at ? at->context() : nullptr;
}
void dispatch_set_context(dispatch_object_t object, void* context) {
  if (auto* at = unwrap(object, __func__)) at->set_context(context);
}
void dispatch_set_finalizer_f(dispatch_object_t object, dispatch_function_t finalizer) {
  if (auto* at = unwrap(object, __func__)) at->set_finalizer(finalizer);
}
void dispatch_activate(dispatch_object_t object) {
  if (auto* at = unwrap(object, __func__)) at->activate();
}
void dispatch_suspend(dispatch_object_t object) {
  if (auto* at = unwrap(object, __func__)) at->suspend(__func__);
}
void dispatch_resume(dispatch_object_t object) {
  if (auto* at = unwrap(object, __func__)) at->resume(__func__);
}
void dispatch_set_target_queue(dispatch_object_t object, dispatch_queue_t target) {
  auto* at = unwrap(object, __func__);
  if (at) at->set_target(target ? &as<queue>(target, __func__) : nullptr, __func__);
}
