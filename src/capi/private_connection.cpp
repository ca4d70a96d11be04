// The functions of <xpc/private.h> on connections, messages and sessions.
#include "base/misuse.hpp"
#include "bootstrap/name_dialer.hpp"
#include "capi/connection.hpp"
#include "connection/peer_token.hpp"

#include <xpc/private.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

using namespace openxpc;
using namespace openxpc::capi;
using connection::conversation;
using connection::message_context;
using connection::peer_object;

namespace {

static_assert(sizeof(audit_token_t) == sizeof(connection::peer_token));

/// @param of  null: nobody is known.
void write_token(conversation* of, audit_token_t* out) {
  auto token = of ? connection::token_of(*of) : std::nullopt;
  if (token)
    std::memcpy(out, token->data(), sizeof *out);
  else
    std::memset(out, 0xff, sizeof *out);
}

}  // namespace

void xpc_connection_get_audit_token(xpc_connection_t handle, audit_token_t* token) {
  need_pointer(token, "token", __func__);
  connection::handle& which = need_connection(handle, __func__);
  write_token(which.listens() ? nullptr : &static_cast<peer_object&>(which).behind(), token);
}

void xpc_dictionary_get_audit_token(xpc_object_t message, audit_token_t* token) {
  need_pointer(token, "token", __func__);
  auto* context = static_cast<message_context*>(need_message(message, __func__).context());
  if (!context || context->what() != message_context::kind::received || !context->remote())
    return write_token(nullptr, token);
  auto& from = static_cast<peer_object&>(*context->remote());
  write_token(from.name().empty() ? &from.behind() : nullptr, token);
}

bool openxpc_audit_token_is_genuine(const audit_token_t* token) {
  need_pointer(token, "token", __func__);
  connection::peer_token bytes;
  std::memcpy(bytes.data(), token, sizeof *token);
  return connection::identity_of(bytes).has_value();
}

xpc_connection_t xpc_connection_create_listener(const char* name, dispatch_queue_t targetq) {
  need_pointer(name, "name", __func__);
  return xpc_connection_create_mach_service(name, targetq, XPC_CONNECTION_MACH_SERVICE_LISTENER);
}

void xpc_connection_send_notification(xpc_connection_t handle, xpc_object_t message) {
  need_peer_connection(handle, __func__);
  need_message(message, __func__);
  xpc_connection_send_message(handle, message);
}

void xpc_connection_set_target_uid(xpc_connection_t handle, uid_t uid) {
  conversation& which = need_peer_connection(handle, __func__).behind();
  auto* way = dynamic_cast<bootstrap::name_dialer*>(which.way());
  if (!way) base::misuse(__func__, "the connection was not made by name");
  if (which.active()) base::misuse(__func__, "the connection is active already");
  way->only_of_user(uid);
}

void xpc_connection_set_instance(xpc_connection_t handle, const unsigned char uuid[16]) {
  conversation& which = need_peer_connection(handle, __func__).behind();
  need_pointer(uuid, "uuid", __func__);
  auto* way = dynamic_cast<bootstrap::name_dialer*>(which.way());
  if (!way) base::misuse(__func__, "the connection was not made by name");
  if (which.active()) base::misuse(__func__, "the connection is active already");
  way->of_instance(uuid);
}

void xpc_connection_kill(xpc_connection_t handle, int signal) {
  const base::fd process = need_peer_connection(handle, __func__).behind().copy_pidfd();
  if (!process) return;  // errno says why
  if (::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0) errno = 0;
}

bool xpc_connection_is_extension(xpc_connection_t handle) {
  need_connection(handle, __func__);
  return false;
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
