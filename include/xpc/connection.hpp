#pragma once

#include <xpc/session.hpp>

namespace xpc {

/// A conversation that comes back: after an interruption (on_interrupted, open calls fail with
/// interrupted) the next message looks the name up, launches the service and connects again. For
/// most clients; use a session where the service keeps state for its client. A resource, move-only:
/// destroying it cancels, and waits for a handler that runs (not when called from one). Threads: as
/// peer; moving and destroying beside no other call.
class connection : public detail::owned_peer {
 public:
  /// Looks the name up; never waits for the service, which the first message launches.
  /// Errors: not_found, no_domain (remedy: how to start a service manager), denied,
  /// invalid_argument.
  static result<connection> open(std::string_view service, session_options options = {}) {
    std::string name(service);
    return open_with<connection>(std::move(options), [&](const openxpc_conversation_options_s* how,
                                                         xpc_rich_error_t* error) {
      return openxpc_connection_open(name.c_str(), how, error);
    });
  }
  /// Lent, for C functions.
  xpc_connection_t native_handle() const noexcept {
    return static_cast<xpc_connection_t>(object_.get());
  }

 private:
  friend class detail::owned_peer;
  connection(xpc_connection_t owned, std::chrono::nanoseconds call_timeout) noexcept
      : owned_peer(owned, call_timeout) {}
};

}  // namespace xpc
