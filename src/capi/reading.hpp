#pragma once

#include "object/dictionary.hpp"
#include "object/error.hpp"
#include "object/item.hpp"

#include <xpc/openxpc/object.h>

#include <string_view>

namespace openxpc::capi {

/// The value of a key in a dictionary or error object; empty when there is none, or the handle is
/// something else or NULL.
object::item lookup(xpc_object_t handle, std::string_view key);
/// The element of an array; empty beyond the end, or when the handle is something else or NULL.
object::item lookup(xpc_object_t handle, std::size_t index);

/// A value without making an object.
openxpc_value_t to_value(const object::item& from);

/// Calls f(key, item) for each entry of a dictionary or error object until it returns false;
/// whether it never did.
template <class F>
bool each_entry(xpc_object_t handle, F f) {
  if (auto* in = object::as<object::dictionary>(handle)) {
    object::container::walk guard(*in);
    return in->each(f);
  }
  if (auto* in = object::as<object::error>(handle))
    return f(object::error_description_key, object::item(in->description));
  return true;
}

}  // namespace openxpc::capi
