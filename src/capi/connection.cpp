#include "capi/connection.hpp"

#include "base/misuse.hpp"
#include "bootstrap/inherited.hpp"
#include "bootstrap/name_dialer.hpp"
#include "bootstrap/service_link.hpp"
#include "capi/block.hpp"
#include "capi/event_handler.hpp"
#include "capi/executors.hpp"
#include "connection/endpoint_dialer.hpp"

#include <xpc/openxpc/connection.h>
#include <xpc/xpc.h>

#include <unistd.h>

#include <cstring>

namespace openxpc::capi {

connection::handle& need_connection(xpc_connection_t handle, const char* function) {
  object::object& any = need(handle, function);
  if (any.what() != OPENXPC_TYPE_CONNECTION) wrong_type(function, "connection", any);
  return static_cast<connection::handle&>(any);
}

connection::peer_object& need_peer_connection(xpc_connection_t handle, const char* function) {
  connection::handle& any = need_connection(handle, function);
  if (any.listens()) base::misuse(function, "a listener is not a peer: it only yields them");
  return static_cast<connection::peer_object&>(any);
}

object::dictionary& need_message(xpc_object_t message, const char* function) {
  return need_as<object::dictionary>(message, function);
}

channel::settings apple_limits() {
  return {};  // 64 MiB unsent
}

bool send_if_reply(object::dictionary& message, const char* function) {
  using connection::message_context;
  auto* context = static_cast<message_context*>(message.context());
  if (!context || context->what() != message_context::kind::reply) return false;
  auto right = context->take_right();
  if (!right) base::misuse(function, "this reply has been sent already");
  right->reply(message);
  (void)context->take_transaction();  // it ends now (rule 170)
  return true;
}

namespace {

using connection::conversation;
using connection::listener;
using connection::listener_object;
using connection::peer_object;

xpc_connection_t give(base::ref<peer_object> owned) {
  return static_cast<xpc_connection_t>(
      static_cast<void*>(static_cast<object::object*>(owned.release())));
}
xpc_connection_t give(base::ref<listener_object> owned) {
  return static_cast<xpc_connection_t>(
      static_cast<void*>(static_cast<object::object*>(owned.release())));
}

base::ref<peer_object> make_client(std::string name, base::ref<connection::dialer> way,
                                   bool comes_back) {
  conversation::options how;
  how.comes_back = comes_back;
  how.from_endpoint = !comes_back;
  how.limits = apple_limits();
  how.full = channel::when_full::cut_off;
  how.way = std::move(way);
  return peer_object::make(OPENXPC_TYPE_CONNECTION, std::move(name),
                           conversation::make(std::move(how)));
}

base::ref<listener_object> make_listener(std::string name) {
  listener::options how;
  how.limits = apple_limits();
  how.full = channel::when_full::cut_off;
  return listener_object::make(OPENXPC_TYPE_CONNECTION, std::move(name),
                               listener::make(std::move(how)));
}

bootstrap::domain_choice domain_of(uint64_t flags) {
  bootstrap::domain_choice where;
  if (flags & XPC_CONNECTION_MACH_SERVICE_PRIVILEGED)
    where.which = bootstrap::domain_choice::kind::system;
  return where;
}

bool has_handler(const connection::handle& which) noexcept { return which.extra() != nullptr; }

/// Its presence on a handle says that an event handler was set (rule 50).
struct handler_mark final : base::counted {};

void set_handler(connection::handle& which, event_function told) {
  if (which.listens()) {
    static_cast<listener_object&>(which).behind().set_handlers(
        listener_handlers_of(std::move(told)));
  } else {
    auto& peer = static_cast<peer_object&>(which);
    peer.behind().set_handlers(handlers_of(std::move(told), peer.behind().is_from_endpoint()));
  }
  if (!which.extra()) which.set_extra(base::make_ref<handler_mark>());
}

void activate(connection::handle& which, const char* function) {
  if (which.listens()) {
    auto& behind = static_cast<listener_object&>(which).behind();
    if (behind.active()) return;
    if (!has_handler(which) && !behind.over())
      base::misuse(function, "activation of a listener without an event handler");
    if (!which.name().empty()) bootstrap::expect_named_listener();
    behind.activate();
    if (!which.name().empty() && !behind.over())
      bootstrap::add_named_listener(base::ref<listener>::share(&behind));
  } else {
    auto& behind = static_cast<peer_object&>(which).behind();
    if (behind.active()) return;
    if (!has_handler(which) && !behind.ended())
      base::misuse(function, "activation of a connection without an event handler");
    behind.activate();
  }
}

}  // namespace
}  // namespace openxpc::capi

using namespace openxpc;
using namespace openxpc::capi;

xpc_connection_t xpc_connection_create(const char* name, dispatch_queue_t targetq) {
  auto where = executor_of(targetq, __func__);
  if (!name) {
    auto made = make_listener({});
    // Bound now, so that its endpoint is the same before and after activation (rule 309).
    if (!made->behind().make_endpoint())
      made->behind().set_failure(connection::make_error(
          OPENXPC_ERROR_NO_RESOURCES,
          std::string("no socket for an anonymous listener: ") + std::strerror(errno)));
    made->behind().set_executor(std::move(where));
    return give(std::move(made));
  }
  bootstrap::domain_choice where_from;
  where_from.own_services_first = true;
  auto made =
      make_client(name, base::make_ref<bootstrap::name_dialer>(name, std::move(where_from)), true);
  made->behind().set_executor(std::move(where));
  return give(std::move(made));
}

xpc_connection_t xpc_connection_create_mach_service(const char* name, dispatch_queue_t targetq,
                                                    uint64_t flags) {
  need_pointer(name, "name", __func__);
  auto where = executor_of(targetq, __func__);
  if (flags & XPC_CONNECTION_MACH_SERVICE_LISTENER) {
    auto made = make_listener(name);
    if (base::fd socket = bootstrap::inherited_listener(name)) {
      made->behind().add_socket(std::move(socket));
    } else {
      made->behind().set_failure(connection::make_error(
          OPENXPC_ERROR_NOT_FOUND, std::string("this process may not listen on ") + name,
          "declare the name in MachServices of its job description"));
    }
    made->behind().set_executor(std::move(where));
    return give(std::move(made));
  }
  auto made =
      make_client(name, base::make_ref<bootstrap::name_dialer>(name, domain_of(flags)), true);
  made->behind().set_executor(std::move(where));
  return give(std::move(made));
}

xpc_connection_t xpc_connection_create_from_endpoint(xpc_endpoint_t endpoint) {
  auto& to = need_as<object::endpoint>(endpoint, __func__);
  return give(make_client(
      {}, base::make_ref<connection::endpoint_dialer>(base::ref<object::endpoint>::share(&to)),
      false));
}

void xpc_connection_set_target_queue(xpc_connection_t handle, dispatch_queue_t targetq) {
  connection::handle& which = need_connection(handle, __func__);
  if (which.listens()) {
    auto& behind = static_cast<listener_object&>(which).behind();
    if (behind.active())
      base::misuse(__func__, "the target queue can be set before activation only");
    behind.set_executor(executor_of(targetq, __func__));
  } else {
    auto& behind = static_cast<peer_object&>(which).behind();
    if (behind.active())
      base::misuse(__func__, "the target queue can be set before activation only");
    behind.set_executor(executor_of(targetq, __func__));
  }
}

void xpc_connection_set_event_handler(xpc_connection_t handle, xpc_handler_t handler) {
  connection::handle& which = need_connection(handle, __func__);
  need_pointer(handler, "handler", __func__);
  set_handler(which, block<void(xpc_object_t)>(handler));
}

void xpc_connection_set_event_handler_f(xpc_connection_t handle, void* context,
                                        void (*told)(xpc_object_t, void*)) {
  connection::handle& which = need_connection(handle, __func__);
  need_pointer(reinterpret_cast<void*>(told), "handler", __func__);
  set_handler(which, [context, told](xpc_object_t event) { told(event, context); });
}

void xpc_connection_activate(xpc_connection_t handle) {
  activate(need_connection(handle, __func__), __func__);
}

void xpc_connection_suspend(xpc_connection_t handle) {
  connection::handle& which = need_connection(handle, __func__);
  if (which.listens())
    static_cast<listener_object&>(which).behind().suspend();
  else
    static_cast<peer_object&>(which).behind().suspend();
}

void xpc_connection_resume(xpc_connection_t handle) {
  connection::handle& which = need_connection(handle, __func__);
  auto resume = [&, function = __func__](auto& behind) {
    if (behind.suspends() != 0) return behind.resume();
    if (behind.active()) base::misuse(function, "Over-resume of a connection.");
    activate(which, function);
  };
  if (which.listens())
    resume(static_cast<listener_object&>(which).behind());
  else
    resume(static_cast<peer_object&>(which).behind());
}

void xpc_connection_send_message(xpc_connection_t handle, xpc_object_t message) {
  peer_object& to = need_peer_connection(handle, __func__);
  object::dictionary& what = need_message(message, __func__);
  if (send_if_reply(what, __func__)) return;
  // The API has no word for "it could not be queued" (rule 80); the conversation counts it.
  connection::error_ref why = to.behind().send(what);
  if (why && why->code() == OPENXPC_ERROR_INVALID_ARGUMENT)
    base::misuse(__func__, "%s", why->message().c_str());
}

void openxpc_connection_send_barrier_f(xpc_connection_t handle, void* context,
                                       void (*barrier)(void*)) {
  peer_object& to = need_peer_connection(handle, __func__);
  need_pointer(reinterpret_cast<void*>(barrier), "barrier", __func__);
  to.behind().run_alone([context, barrier] { barrier(context); });
}

void xpc_connection_send_barrier(xpc_connection_t handle, dispatch_block_t barrier) {
  peer_object& to = need_peer_connection(handle, __func__);
  need_pointer(barrier, "barrier", __func__);
  to.behind().run_alone([run = block<void()>(barrier)] { run(); });
}

namespace {

void ask(peer_object& to, object::dictionary& what, dispatch_queue_t replyq, event_function done,
         const char* function) {
  auto where = replyq ? executor_of(replyq, function) : to.behind().where();
  auto kept = base::ref<peer_object>::share(&to);
  to.behind()
      .request(what, base::never)
      ->then(
          [kept = std::move(kept), done = std::move(done)](base::ref<object::dictionary> reply,
                                                           connection::error_ref error) {
            if (!reply) return done(event_of(error));
            reply->set_context(base::make_ref<connection::message_context>(
                connection::message_context::kind::received, kept, nullptr));
            done(static_cast<object::object*>(reply.get()));
          },
          std::move(where));
}

}  // namespace

void xpc_connection_send_message_with_reply(xpc_connection_t handle, xpc_object_t message,
                                            dispatch_queue_t replyq, xpc_handler_t handler) {
  need_pointer(handler, "handler", __func__);
  ask(need_peer_connection(handle, __func__), need_message(message, __func__), replyq,
      block<void(xpc_object_t)>(handler), __func__);
}

void openxpc_connection_send_message_with_reply_f(xpc_connection_t handle, xpc_object_t message,
                                                  dispatch_queue_t replyq, void* context,
                                                  void (*handler)(xpc_object_t, void*)) {
  ask(
      need_peer_connection(handle, __func__), need_message(message, __func__), replyq,
      [context, handler](xpc_object_t reply) { handler(reply, context); }, __func__);
}

xpc_object_t xpc_connection_send_message_with_reply_sync(xpc_connection_t handle,
                                                         xpc_object_t message) {
  peer_object& to = need_peer_connection(handle, __func__);
  object::dictionary& what = need_message(message, __func__);
  base::ref<object::dictionary> reply;
  connection::error_ref error = to.behind().request(what, base::never)->wait(reply);
  if (!reply) return event_of(error);
  reply->set_context(base::make_ref<connection::message_context>(
      connection::message_context::kind::received, base::ref<object::object>::share(&to), nullptr));
  return capi::give(std::move(reply));
}

void xpc_connection_cancel(xpc_connection_t handle) {
  connection::handle& which = need_connection(handle, __func__);
  if (!which.listens())
    return static_cast<peer_object&>(which).behind().cancel(
        connection::make_error(OPENXPC_ERROR_CANCELED, "the connection was cancelled"));
  auto& behind = static_cast<listener_object&>(which).behind();
  auto why = connection::make_error(OPENXPC_ERROR_CANCELED, "the listener was cancelled");
  // Who came by an endpoint is told that its listener is gone (rules 71 and 339); who came by a
  // name is a conversation of its own (rule 124).
  if (which.name().empty())
    behind.cancel_all(std::move(why));
  else
    behind.cancel(std::move(why));
}

const char* xpc_connection_get_name(xpc_connection_t handle) {
  connection::handle& which = need_connection(handle, __func__);
  return which.name().empty() ? nullptr : which.name().c_str();
}

namespace {

conversation::identity who(xpc_connection_t handle, const char* function) {
  connection::handle& which = need_connection(handle, function);
  return which.listens() ? conversation::identity{}
                         : static_cast<peer_object&>(which).behind().who();
}

}  // namespace

uid_t xpc_connection_get_euid(xpc_connection_t handle) {
  auto is = who(handle, __func__);
  return is.known ? is.euid : static_cast<uid_t>(-1);
}

gid_t xpc_connection_get_egid(xpc_connection_t handle) {
  auto is = who(handle, __func__);
  return is.known ? is.egid : static_cast<gid_t>(-1);
}

pid_t xpc_connection_get_pid(xpc_connection_t handle) {
  auto is = who(handle, __func__);
  return is.known ? is.pid : 0;
}

au_asid_t xpc_connection_get_asid(xpc_connection_t handle) {
  auto is = who(handle, __func__);
  return is.known ? ::getsid(is.pid) : -1;
}

void xpc_connection_set_context(xpc_connection_t handle, void* context) {
  need_connection(handle, __func__).set_context(context);
}

void* xpc_connection_get_context(xpc_connection_t handle) {
  return need_connection(handle, __func__).context();
}

void xpc_connection_set_finalizer_f(xpc_connection_t handle, xpc_finalizer_t finalizer) {
  need_connection(handle, __func__).set_finalizer(finalizer);
}

char* xpc_connection_copy_invalidation_reason(xpc_connection_t handle) {
  connection::handle& which = need_connection(handle, __func__);
  connection::error_ref why = which.listens()
                                  ? static_cast<listener_object&>(which).behind().ending()
                                  : static_cast<peer_object&>(which).behind().ending();
  if (!why) return nullptr;
  std::string text = why->message();
  if (!why->remedy().empty()) text += " (" + why->remedy() + ")";
  return ::strdup(text.c_str());
}
