// The functions of <xpc/private.h> on connections, messages and sessions.
#include "base/misuse.hpp"
#include "capi/connection.hpp"

#include <xpc/private.h>

using namespace openxpc;
using namespace openxpc::capi;
using connection::message_context;

xpc_connection_t xpc_connection_create_listener(const char* name, dispatch_queue_t targetq) {
  need_pointer(name, "name", __func__);
  return xpc_connection_create_mach_service(name, targetq, XPC_CONNECTION_MACH_SERVICE_LISTENER);
}

void xpc_connection_send_notification(xpc_connection_t handle, xpc_object_t message) {
  need_peer_connection(handle, __func__);
  need_message(message, __func__);
  xpc_connection_send_message(handle, message);
}

bool xpc_dictionary_expects_reply(xpc_object_t message) {
  auto* received = object::as<object::dictionary>(message);
  auto* context = received ? static_cast<message_context*>(received->context()) : nullptr;
  return context && context->what() == message_context::kind::received && context->has_right();
}

void xpc_dictionary_send_reply(xpc_object_t reply) {
  if (!send_if_reply(need_message(reply, __func__), __func__))
    base::misuse(__func__, "the dictionary was not made by xpc_dictionary_create_reply()");
}

xpc_connection_t xpc_dictionary_get_connection(xpc_object_t dictionary) {
  return xpc_dictionary_get_remote_connection(dictionary);
}
