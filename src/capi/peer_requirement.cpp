// Requirements on peers. Nothing can judge one yet, so what a requirement is set on takes nobody.
#include "object/peer_requirement.hpp"

#include "base/misuse.hpp"
#include "capi/connection.hpp"
#include "capi/session.hpp"

#include <xpc/xpc.h>

#include <cerrno>

namespace openxpc::capi {
namespace {

using connection::error_ref;
using connection::listener_object;
using connection::peer_object;
using object::peer_requirement;

/// Why a conversation with a requirement ends; one object, by which it is known again.
const error_ref& nobody_meets_it() {
  static auto* forever = new error_ref(connection::make_error(
      OPENXPC_ERROR_PEER_REFUSED, "the peer requirement cannot be judged, so no peer meets it"));
  return *forever;
}

xpc_peer_requirement_t give_or_say(object::ref<peer_requirement> made, const std::string& why,
                                   xpc_rich_error_t* error_out) {
  if (!made) say(error_out, connection::make_error(OPENXPC_ERROR_INVALID_ARGUMENT, why));
  return static_cast<xpc_peer_requirement_t>(capi::give(std::move(made)));
}

[[noreturn]] void second_requirement(const char* function) {
  base::misuse(function, "there is a peer requirement already, and only one can be set");
}

void refuse_peer_of(peer_object& which, const char* function) {
  // Ended, and by the program itself or by whom it talked to: nobody is left to refuse.
  if (error_ref ended = which.behind().ending()) {
    if (ended.get() == nobody_meets_it().get()) second_requirement(function);
    return;
  }
  which.behind().cancel(nobody_meets_it());
}

void refuse_clients_of(listener_object& which, const char* function) {
  if (which.behind().active())
    base::misuse(function, "a requirement on a listener is set before activation");
  // This is what the refused side reads: not more than that.
  if (!which.behind().require(connection::make_error(OPENXPC_ERROR_PEER_REFUSED,
                                                     "a requirement on the peer is not met")))
    second_requirement(function);
}

void refuse_all(connection::handle& which, const char* function) {
  if (which.listens())
    refuse_clients_of(static_cast<listener_object&>(which), function);
  else
    refuse_peer_of(static_cast<peer_object&>(which), function);
}

/// What a setter with a result does with what its arguments made.
int set(connection::handle& which, const object::ref<peer_requirement>& made,
        const char* function) {
  if (!made) return EINVAL;
  refuse_all(which, function);
  return 0;
}

peer_object& inactive_session(xpc_session_t handle, const char* function) {
  peer_object& session = need_session(handle, function);
  if (session.behind().active()) base::misuse(function, "the session is active already");
  return session;
}

listener_object& need_listener(xpc_listener_t handle, const char* function) {
  object::object& any = need(handle, function);
  if (any.what() != OPENXPC_TYPE_LISTENER) wrong_type(function, "listener", any);
  return static_cast<listener_object&>(any);
}

object::ref<peer_requirement> parsed(const char* requirement, const char* function) {
  need_pointer(requirement, "the requirement", function);
  std::string why;
  return peer_requirement::language(requirement, why);
}

}  // namespace
}  // namespace openxpc::capi

using namespace openxpc;
using namespace openxpc::capi;

xpc_peer_requirement_t xpc_peer_requirement_create_entitlement_exists(const char* entitlement,
                                                                      xpc_rich_error_t* error_out) {
  need_pointer(entitlement, "the entitlement", __func__);
  std::string why;
  auto made = peer_requirement::entitlement(entitlement, why);
  return give_or_say(std::move(made), why, error_out);
}

xpc_peer_requirement_t xpc_peer_requirement_create_entitlement_matches_value(
    const char* entitlement, xpc_object_t value, xpc_rich_error_t* error_out) {
  need_pointer(entitlement, "the entitlement", __func__);
  std::string why;
  auto made = peer_requirement::entitlement(entitlement, need(value, __func__), why);
  return give_or_say(std::move(made), why, error_out);
}

xpc_peer_requirement_t xpc_peer_requirement_create_team_identity(const char* signing_identifier,
                                                                 xpc_rich_error_t* error_out) {
  std::string why;
  auto made =
      peer_requirement::signed_by(peer_requirement::signer::same_team, signing_identifier, why);
  return give_or_say(std::move(made), why, error_out);
}

xpc_peer_requirement_t xpc_peer_requirement_create_platform_identity(const char* signing_identifier,
                                                                     xpc_rich_error_t* error_out) {
  std::string why;
  auto made =
      peer_requirement::signed_by(peer_requirement::signer::platform, signing_identifier, why);
  return give_or_say(std::move(made), why, error_out);
}

xpc_peer_requirement_t xpc_peer_requirement_create_lwcr(xpc_object_t lwcr,
                                                        xpc_rich_error_t* error_out) {
  std::string why;
  auto made = peer_requirement::lightweight(need(lwcr, __func__), why);
  return give_or_say(std::move(made), why, error_out);
}

bool xpc_peer_requirement_match_received_message(xpc_peer_requirement_t requirement,
                                                 xpc_object_t message,
                                                 xpc_rich_error_t* error_out) {
  (void)need_as<peer_requirement>(requirement, __func__);
  using connection::message_context;
  auto* context = static_cast<message_context*>(need_message(message, __func__).context());
  if (!context || context->what() != message_context::kind::received)
    base::misuse(__func__, "the message was not received");
  say(error_out, nobody_meets_it());
  return false;
}

int xpc_connection_set_peer_code_signing_requirement(xpc_connection_t handle,
                                                     const char* requirement) {
  return set(need_connection(handle, __func__), parsed(requirement, __func__), __func__);
}

int xpc_connection_set_peer_entitlement_exists_requirement(xpc_connection_t handle,
                                                           const char* entitlement) {
  need_pointer(entitlement, "the entitlement", __func__);
  std::string why;
  return set(need_connection(handle, __func__), peer_requirement::entitlement(entitlement, why),
             __func__);
}

int xpc_connection_set_peer_entitlement_matches_value_requirement(xpc_connection_t handle,
                                                                  const char* entitlement,
                                                                  xpc_object_t value) {
  need_pointer(entitlement, "the entitlement", __func__);
  std::string why;
  return set(need_connection(handle, __func__),
             peer_requirement::entitlement(entitlement, need(value, __func__), why), __func__);
}

int xpc_connection_set_peer_team_identity_requirement(xpc_connection_t handle,
                                                      const char* signing_identifier) {
  std::string why;
  return set(
      need_connection(handle, __func__),
      peer_requirement::signed_by(peer_requirement::signer::same_team, signing_identifier, why),
      __func__);
}

int xpc_connection_set_peer_platform_identity_requirement(xpc_connection_t handle,
                                                          const char* signing_identifier) {
  std::string why;
  return set(
      need_connection(handle, __func__),
      peer_requirement::signed_by(peer_requirement::signer::platform, signing_identifier, why),
      __func__);
}

int xpc_connection_set_peer_lightweight_code_requirement(xpc_connection_t handle,
                                                         xpc_object_t lwcr) {
  std::string why;
  return set(need_connection(handle, __func__),
             peer_requirement::lightweight(need(lwcr, __func__), why), __func__);
}

void xpc_connection_set_peer_requirement(xpc_connection_t handle,
                                         xpc_peer_requirement_t requirement) {
  (void)need_as<peer_requirement>(requirement, __func__);
  refuse_all(need_connection(handle, __func__), __func__);
}

int xpc_session_set_peer_code_signing_requirement(xpc_session_t session, const char* requirement) {
  return set(inactive_session(session, __func__), parsed(requirement, __func__), __func__);
}

void xpc_session_set_peer_requirement(xpc_session_t session, xpc_peer_requirement_t requirement) {
  (void)need_as<peer_requirement>(requirement, __func__);
  refuse_all(inactive_session(session, __func__), __func__);
}

int xpc_listener_set_peer_code_signing_requirement(xpc_listener_t handle, const char* requirement) {
  return set(need_listener(handle, __func__), parsed(requirement, __func__), __func__);
}

void xpc_listener_set_peer_requirement(xpc_listener_t handle, xpc_peer_requirement_t requirement) {
  (void)need_as<peer_requirement>(requirement, __func__);
  refuse_all(need_listener(handle, __func__), __func__);
}
