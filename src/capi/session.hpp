#pragma once

#include "base/function.hpp"
#include "capi/event_handler.hpp"
#include "connection/handle.hpp"

#include <xpc/xpc.h>

namespace openxpc::capi {

/// The two handlers of a session; set before activation, so that nothing here needs a lock.
class session_handlers final : public connection::handlers {
 public:
  void set_message(base::function<void(xpc_object_t)> told) { message_ = std::move(told); }
  void set_canceled(base::function<void(xpc_rich_error_t)> told) { canceled_ = std::move(told); }
  bool has_message() const noexcept { return static_cast<bool>(message_); }

  void received(base::ref<connection::incoming> what) override;
  void subscribed(base::ref<connection::incoming> what) override;
  void interrupted(const connection::error_ref&) override {}
  void ended(const connection::error_ref& why) override;

 private:
  base::function<void(xpc_object_t)> message_;
  base::function<void(xpc_rich_error_t)> canceled_;
};

/// The session behind a handle; anything else is misuse by `function`.
connection::peer_object& need_session(xpc_session_t handle, const char* function);
/// Its handlers, made at the first use.
session_handlers& handlers_of_session(connection::peer_object& session);
/// Gives an error to a caller who may not want it.
void say(xpc_rich_error_t* out, connection::error_ref why);

}  // namespace openxpc::capi
