// Arrays: making, storing and walking. The typed getters and setters are in array_typed.cpp.
#include "object/array.hpp"

#include "base/misuse.hpp"
#include "capi/array_place.hpp"
#include "capi/block.hpp"
#include "capi/reading.hpp"

#include <xpc/xpc.h>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;

void capi::array_put(xpc_object_t handle, std::size_t index, object::ref<object::object> value,
                     const char* function) {
  auto& in = array_to_change(handle, function);
  if (index == XPC_ARRAY_APPEND) return in.append(std::move(value));
  if (index >= in.count())
    base::misuse(function, "index %zu is beyond the end of an array of %zu", index, in.count());
  in.set(index, std::move(value));
}

xpc_object_t xpc_array_create(const xpc_object_t* objects, size_t count) {
  if (count) capi::need_pointer(objects, "the list of objects", __func__);
  auto made = object::array::create();
  made->reserve(count);
  for (size_t i = 0; i < count; ++i) {
    capi::need(objects[i], __func__);
    made->append(capi::share(objects[i]));
  }
  return capi::give(std::move(made));
}

xpc_object_t xpc_array_create_empty(void) { return capi::give(object::array::create()); }

void xpc_array_set_value(xpc_object_t xarray, size_t index, xpc_object_t value) {
  capi::need(value, __func__);
  capi::array_put(xarray, index, capi::share(value), __func__);
}

void xpc_array_append_value(xpc_object_t xarray, xpc_object_t value) {
  capi::need(value, __func__);
  capi::array_put(xarray, XPC_ARRAY_APPEND, capi::share(value), __func__);
}

size_t xpc_array_get_count(xpc_object_t xarray) {
  auto* in = object::as<object::array>(xarray);
  return in ? in->count() : 0;
}

xpc_object_t xpc_array_get_value(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found ? found.as_object() : nullptr;
}

bool xpc_array_apply(xpc_object_t xarray, xpc_array_applier_t applier) {
  capi::need_pointer(applier, "the block", __func__);
  return capi::each_element(xarray, [&](std::size_t index, const object::item& value) {
    return capi::call_block<bool, size_t, xpc_object_t>(applier, index, value.as_object());
  });
}

void xpc_array_apply_f(xpc_object_t xarray, void* context, xpc_array_applier_f applier) {
  capi::need_pointer(reinterpret_cast<const void*>(applier), "the function", __func__);
  capi::each_element(xarray, [&](std::size_t index, const object::item& value) {
    applier(index, value.as_object(), context);
    return true;
  });
}

xpc_object_t xpc_array_get_dictionary(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found.is(OPENXPC_TYPE_DICTIONARY) ? found.as_object() : nullptr;
}

xpc_object_t xpc_array_get_array(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found.is(OPENXPC_TYPE_ARRAY) ? found.as_object() : nullptr;
}
