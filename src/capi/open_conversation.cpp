#include "bootstrap/name_dialer.hpp"
#include "capi/executors.hpp"
#include "capi/handle.hpp"
#include "capi/program_handlers.hpp"
#include "connection/endpoint_dialer.hpp"

#include <xpc/xpc.h>

#include <algorithm>
#include <cstring>

namespace openxpc::capi {
namespace {

using connection::conversation;
using connection::error_ref;
using connection::peer_object;

bootstrap::domain_choice domain_of(const openxpc_conversation_options_s& given) {
  bootstrap::domain_choice where;
  if (given.domain_directory) where.directory = given.domain_directory;
  using kind = bootstrap::domain_choice::kind;
  where.which = given.domain == OPENXPC_DOMAIN_USER     ? kind::user
                : given.domain == OPENXPC_DOMAIN_SYSTEM ? kind::system
                                                        : kind::automatic;
  where.own_services_first = where.which == kind::automatic && where.directory.empty();
  return where;
}

/// Active when it returns, or null with *error set; either way what the options own is taken care
/// of.
template <class MakeDialer>
base::ref<peer_object> open(openxpc_type_t what, std::string name,
                            const openxpc_conversation_options_s* options, bool comes_back,
                            xpc_rich_error_t* error, MakeDialer make_dialer) {
  openxpc_conversation_options_s given{};
  if (options) std::memcpy(&given, options, std::min(options->size, sizeof given));
  auto owner = base::make_ref<shared_context>(given.handlers.context, given.handlers.release);
  auto where = executor_of(&given.executor);
  conversation::options how;
  how.comes_back = comes_back;
  how.limits = limits_of(given.limits);
  how.way = make_dialer(domain_of(given));
  how.from_endpoint = name.empty();
  if (error_ref why = how.way->look_up()) {
    if (error) *error = give(std::move(why));
    return nullptr;
  }
  auto made = peer_object::make(what, std::move(name), conversation::make(std::move(how)));
  made->behind().set_executor(std::move(where));
  made->behind().set_handlers(handlers_of(given.handlers, std::move(owner)));
  made->behind().activate();
  return made;
}

auto by_name(const char* service) {
  return [service](bootstrap::domain_choice where) {
    return base::make_ref<bootstrap::name_dialer>(service, std::move(where));
  };
}

template <class Handle>
Handle as_handle(base::ref<peer_object> owned) {
  return static_cast<Handle>(static_cast<void*>(static_cast<object::object*>(owned.release())));
}

}  // namespace
}  // namespace openxpc::capi

using namespace openxpc;
using namespace openxpc::capi;

xpc_session_t openxpc_session_open(const char* service,
                                   const openxpc_conversation_options_s* options,
                                   xpc_rich_error_t* error) {
  need_pointer(service, "service", __func__);
  return as_handle<xpc_session_t>(
      open(OPENXPC_TYPE_SESSION, service, options, false, error, by_name(service)));
}

xpc_session_t openxpc_session_open_endpoint(xpc_endpoint_t endpoint,
                                            const openxpc_conversation_options_s* options,
                                            xpc_rich_error_t* error) {
  auto& to = need_as<object::endpoint>(endpoint, __func__);
  return as_handle<xpc_session_t>(
      open(OPENXPC_TYPE_SESSION, {}, options, false, error, [&](const bootstrap::domain_choice&) {
        return base::make_ref<connection::endpoint_dialer>(base::ref<object::endpoint>::share(&to));
      }));
}

xpc_connection_t openxpc_connection_open(const char* service,
                                         const openxpc_conversation_options_s* options,
                                         xpc_rich_error_t* error) {
  need_pointer(service, "service", __func__);
  return as_handle<xpc_connection_t>(
      open(OPENXPC_TYPE_CONNECTION, service, options, true, error, by_name(service)));
}

xpc_rich_error_t openxpc_peer_send(xpc_object_t peer, xpc_object_t message) {
  auto& to = need_peer(peer, __func__);
  return give(to.behind().send(need_as<object::dictionary>(message, __func__)));
}

void openxpc_peer_send_when_ready(xpc_object_t peer, xpc_object_t message, void* context,
                                  void (*done)(void*, xpc_rich_error_t)) {
  auto& to = need_peer(peer, __func__);
  to.behind().send_when_ready(
      need_as<object::dictionary>(message, __func__),
      [context, done](error_ref why) { done(context, give(std::move(why))); });
}

void openxpc_peer_flush(xpc_object_t peer, void* context, void (*done)(void*, xpc_rich_error_t)) {
  auto& to = need_peer(peer, __func__);
  to.behind().barrier([kept = base::ref<conversation>::share(&to.behind()), context, done] {
    kept->run_soon([kept, context, done] { done(context, give(kept->ending())); }, kept->where());
  });
}

void openxpc_peer_cancel(xpc_object_t peer, const char* reason) {
  need_peer(peer, __func__)
      .behind()
      .cancel(connection::make_error(OPENXPC_ERROR_CANCELED,
                                     reason ? reason : "the conversation was cancelled"));
}

void openxpc_peer_close(xpc_object_t peer, void* context, void (*done)(void*)) {
  auto& to = need_peer(peer, __func__);
  to.behind().close(done ? base::function<void()>([context, done] { done(context); })
                         : base::function<void()>());
}

void openxpc_peer_wait_for_handlers(xpc_object_t peer) {
  need_peer(peer, __func__).behind().deliveries().wait_until_idle();
}

bool openxpc_peer_is_over(xpc_object_t peer) { return need_peer(peer, __func__).behind().over(); }

bool openxpc_peer_get_identity(xpc_object_t peer, openxpc_identity_s* out) {
  auto& to = need_peer(peer, __func__);
  auto who = to.behind().who();
  if (!who.known || to.behind().over()) return false;
  openxpc_identity_s filled{out->size, who.pid, who.euid, who.egid, who.instance};
  std::memcpy(out, &filled, std::min(out->size, sizeof filled));
  return true;
}

int openxpc_peer_dup_pidfd(xpc_object_t peer) {
  return need_peer(peer, __func__).behind().copy_pidfd().release();
}

void openxpc_peer_get_counters(xpc_object_t peer, openxpc_counters_s* out) {
  auto& behind = need_peer(peer, __func__).behind();
  channel::counters now = behind.count();
  auto over = behind.current_channel();
  openxpc_counters_s filled{};
  filled.size = out->size;
  filled.sent_messages = now.messages_sent;
  filled.sent_bytes = now.bytes_sent;
  filled.received_messages = now.messages_received;
  filled.received_bytes = now.bytes_received;
  filled.delayed = now.delayed;
  filled.refused = now.refused;
  filled.dropped = behind.dropped() + now.dropped_unsent + now.dropped_late + now.dropped_not_taken;
  filled.unsent_bytes = over ? over->unsent_bytes() : 0;
  std::memcpy(out, &filled, std::min(out->size, sizeof filled));
}
