// What works on any object: <xpc/xpc.h>, "Any object", and <xpc/debug.h>.
#include "base/misuse.hpp"
#include "capi/handle.hpp"
#include "object/describe.hpp"
#include "object/value.hpp"

#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

#include <cstdlib>
#include <cstring>

namespace capi = openxpc::capi;
namespace object = openxpc::object;

xpc_object_t xpc_retain(xpc_object_t handle) {
  if (!handle) openxpc::base::misuse(__func__, "the object is NULL");
  static_cast<object::object*>(handle)->retain();
  return handle;
}

void xpc_release(xpc_object_t handle) {
  if (!handle) openxpc::base::misuse(__func__, "the object is NULL");
  static_cast<object::object*>(handle)->release();
}

xpc_type_t xpc_get_type(xpc_object_t handle) {
  return handle ? object::type_of(static_cast<object::object*>(handle)->what()) : nullptr;
}

const char* xpc_type_get_name(xpc_type_t type) {
  capi::need_pointer(type, "the type", __func__);
  return type->name;
}

openxpc_type_t openxpc_type_id(xpc_object_t handle) {
  return handle ? static_cast<object::object*>(handle)->what() : OPENXPC_TYPE_NONE;
}

const char* openxpc_type_name(openxpc_type_t type) { return object::name_of(type); }

xpc_object_t xpc_copy(xpc_object_t handle) {
  return capi::give(object::copy(capi::need(handle, __func__)));
}

bool xpc_equal(xpc_object_t object1, xpc_object_t object2) {
  return object::equal(capi::need(object1, __func__), capi::need(object2, __func__));
}

size_t xpc_hash(xpc_object_t handle) { return object::hash(capi::need(handle, __func__)); }

char* xpc_copy_description(xpc_object_t handle) {
  return ::strdup(object::describe(capi::need(handle, __func__)).c_str());
}

xpc_object_t openxpc_object_unshare(xpc_object_t owned) {
  object::object& any = capi::need(owned, __func__);
  if (any.unique()) return owned;
  object::ref<object::object> copy;
  if (auto* in = object::as<object::dictionary>(&any))
    copy = in->shallow_copy();
  else if (auto* in_array = object::as<object::array>(&any))
    copy = in_array->shallow_copy();
  else
    return owned;
  any.release();
  return capi::give(std::move(copy));
}

const char* xpc_debugger_api_misuse_info(void) { return openxpc::base::misuse_text(); }
