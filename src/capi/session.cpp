#include "capi/session.hpp"

#include "base/misuse.hpp"
#include "bootstrap/name_dialer.hpp"
#include "capi/block.hpp"
#include "capi/connection.hpp"
#include "capi/dispatch_table.hpp"
#include "capi/executors.hpp"
#include "object/describe.hpp"

#include <xpc/xpc.h>

#include <cstring>

namespace openxpc::capi {
namespace {

using connection::conversation;
using connection::error_ref;
using connection::peer_object;

xpc_rich_error_t give(error_ref owned) {
  return static_cast<xpc_rich_error_t>(
      static_cast<void*>(static_cast<object::object*>(owned.release())));
}
xpc_rich_error_t lend(const error_ref& lent) {
  return static_cast<xpc_rich_error_t>(
      static_cast<void*>(static_cast<object::object*>(lent.get())));
}

}  // namespace

void session_handlers::received(base::ref<connection::incoming> what) {
  if (attach_context(*what) && message_)
    message_(static_cast<object::object*>(what->message.get()));
}

void session_handlers::subscribed(base::ref<connection::incoming> what) {
  what->right->fail(
      connection::make_error(OPENXPC_ERROR_UNKNOWN_METHOD, "this service has no streams"));
}

void session_handlers::ended(const error_ref& why) {
  if (canceled_) canceled_(lend(why));
}

peer_object& need_session(xpc_session_t handle, const char* function) {
  object::object& any = need(handle, function);
  if (any.what() != OPENXPC_TYPE_SESSION) wrong_type(function, "session", any);
  return static_cast<peer_object&>(any);
}

void say(xpc_rich_error_t* out, error_ref why) {
  if (out) *out = give(std::move(why));
}

session_handlers& handlers_of_session(peer_object& session) {
  if (!session.extra()) {
    auto made = base::make_ref<session_handlers>();
    session.behind().set_handlers(made);
    session.set_extra(made);
  }
  return static_cast<session_handlers&>(*session.extra());
}

namespace {

peer_object& need_inactive(xpc_session_t handle, const char* function) {
  peer_object& session = need_session(handle, function);
  if (session.behind().active()) base::misuse(function, "the session is active already");
  return session;
}

peer_object& need_active(xpc_session_t handle, const char* function) {
  peer_object& session = need_session(handle, function);
  if (!session.behind().active() && !session.behind().ended())
    base::misuse(function, "the session is not active");
  return session;
}

bool activate(peer_object& session, xpc_rich_error_t* error_out) {
  session.behind().activate();
  error_ref why = session.behind().ending();
  if (!why) return true;
  say(error_out, std::move(why));
  return false;
}

xpc_session_t create(const char* name, bootstrap::domain_choice where, dispatch_queue_t queue,
                     xpc_session_create_flags_t flags, xpc_rich_error_t* error_out,
                     const char* function) {
  need_pointer(name, "name", function);
  if (flags & XPC_SESSION_CREATE_MACH_PRIVILEGED)
    where.which = bootstrap::domain_choice::kind::system;
  auto way = base::make_ref<bootstrap::name_dialer>(name, where);
  if (error_ref why = way->look_up()) {
    say(error_out, std::move(why));
    return nullptr;
  }
  conversation::options how;
  how.limits = apple_limits();
  how.full = channel::when_full::cut_off;
  how.way = std::move(way);
  auto made = peer_object::make(OPENXPC_TYPE_SESSION, name, conversation::make(std::move(how)));
  made->require_cancel();
  made->behind().set_executor(executor_of(queue, function));
  handlers_of_session(*made);
  if (!(flags & XPC_SESSION_CREATE_INACTIVE) && !activate(*made, error_out)) return nullptr;
  return static_cast<xpc_session_t>(
      static_cast<void*>(static_cast<object::object*>(made.release())));
}

}  // namespace
}  // namespace openxpc::capi

using namespace openxpc;
using namespace openxpc::capi;

char* xpc_session_copy_description(xpc_session_t session) {
  return ::strdup(object::describe(need_session(session, __func__)).c_str());
}

xpc_session_t xpc_session_create_xpc_service(const char* name, dispatch_queue_t target_queue,
                                             xpc_session_create_flags_t flags,
                                             xpc_rich_error_t* error_out) {
  if (flags & XPC_SESSION_CREATE_MACH_PRIVILEGED)
    base::misuse(__func__,
                 "XPC_SESSION_CREATE_MACH_PRIVILEGED is for xpc_session_create_mach_service()");
  bootstrap::domain_choice where;
  where.own_services_first = true;
  return create(name, std::move(where), target_queue, flags, error_out, __func__);
}

xpc_session_t xpc_session_create_mach_service(const char* mach_service,
                                              dispatch_queue_t target_queue,
                                              xpc_session_create_flags_t flags,
                                              xpc_rich_error_t* error_out) {
  return create(mach_service, {}, target_queue, flags, error_out, __func__);
}

void xpc_session_set_target_queue(xpc_session_t session, dispatch_queue_t target_queue) {
  need_inactive(session, __func__).behind().set_executor(executor_of(target_queue, __func__));
}

void xpc_session_set_incoming_message_handler(xpc_session_t session,
                                              xpc_session_incoming_message_handler_t handler) {
  need_pointer(handler, "handler", __func__);
  handlers_of_session(need_inactive(session, __func__))
      .set_message(block<void(xpc_object_t)>(handler));
}

void xpc_session_set_cancel_handler(xpc_session_t session,
                                    xpc_session_cancel_handler_t cancel_handler) {
  need_pointer(cancel_handler, "cancel_handler", __func__);
  handlers_of_session(need_inactive(session, __func__))
      .set_canceled(block<void(xpc_rich_error_t)>(cancel_handler));
}

bool xpc_session_activate(xpc_session_t session, xpc_rich_error_t* error_out) {
  return activate(need_inactive(session, __func__), error_out);
}

void xpc_session_cancel(xpc_session_t session) {
  need_session(session, __func__)
      .behind()
      .cancel(connection::make_error(OPENXPC_ERROR_CANCELED, "the session was cancelled"));
}

xpc_rich_error_t xpc_session_send_message(xpc_session_t session, xpc_object_t message) {
  peer_object& to = need_active(session, __func__);
  object::dictionary& what = need_message(message, __func__);
  if (send_if_reply(what, __func__)) return nullptr;
  return give(to.behind().send(what));
}

xpc_object_t xpc_session_send_message_with_reply_sync(xpc_session_t session, xpc_object_t message,
                                                      xpc_rich_error_t* error_out) {
  peer_object& to = need_active(session, __func__);
  object::dictionary& what = need_message(message, __func__);
  if (auto* own = static_cast<void*>(queue_of(to.behind().where()));
      own && runs_on_queue(own, __func__))
    base::misuse(__func__,
                 "called on the session's own target queue, where it could only deadlock");
  base::ref<object::dictionary> reply;
  error_ref error = to.behind().request(what, base::never)->wait(reply);
  if (!reply) {
    say(error_out, std::move(error));
    return nullptr;
  }
  return capi::give(std::move(reply));
}

void xpc_session_send_message_with_reply_async(xpc_session_t session, xpc_object_t message,
                                               xpc_session_reply_handler_t reply_handler) {
  peer_object& to = need_active(session, __func__);
  need_pointer(reply_handler, "reply_handler", __func__);
  to.behind()
      .request(need_message(message, __func__), base::never)
      ->then(
          [kept = base::ref<peer_object>::share(&to),
           told = block<void(xpc_object_t, xpc_rich_error_t)>(reply_handler)](
              base::ref<object::dictionary> reply, error_ref error) {
            told(static_cast<object::object*>(reply.get()), reply ? nullptr : lend(error));
          },
          to.behind().where());
}
