#include "connection/listener.hpp"

#include "base/misuse.hpp"
#include "bootstrap/inherited.hpp"
#include "bootstrap/service_link.hpp"
#include "capi/block.hpp"
#include "capi/connection.hpp"
#include "capi/executors.hpp"
#include "capi/session.hpp"
#include "object/describe.hpp"

#include <xpc/openxpc/session.h>
#include <xpc/private.h>
#include <xpc/xpc.h>

#include <cerrno>
#include <cstring>

namespace openxpc::capi {
namespace {

using connection::error_ref;
using connection::listener;
using connection::listener_object;
using connection::peer_object;

/// The peer that the incoming-session handler of this thread is deciding about.
thread_local peer_object* deciding = nullptr;

using session_function = base::function<void(xpc_session_t)>;

/// Each new peer goes to the program's function, which must say what becomes of it before it
/// returns (rules 146, 147).
class incoming_sessions final : public listener::handlers {
 public:
  explicit incoming_sessions(session_function told) : told_(std::move(told)) {}
  void peer(const base::ref<peer_object>& who) override {
    deciding = who.get();
    told_(static_cast<xpc_session_t>(static_cast<void*>(static_cast<object::object*>(who.get()))));
    deciding = nullptr;
    // A client that has gone meanwhile is accepted: what it said before is still to be handled.
    if (who->behind().is_cancelled()) return;
    if (!handlers_of_session(*who).has_message())
      base::misuse("xpc_listener_create",
                   "the incoming-session handler returned without a message handler, rejection or "
                   "cancellation of the peer");
    if (!who->behind().active()) who->behind().activate();
  }
  void ended(const error_ref&) override {}

 private:
  const session_function told_;
};

listener_object& need_listener(xpc_listener_t handle, const char* function) {
  object::object& any = need(handle, function);
  if (any.what() != OPENXPC_TYPE_LISTENER) wrong_type(function, "listener", any);
  return static_cast<listener_object&>(any);
}

bool activate(listener_object& which, xpc_rich_error_t* error_out) {
  if (!which.name().empty()) bootstrap::expect_named_listener();
  which.behind().activate();
  error_ref why = which.behind().ending();
  if (!why) {
    if (!which.name().empty())
      bootstrap::add_named_listener(base::ref<listener>::share(&which.behind()));
    return true;
  }
  say(error_out, std::move(why));
  return false;
}

xpc_listener_t open(base::ref<listener_object> made, dispatch_queue_t target_queue,
                    xpc_listener_create_flags_t flags, session_function told,
                    xpc_rich_error_t* error_out, const char* function) {
  made->behind().set_executor(executor_of(target_queue, function));
  made->behind().set_handlers(base::make_ref<incoming_sessions>(std::move(told)));
  if (!(flags & XPC_LISTENER_CREATE_INACTIVE) && !activate(*made, error_out)) return nullptr;
  return static_cast<xpc_listener_t>(
      static_cast<void*>(static_cast<object::object*>(made.release())));
}

base::ref<listener_object> make_listener(const char* name) {
  listener::options how;
  how.limits = apple_limits();
  how.full = channel::when_full::cut_off;
  how.peers = OPENXPC_TYPE_SESSION;
  return listener_object::make(OPENXPC_TYPE_LISTENER, name, listener::make(std::move(how)));
}

/// A listener on a name that this process may listen on; null with *error_out set.
xpc_listener_t open_named(const char* service, dispatch_queue_t target_queue,
                          xpc_listener_create_flags_t flags, session_function told,
                          xpc_rich_error_t* error_out, const char* function) {
  need_pointer(service, "service", function);
  base::fd socket = bootstrap::inherited_listener(service);
  if (!socket) {
    say(error_out,
        connection::make_error(OPENXPC_ERROR_NOT_FOUND,
                               std::string("this process may not listen on ") + service,
                               "declare the name in MachServices of its job description"));
    return nullptr;
  }
  auto made = make_listener(service);
  made->behind().add_socket(std::move(socket));
  return open(std::move(made), target_queue, flags, std::move(told), error_out, function);
}

/// One that is reached by its endpoint only.
xpc_listener_t open_anonymous(dispatch_queue_t target_queue, xpc_listener_create_flags_t flags,
                              session_function told, xpc_rich_error_t* error_out,
                              const char* function) {
  auto made = make_listener("");
  // Bound now, so that its endpoint is the same before and after activation (rule 309).
  if (!made->behind().make_endpoint()) {
    say(error_out, connection::make_error(OPENXPC_ERROR_NO_RESOURCES,
                                          std::string("no socket for an anonymous listener: ") +
                                              std::strerror(errno)));
    made->behind().cancel(
        connection::make_error(OPENXPC_ERROR_CANCELED, "the listener was not made"));
    return nullptr;
  }
  return open(std::move(made), target_queue, flags, std::move(told), error_out, function);
}

session_function calling(void* context, void (*handler)(xpc_session_t, void*),
                         const char* function) {
  need_pointer(reinterpret_cast<void*>(handler), "the handler", function);
  return [context, handler](xpc_session_t peer) { handler(peer, context); };
}

}  // namespace
}  // namespace openxpc::capi

using namespace openxpc;
using namespace openxpc::capi;

char* xpc_listener_copy_description(xpc_listener_t handle) {
  return ::strdup(object::describe(need_listener(handle, __func__)).c_str());
}

xpc_listener_t xpc_listener_create(const char* service, dispatch_queue_t target_queue,
                                   xpc_listener_create_flags_t flags,
                                   xpc_listener_incoming_session_handler_t incoming_session_handler,
                                   xpc_rich_error_t* error_out) {
  need_pointer(incoming_session_handler, "incoming_session_handler", __func__);
  return open_named(service, target_queue, flags,
                    block<void(xpc_session_t)>(incoming_session_handler), error_out, __func__);
}

xpc_listener_t openxpc_listener_create_f(const char* service, dispatch_queue_t target_queue,
                                         xpc_listener_create_flags_t flags, void* context,
                                         void (*handler)(xpc_session_t, void*),
                                         xpc_rich_error_t* error_out) {
  return open_named(service, target_queue, flags, calling(context, handler, __func__), error_out,
                    __func__);
}

xpc_listener_t xpc_listener_create_anonymous(
    dispatch_queue_t target_queue, xpc_listener_create_flags_t flags,
    xpc_listener_incoming_session_handler_t incoming_session_handler, xpc_rich_error_t* error_out) {
  need_pointer(incoming_session_handler, "incoming_session_handler", __func__);
  return open_anonymous(target_queue, flags, block<void(xpc_session_t)>(incoming_session_handler),
                        error_out, __func__);
}

xpc_listener_t openxpc_listener_create_anonymous_f(dispatch_queue_t target_queue,
                                                   xpc_listener_create_flags_t flags, void* context,
                                                   void (*handler)(xpc_session_t, void*),
                                                   xpc_rich_error_t* error_out) {
  return open_anonymous(target_queue, flags, calling(context, handler, __func__), error_out,
                        __func__);
}

xpc_endpoint_t xpc_listener_create_endpoint(xpc_listener_t handle) {
  auto made = need_listener(handle, __func__).behind().make_endpoint();
  if (!made) base::misuse(__func__, "no socket or descriptor is left for the listener's endpoint");
  return static_cast<xpc_endpoint_t>(capi::give(std::move(made)));
}

bool xpc_listener_activate(xpc_listener_t handle, xpc_rich_error_t* error_out) {
  listener_object& which = need_listener(handle, __func__);
  if (which.behind().active()) base::misuse(__func__, "the listener is active already");
  return activate(which, error_out);
}

void xpc_listener_cancel(xpc_listener_t handle) {
  need_listener(handle, __func__)
      .behind()
      .cancel(connection::make_error(OPENXPC_ERROR_CANCELED, "the listener was cancelled"));
}

void xpc_listener_reject_peer(xpc_session_t handle, const char* reason) {
  peer_object& peer = need_session(handle, __func__);
  need_pointer(reason, "reason", __func__);
  if (deciding != &peer)
    base::misuse(__func__, "only the incoming-session handler can reject the peer it was given");
  peer.behind().refuse(connection::make_error(OPENXPC_ERROR_REFUSED, reason));
}
