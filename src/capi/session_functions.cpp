// The function-pointer twins of the session API, and sessions with what stands behind an endpoint.
#include "base/misuse.hpp"
#include "capi/connection.hpp"
#include "capi/executors.hpp"
#include "capi/session.hpp"
#include "connection/endpoint_dialer.hpp"

#include <xpc/openxpc/session.h>
#include <xpc/private.h>

namespace openxpc::capi {
namespace {

using connection::conversation;
using connection::error_ref;
using connection::peer_object;

session_handlers& handlers_of_inactive(xpc_session_t handle, const char* function) {
  peer_object& session = need_session(handle, function);
  if (session.behind().active()) base::misuse(function, "the session is active already");
  return handlers_of_session(session);
}

xpc_rich_error_t lend(const error_ref& lent) {
  return static_cast<xpc_rich_error_t>(
      static_cast<void*>(static_cast<object::object*>(lent.get())));
}

}  // namespace
}  // namespace openxpc::capi

using namespace openxpc;
using namespace openxpc::capi;

void openxpc_session_set_incoming_message_handler_f(xpc_session_t session, void* context,
                                                    void (*handler)(xpc_object_t, void*)) {
  need_pointer(reinterpret_cast<void*>(handler), "the handler", __func__);
  handlers_of_inactive(session, __func__).set_message([context, handler](xpc_object_t message) {
    handler(message, context);
  });
}

void openxpc_session_set_cancel_handler_f(xpc_session_t session, void* context,
                                          void (*handler)(xpc_rich_error_t, void*)) {
  need_pointer(reinterpret_cast<void*>(handler), "the handler", __func__);
  handlers_of_inactive(session, __func__).set_canceled([context, handler](xpc_rich_error_t error) {
    handler(error, context);
  });
}

void openxpc_session_send_message_with_reply_async_f(xpc_session_t session, xpc_object_t message,
                                                     void* context,
                                                     void (*handler)(xpc_object_t, xpc_rich_error_t,
                                                                     void*)) {
  peer_object& to = need_session(session, __func__);
  need_pointer(reinterpret_cast<void*>(handler), "the handler", __func__);
  if (!to.behind().active() && !to.behind().ended())
    base::misuse(__func__, "the session is not active");
  to.behind()
      .request(need_message(message, __func__), base::never)
      ->then(
          [kept = base::ref<peer_object>::share(&to), context, handler](
              base::ref<object::dictionary> reply, error_ref error) {
            handler(static_cast<object::object*>(reply.get()), reply ? nullptr : lend(error),
                    context);
          },
          to.behind().where());
}

xpc_session_t xpc_session_create_xpc_endpoint(xpc_endpoint_t endpoint,
                                              dispatch_queue_t target_queue,
                                              xpc_session_create_flags_t flags,
                                              xpc_rich_error_t* error_out) {
  auto& to = need_as<object::endpoint>(endpoint, __func__);
  conversation::options how;
  how.limits = apple_limits();
  how.full = channel::when_full::cut_off;
  how.from_endpoint = true;
  how.way = base::make_ref<connection::endpoint_dialer>(base::ref<object::endpoint>::share(&to));
  auto made = peer_object::make(OPENXPC_TYPE_SESSION, {}, conversation::make(std::move(how)));
  made->require_cancel();
  made->behind().set_executor(executor_of(target_queue, __func__));
  handlers_of_session(*made);
  if (!(flags & XPC_SESSION_CREATE_INACTIVE)) {
    made->behind().activate();
    if (error_ref why = made->behind().ending()) {
      say(error_out, std::move(why));
      return nullptr;
    }
  }
  return static_cast<xpc_session_t>(
      static_cast<void*>(static_cast<object::object*>(made.release())));
}
