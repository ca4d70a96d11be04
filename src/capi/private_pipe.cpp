// The pipes of <xpc/private.h>: connections to names without events.
#include "capi/connection.hpp"

#include <xpc/openxpc/connection.h>
#include <xpc/private.h>

#include <cerrno>

using namespace openxpc;
using namespace openxpc::capi;

namespace {

int number_of(const connection::error_ref& why) {
  switch (why->code()) {
    case OPENXPC_ERROR_NOT_FOUND:
    case OPENXPC_ERROR_NO_DOMAIN:
      return ENOENT;
    case OPENXPC_ERROR_DENIED:
    case OPENXPC_ERROR_REFUSED:
    case OPENXPC_ERROR_PEER_REFUSED:
      return EACCES;
    case OPENXPC_ERROR_INTERRUPTED:
    case OPENXPC_ERROR_NO_REPLY:
      return EPIPE;
    case OPENXPC_ERROR_CANCELED:
      return ECANCELED;
    case OPENXPC_ERROR_INVALID_ARGUMENT:
      return EINVAL;
    default:
      return EIO;
  }
}

connection::conversation& behind(xpc_pipe_t pipe, const char* function) {
  return need_peer_connection(static_cast<xpc_connection_t>(pipe), function).behind();
}

int ask(xpc_pipe_t pipe, xpc_object_t request, xpc_object_t* reply_out, const char* function) {
  need_pointer(reply_out, "reply_out", function);
  connection::conversation& to = behind(pipe, function);
  base::ref<object::dictionary> reply;
  connection::error_ref why = to.request(need_message(request, function), base::never)->wait(reply);
  if (!reply) return number_of(why);
  *reply_out = capi::give(std::move(reply));
  return 0;
}

}  // namespace

xpc_pipe_t xpc_pipe_create(const char* name, uint64_t flags) {
  need_pointer(name, "name", __func__);
  xpc_connection_t made = xpc_connection_create_mach_service(
      name, nullptr, flags & XPC_CONNECTION_MACH_SERVICE_PRIVILEGED);
  xpc_connection_set_event_handler_f(made, nullptr, [](xpc_object_t, void*) {});
  xpc_connection_activate(made);
  return made;
}

void xpc_pipe_invalidate(xpc_pipe_t pipe) {
  need_peer_connection(static_cast<xpc_connection_t>(pipe), __func__);
  xpc_connection_cancel(static_cast<xpc_connection_t>(pipe));
}

int xpc_pipe_routine(xpc_pipe_t pipe, xpc_object_t request, xpc_object_t* reply_out) {
  return ask(pipe, request, reply_out, __func__);
}

int xpc_pipe_routine_with_flags(xpc_pipe_t pipe, xpc_object_t request, xpc_object_t* reply_out,
                                uint64_t) {
  return ask(pipe, request, reply_out, __func__);
}

int xpc_pipe_simpleroutine(xpc_pipe_t pipe, xpc_object_t message) {
  connection::error_ref why = behind(pipe, __func__).send(need_message(message, __func__));
  return why ? number_of(why) : 0;
}

int xpc_pipe_routine_reply(xpc_object_t reply) {
  xpc_dictionary_send_reply(reply);
  return 0;
}
