#include "capi/hooks.hpp"

#include "base/misuse.hpp"
#include "capi/handle.hpp"
#include "connection/endpoint_dialer.hpp"
#include "connection/handle.hpp"
#include "connection/listener.hpp"

#include <xpc/xpc.h>

// Endpoints: the object layer stores and sends them, the connection layer knows what they mean.
namespace openxpc::capi {

base::ref<object::endpoint> make_endpoint(object::object& connection, const char* function) {
  if (connection.what() != OPENXPC_TYPE_CONNECTION) wrong_type(function, "connection", connection);
  auto& which = static_cast<connection::handle&>(connection);
  if (!which.listens()) base::misuse(function, "only listeners have endpoints (rule 128)");
  auto made = static_cast<connection::listener_object&>(which).behind().make_endpoint();
  if (!made) base::misuse(function, "no socket or descriptor is left for the listener's endpoint");
  return made;
}

base::ref<object::object> make_connection(object::endpoint& to) {
  auto* handle = static_cast<void*>(static_cast<object::object*>(&to));
  return base::ref<object::object>::adopt(static_cast<object::object*>(static_cast<void*>(
      xpc_connection_create_from_endpoint(static_cast<xpc_endpoint_t>(handle)))));
}

}  // namespace openxpc::capi
