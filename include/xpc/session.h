#ifndef XPC_SESSION_H
#define XPC_SESSION_H

/// Sessions: conversations with one life. When either side goes away a session is over; it is never
/// re-established (rule 132). Source compatible with Apple's header of this name; manual page
/// xpc_session_create(3).

#include <xpc/base.h>
#include <xpc/xpc.h>

OPENXPC_BEGIN_DECLS
XPC_ASSUME_NONNULL_BEGIN

#define XPC_TYPE_SESSION (&_xpc_type_session)
XPC_EXPORT XPC_TYPE(_xpc_type_session);

/// Options of session creation: active at once; inactive, for configuration; look in the system
/// domain only.
XPC_FLAGS_ENUM(xpc_session_create_flags, uint64_t, XPC_SESSION_CREATE_NONE = 0,
               XPC_SESSION_CREATE_INACTIVE = (1 << 0),
               XPC_SESSION_CREATE_MACH_PRIVILEGED = (1 << 1), );

#if OPENXPC_HAS_BLOCKS
OPENXPC_BLOCK(void, xpc_session_cancel_handler_t, xpc_rich_error_t error);
OPENXPC_BLOCK(void, xpc_session_incoming_message_handler_t, xpc_object_t message);
OPENXPC_BLOCK(void, xpc_session_reply_handler_t, xpc_object_t _Nullable reply,
              xpc_rich_error_t _Nullable error);
#endif

/// What a person can read about the session; malloc'ed.
XPC_EXPORT XPC_NONNULL_ALL
    XPC_WARN_RESULT char* _Nullable xpc_session_copy_description(xpc_session_t session);

/// Makes a session with a bundled service, active unless INACTIVE is given. The name is looked up
/// now (rule 133).
/// @param target_queue where handlers run; NULL: a default concurrent queue. @param error_out
/// receives an owned error when NULL is returned; may be NULL, and is not touched otherwise (rule
/// 355). @return owned, or NULL.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT xpc_session_t _Nullable xpc_session_create_xpc_service(
    const char* name, dispatch_queue_t _Nullable target_queue, xpc_session_create_flags_t flags,
    xpc_rich_error_t _Nullable* _Nullable error_out);
/// The same for a name that a job declares.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT xpc_session_t _Nullable xpc_session_create_mach_service(
    const char* mach_service, dispatch_queue_t _Nullable target_queue,
    xpc_session_create_flags_t flags, xpc_rich_error_t _Nullable* _Nullable error_out);

/// Inactive sessions only, else misuse (rule 135): where handlers run, what handles messages, what
/// runs once at the end.
XPC_EXPORT XPC_NONNULL1 void xpc_session_set_target_queue(xpc_session_t session,
                                                          dispatch_queue_t _Nullable target_queue);
#if OPENXPC_HAS_BLOCKS
XPC_EXPORT XPC_NONNULL_ALL void xpc_session_set_incoming_message_handler(
    xpc_session_t session, xpc_session_incoming_message_handler_t handler);
XPC_EXPORT XPC_NONNULL_ALL void xpc_session_set_cancel_handler(
    xpc_session_t session, xpc_session_cancel_handler_t cancel_handler);
#endif

/// Inactive sessions only, and one in all: a second one is misuse (rules 135, 154). Checks its text
/// and returns 0, or EINVAL (rule 153). Linux: nobody meets a requirement yet (<xpc/connection.h>),
/// so the session cannot be activated: xpc_session_activate() fails with the reason.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT int xpc_session_set_peer_code_signing_requirement(
    xpc_session_t session, const char* requirement);
/// The same for a requirement of <xpc/peer_requirement.h>.
XPC_EXPORT XPC_NONNULL_ALL void xpc_session_set_peer_requirement(
    xpc_session_t session, xpc_peer_requirement_t requirement);

/// Activates an inactive session; a second time is misuse (rule 136). @return false with *error_out
/// set: the session is cancelled then.
XPC_EXPORT XPC_NONNULL1 bool xpc_session_activate(xpc_session_t session,
                                                  xpc_rich_error_t _Nullable* _Nullable error_out);

/// Ends the session, asynchronously: unsent messages vanish, pending replies get an error, the
/// cancel handler runs once (rules 138, 139). Must come before the last release (rule 137).
XPC_EXPORT XPC_NONNULL_ALL void xpc_session_cancel(xpc_session_t session);

/// Queues a dictionary. @return NULL, or an owned error. On an inactive session misuse (rule 140).
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT xpc_rich_error_t _Nullable xpc_session_send_message(
    xpc_session_t session, xpc_object_t message);
/// Sends and blocks for the reply. Misuse on an inactive session or on the session's own target
/// queue (rule 142).
/// @return owned reply, or NULL with *error_out set.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_WARN_RESULT
    xpc_object_t _Nullable xpc_session_send_message_with_reply_sync(
        xpc_session_t session, xpc_object_t message,
        xpc_rich_error_t _Nullable* _Nullable error_out);
#if OPENXPC_HAS_BLOCKS
/// Sends and calls `reply_handler` once, on the session's queue, with a reply or an error (rules
/// 141, 143).
XPC_EXPORT XPC_NONNULL_ALL void xpc_session_send_message_with_reply_async(
    xpc_session_t session, xpc_object_t message, xpc_session_reply_handler_t reply_handler);
#endif

XPC_ASSUME_NONNULL_END
OPENXPC_END_DECLS

#endif
