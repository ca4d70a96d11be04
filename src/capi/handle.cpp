#include "capi/handle.hpp"

#include "base/misuse.hpp"
#include "object/key_text.hpp"

#include <cstring>

namespace openxpc::capi {

object::object& need(xpc_object_t handle, const char* function) {
  if (!handle) base::misuse(function, "the object is NULL");
  auto& any = *static_cast<object::object*>(handle);
  if (!any.alive())
    base::misuse(function, "%p is not an XPC object, or was released more often than retained",
                 static_cast<void*>(handle));
  return any;
}

void wrong_type(const char* function, const char* wanted, const object::object& got) {
  base::misuse(function, "expected an object of type %s, got %s", wanted,
               object::name_of(got.what()));
}

namespace {

template <class T>
T& to_change(xpc_object_t handle, const char* function) {
  T& in = need_as<T>(handle, function);
  if (in.is_walked())
    base::misuse(function, "the %s was changed while an apply function walks through it",
                 object::name_of(in.what()));
  return in;
}

}  // namespace

object::dictionary& dictionary_to_change(xpc_object_t handle, const char* function) {
  return to_change<object::dictionary>(handle, function);
}

object::array& array_to_change(xpc_object_t handle, const char* function) {
  return to_change<object::array>(handle, function);
}

std::string_view need_key(const char* key, const char* function) {
  if (!key) base::misuse(function, "the key is NULL");
  return need_key(key, std::strlen(key), function);
}

std::string_view need_key(const char* key, std::size_t length, const char* function) {
  if (!key) base::misuse(function, "the key is NULL");
  if (length > object::key_text::longest) base::misuse(function, "the key is too long");
  if (length && std::memchr(key, '\0', length)) base::misuse(function, "the key has a NUL inside");
  return {key, length};
}

void need_pointer(const void* argument, const char* name, const char* function) {
  if (!argument) base::misuse(function, "%s is NULL", name);
}

}  // namespace openxpc::capi
