#include "capi/stored.hpp"

#include "base/misuse.hpp"
#include "capi/hooks.hpp"
#include "object/data.hpp"
#include "object/scalar.hpp"
#include "object/string.hpp"

#include <cerrno>

namespace openxpc::capi {

object::ref<object::object> boxed_copy_of(int borrowed_fd, const char* function) {
  base::fd copy = base::fd::copy(borrowed_fd);
  if (copy)
    return base::make_ref<object::descriptor>(base::make_ref<object::shared_fd>(std::move(copy)));
  if (errno == EBADF) base::misuse(function, "descriptor %d is not open", borrowed_fd);
  return nullptr;
}

object::ref<object::object> endpoint_of(xpc_connection_t connection, const char* function) {
  return make_endpoint(need(connection, function), function);
}

xpc_connection_t connection_to(const object::item& found) {
  if (!found.is(OPENXPC_TYPE_ENDPOINT)) return nullptr;
  return static_cast<xpc_connection_t>(
      give(make_connection(*static_cast<object::endpoint*>(found.as_object()))));
}

object::ref<object::object> data_of(const void* bytes, std::size_t length, const char* function) {
  if (length) need_pointer(bytes, "the bytes", function);
  auto made = object::data::copy_of({static_cast<const std::byte*>(bytes), length});
  if (!made) base::misuse(function, "no memory for %zu bytes", length);
  return made;
}

object::ref<object::object> string_of(const char* text, const char* function) {
  need_pointer(text, "the string", function);
  return object::string::copy_of(text);
}

object::ref<object::object> uuid_of(const unsigned char* bytes, const char* function) {
  need_pointer(bytes, "the UUID", function);
  return base::make_ref<object::uuid>(
      std::span<const std::byte, 16>(reinterpret_cast<const std::byte*>(bytes), 16));
}

}  // namespace openxpc::capi
