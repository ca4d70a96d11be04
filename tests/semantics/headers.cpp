// Rules 318 and 320 in C++: object to connection needs a cast, connection to object does not. It
// only has to compile.
#include <xpc/xpc.h>

#include <type_traits>

static_assert(std::is_convertible_v<xpc_connection_t, xpc_object_t>);
static_assert(std::is_convertible_v<xpc_endpoint_t, xpc_object_t>);
static_assert(!std::is_convertible_v<xpc_object_t, xpc_connection_t>);
static_assert(!std::is_convertible_v<xpc_connection_t, xpc_endpoint_t>);

static int listen(const char* name) { return name != nullptr; }

int main() {
  xpc_object_t object = xpc_null_create();
  auto connection = xpc_connection_t(xpc_retain(object));
  bool invalid =
      object == XPC_ERROR_CONNECTION_INVALID || connection == XPC_ERROR_CONNECTION_INVALID;
  xpc_object_t again = connection;
  return listen("x") + (invalid && again == object);
}
