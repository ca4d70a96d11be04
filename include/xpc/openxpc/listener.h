#ifndef OPENXPC_LISTENER_H
#define OPENXPC_LISTENER_H

/// Listeners for the conversations of conversation.h.

#include <xpc/openxpc/conversation.h>

OPENXPC_BEGIN_DECLS

enum openxpc_decision { OPENXPC_ACCEPT = 0, OPENXPC_REJECT = 1 };

struct openxpc_listener_options_s {
  size_t size;
  /// For sessions that on_session does not change; also the listener's own: `handlers.context` is
  /// shared by all sessions and released after the last of them has ended and the listener is gone.
  struct openxpc_conversation_options_s conversation;
  void* context;
  /// A client has come (its hello and first frame are here). May replace `*options` (a copy of the
  /// above, for this session alone) or reject: then it copies a reason into `reason`, which the
  /// client reads. Null: everybody is accepted.
  enum openxpc_decision (*on_session)(void* context, xpc_session_t session,
                                      struct openxpc_conversation_options_s* options, char* reason,
                                      size_t reason_size);
  /// Somebody was refused before it became a session; `why` and `who` are lent.
  void (*on_refused)(void* context, xpc_rich_error_t why, const struct openxpc_identity_s* who);
  /// The listener is over: cancelled, its name is not this job's, or its socket is one that the
  /// program opened and that somebody shut down. `why` is lent.
  void (*on_end)(void* context, xpc_rich_error_t why);
  void (*release)(void* context);
};

/// Listens on a name that this process was given by the service manager (LISTEN_FDS convention).
/// Errors: not_found (the job does not declare the name; remedy), invalid_argument.
XPC_EXPORT xpc_listener_t openxpc_listener_open(const char* service,
                                                const struct openxpc_listener_options_s* options,
                                                xpc_rich_error_t* error);
/// A listener without a name, reached by its endpoints. Errors: no_resources.
XPC_EXPORT xpc_listener_t openxpc_listener_open_anonymous(
    const struct openxpc_listener_options_s* options, xpc_rich_error_t* error);
/// Listens on a socket that the caller bound and listened on (AF_UNIX, SOCK_SEQPACKET); takes the
/// descriptor over.
XPC_EXPORT xpc_listener_t openxpc_listener_open_fd(int owned_fd, const char* service,
                                                   const struct openxpc_listener_options_s* options,
                                                   xpc_rich_error_t* error);
/// An endpoint that may be sent in messages; owned. Null with errno ENOTSUP for listeners on
/// foreign sockets that have no file.
XPC_EXPORT xpc_endpoint_t openxpc_listener_create_endpoint(xpc_listener_t listener);
/// Stops accepting and cancels its sessions. Idempotent.
XPC_EXPORT void openxpc_listener_cancel(xpc_listener_t listener);
/// Planned stop: accepts no more, handles each accepted message once, sends the replies in hand,
/// closes; then `done`.
XPC_EXPORT void openxpc_listener_close(xpc_listener_t listener, void* context,
                                       void (*done)(void* context));
/// Blocks until no handler of the listener and its sessions runs any more; returns at once inside
/// one of them.
XPC_EXPORT void openxpc_listener_wait_for_handlers(xpc_listener_t listener);
/// How many sessions it has now.
XPC_EXPORT uint64_t openxpc_listener_get_session_count(xpc_listener_t listener);

OPENXPC_END_DECLS

#endif
