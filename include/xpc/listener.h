#ifndef XPC_LISTENER_H
#define XPC_LISTENER_H

/// Listeners of the session API: each client becomes a session. Source compatible with Apple's
/// header of this name; manual page xpc_listener_create(3).

#include <xpc/base.h>
#include <xpc/session.h>
#include <xpc/xpc.h>

OPENXPC_BEGIN_DECLS
XPC_ASSUME_NONNULL_BEGIN

#define XPC_TYPE_LISTENER (&_xpc_type_listener)
XPC_EXPORT XPC_TYPE(_xpc_type_listener);

/// Options of listener creation. The FORCE flags say which kind of service the name is; on Linux
/// both kinds are names that the service manager hands over, so they change nothing.
XPC_FLAGS_ENUM(xpc_listener_create_flags, uint64_t, XPC_LISTENER_CREATE_NONE = 0,
               XPC_LISTENER_CREATE_INACTIVE = (1 << 0), XPC_LISTENER_CREATE_FORCE_MACH = (1 << 1),
               XPC_LISTENER_CREATE_FORCE_XPCSERVICE = (1 << 2), );

#if OPENXPC_HAS_BLOCKS
OPENXPC_BLOCK(void, xpc_listener_incoming_session_handler_t, xpc_session_t peer);
#endif

/// What a person can read about the listener; malloc'ed.
XPC_EXPORT XPC_NONNULL_ALL
    XPC_WARN_RESULT char* _Nullable xpc_listener_copy_description(xpc_listener_t listener);

#if OPENXPC_HAS_BLOCKS
/// Makes a listener for a name that this job declares, active unless INACTIVE is given (rule 145).
/// When the handler returns the peer is accepted and activated, unless it was rejected or
/// cancelled; it must install a message handler, reject or cancel (rules 146, 147).
/// @return owned, or NULL with *error_out set (not touched otherwise).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL4 XPC_WARN_RESULT xpc_listener_t _Nullable xpc_listener_create(
    const char* service, dispatch_queue_t _Nullable target_queue, xpc_listener_create_flags_t flags,
    xpc_listener_incoming_session_handler_t incoming_session_handler,
    xpc_rich_error_t _Nullable* _Nullable error_out);
#endif

/// Inactive listeners only, and one in all: a second one is misuse (rule 154). Checks its text and
/// returns 0, or EINVAL (rule 153). Sessions do not inherit it (rule 159). Linux: nobody meets a
/// requirement yet (<xpc/connection.h>), so every client is turned away and the handler not called.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT int xpc_listener_set_peer_code_signing_requirement(
    xpc_listener_t listener, const char* requirement);
/// The same for a requirement of <xpc/peer_requirement.h>.
XPC_EXPORT XPC_NONNULL_ALL void xpc_listener_set_peer_requirement(
    xpc_listener_t listener, xpc_peer_requirement_t requirement);

/// Activates an inactive listener; a second time is misuse. @return false with *error_out set: it
/// is cancelled then.
XPC_EXPORT XPC_NONNULL1 bool xpc_listener_activate(xpc_listener_t listener,
                                                   xpc_rich_error_t _Nullable* _Nullable error_out);
/// Stops accepting, asynchronously; later clients wait (rule 149). Sessions already accepted live
/// on (rule 124). The last release of a listener that is neither active nor cancelled is misuse
/// (rule 150).
XPC_EXPORT XPC_NONNULL_ALL void xpc_listener_cancel(xpc_listener_t listener);
/// Inside the incoming handler: refuses `peer`, tells it `reason` and cancels it (rule 148).
/// Elsewhere misuse.
XPC_EXPORT XPC_NONNULL_ALL void xpc_listener_reject_peer(xpc_session_t peer, const char* reason);

XPC_ASSUME_NONNULL_END
OPENXPC_END_DECLS

#endif
