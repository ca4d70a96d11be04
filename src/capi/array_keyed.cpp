// The functions of <xpc/openxpc/object.h> on arrays.
#include "base/misuse.hpp"
#include "capi/array_place.hpp"
#include "capi/reading.hpp"

#include <xpc/openxpc/object.h>

namespace capi = openxpc::capi;
namespace object = openxpc::object;

bool openxpc_array_read(xpc_object_t array, size_t index, openxpc_value_t* out) {
  capi::need_pointer(array, "the array", __func__);
  auto found = capi::lookup(array, index);
  if (!found) return false;
  *out = capi::to_value(found);
  return true;
}

void openxpc_array_put(xpc_object_t array, size_t index, xpc_object_t owned_value) {
  capi::array_put(array, index,
                  object::ref<object::object>::adopt(&capi::need(owned_value, __func__)), __func__);
}

xpc_object_t openxpc_array_take(xpc_object_t array, size_t index) {
  auto& in = capi::array_to_change(array, __func__);
  return index < in.count() ? capi::give(in.take(index)) : nullptr;
}

bool openxpc_array_remove(xpc_object_t array, size_t index) {
  auto& in = capi::array_to_change(array, __func__);
  if (index >= in.count()) return false;
  in.remove(index);
  return true;
}

bool openxpc_array_apply_f(xpc_object_t array, void* context, openxpc_array_applier_t applier) {
  capi::need_pointer(array, "the array", __func__);
  return capi::each_element(array, [&](std::size_t index, const object::item& value) {
    return applier(context, index, value.as_object());
  });
}

bool openxpc_array_read_each_f(xpc_object_t array, void* context, openxpc_array_reader_t reader) {
  capi::need_pointer(array, "the array", __func__);
  return capi::each_element(array, [&](std::size_t index, const object::item& value) {
    openxpc_value_t read = capi::to_value(value);
    return reader(context, index, &read);
  });
}
