#pragma once

#include "capi/handle.hpp"

namespace openxpc::capi {

/// Stores at an existing index, or appends at XPC_ARRAY_APPEND; any other index is misuse (rule
/// 41).
void array_put(xpc_object_t handle, std::size_t index, object::ref<object::object> value,
               const char* function);

/// Calls f(index, item) for each element until it returns false; whether it never did.
template <class F>
bool each_element(xpc_object_t handle, F f) {
  auto* in = object::as<object::array>(handle);
  if (!in) return true;
  object::container::walk guard(*in);
  return in->each(f);
}

}  // namespace openxpc::capi
