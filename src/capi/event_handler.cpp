#include "capi/event_handler.hpp"

#include "object/error.hpp"

namespace openxpc::capi {

xpc_object_t event_of(const connection::error_ref& why) {
  switch (why->code()) {
    case OPENXPC_ERROR_CANCELED:
    case OPENXPC_ERROR_NOT_FOUND:
    case OPENXPC_ERROR_NO_DOMAIN:
    case OPENXPC_ERROR_DENIED:
    case OPENXPC_ERROR_LAUNCH_FAILED:
    case OPENXPC_ERROR_REFUSED:
    case OPENXPC_ERROR_INCOMPATIBLE:
    case OPENXPC_ERROR_INVALID_ARGUMENT:
      return object::handle_of(_xpc_error_connection_invalid);
    case OPENXPC_ERROR_PEER_REFUSED:
      return object::handle_of(_xpc_error_peer_code_signing_requirement);
    default:
      return object::handle_of(_xpc_error_connection_interrupted);
  }
}

bool attach_context(connection::incoming& what) {
  auto from = what.from->share_object();
  if (!from) return false;
  // What a client asks of a service keeps the service from being idle (rule 168).
  const bool is_client = from->name().empty() && !from->behind().is_from_endpoint();
  auto busy = is_client ? connection::transaction::begin() : connection::transaction();
  what.message->set_context(base::make_ref<connection::message_context>(
      connection::message_context::kind::received, std::move(from), std::move(what.right),
      std::move(busy)));
  return true;
}

namespace {

class event_handlers final : public connection::handlers {
 public:
  event_handlers(event_function told, bool ends_by_interruption)
      : told_(std::move(told)), ends_by_interruption_(ends_by_interruption) {}

  void received(base::ref<connection::incoming> what) override {
    if (attach_context(*what)) told_(static_cast<object::object*>(what->message.get()));
  }
  void subscribed(base::ref<connection::incoming> what) override {
    what->right->fail(
        connection::make_error(OPENXPC_ERROR_UNKNOWN_METHOD, "this service has no streams"));
  }
  void interrupted(const connection::error_ref&) override {
    told_(object::handle_of(_xpc_error_connection_interrupted));
  }
  void terminating() override { told_(object::handle_of(_xpc_error_termination_imminent)); }
  void ended(const connection::error_ref& why) override {
    if (why->code() == OPENXPC_ERROR_PEER_REFUSED)
      told_(object::handle_of(_xpc_error_peer_code_signing_requirement));
    // Only what was there can be interrupted (rule 129).
    if (ends_by_interruption_ && why->code() == OPENXPC_ERROR_INTERRUPTED &&
        !(why->flags() & OPENXPC_ERROR_NOT_ACCEPTED))
      told_(object::handle_of(_xpc_error_connection_interrupted));
    told_(object::handle_of(_xpc_error_connection_invalid));
  }

 private:
  const event_function told_;
  const bool ends_by_interruption_;
};

class listener_events final : public connection::listener::handlers {
 public:
  explicit listener_events(event_function told) : told_(std::move(told)) {}
  void peer(const base::ref<connection::peer_object>& who) override {
    told_(static_cast<object::object*>(who.get()));
  }
  void ended(const connection::error_ref&) override {
    told_(object::handle_of(_xpc_error_connection_invalid));
  }

 private:
  const event_function told_;
};

}  // namespace

base::ref<connection::handlers> handlers_of(event_function told, bool ends_by_interruption) {
  return base::make_ref<event_handlers>(std::move(told), ends_by_interruption);
}

base::ref<connection::listener::handlers> listener_handlers_of(event_function told) {
  return base::make_ref<listener_events>(std::move(told));
}

}  // namespace openxpc::capi
