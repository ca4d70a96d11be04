#pragma once

#include "object/array.hpp"
#include "object/dictionary.hpp"
#include "object/object.hpp"

#include <string_view>

namespace openxpc::capi {

/// The object behind a handle. NULL and memory that is no object: misuse, in the name of
/// `function`.
object::object& need(xpc_object_t handle, const char* function);

[[noreturn]] void wrong_type(const char* function, const char* wanted, const object::object& got);

/// The object behind a handle as a T; another type is misuse (threat T39: checked in every build).
template <class T>
T& need_as(xpc_object_t handle, const char* function) {
  object::object& any = need(handle, function);
  if (any.what() != T::its_kind) wrong_type(function, object::name_of(T::its_kind), any);
  return static_cast<T&>(any);
}

/// The dictionary or array behind a handle, to be changed; misuse while something walks through it
/// (rule 38).
object::dictionary& dictionary_to_change(xpc_object_t handle, const char* function);
object::array& array_to_change(xpc_object_t handle, const char* function);

/// The bytes of a key. NULL, a NUL inside and absurd length are misuse.
std::string_view need_key(const char* key, const char* function);
std::string_view need_key(const char* key, std::size_t length, const char* function);

/// Anything else that must not be NULL.
void need_pointer(const void* argument, const char* name, const char* function);

inline object::ref<object::object> share(xpc_object_t handle) noexcept {
  return object::ref<object::object>::share(static_cast<object::object*>(handle));
}
/// Hands a reference to the caller of the C function.
template <class T>
xpc_object_t give(object::ref<T> owned) noexcept {
  return static_cast<object::object*>(owned.release());
}

}  // namespace openxpc::capi
