#pragma once

#include "capi/handle.hpp"

namespace openxpc::capi {

/// A box with a duplicate of a descriptor, for the setters; misuse if it is not open, null if the
/// process has no descriptor left.
object::ref<object::object> boxed_copy_of(int borrowed_fd, const char* function);
/// An endpoint of a connection, for the setters; misuse for what is no connection or does not
/// listen.
object::ref<object::object> endpoint_of(xpc_connection_t connection, const char* function);
/// A new connection to what stands there; null if that is no endpoint.
xpc_connection_t connection_to(const object::item& found);
/// Copies of what C passes as pointers; NULL with a length is misuse, and so is having no memory
/// for the bytes.
object::ref<object::object> data_of(const void* bytes, std::size_t length, const char* function);
object::ref<object::object> string_of(const char* text, const char* function);
object::ref<object::object> uuid_of(const unsigned char* bytes, const char* function);

}  // namespace openxpc::capi
