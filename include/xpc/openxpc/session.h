#ifndef XPC_OPENXPC_SESSION_H
#define XPC_OPENXPC_SESSION_H

/// Apple's session API for compilers without blocks: each function-pointer twin does what the block
/// form in <xpc/session.h>, <xpc/listener.h> and <xpc/private.h> does; `context` is passed through,
/// never looked at, and must live until the session or listener is cancelled and no handler runs.

#include <xpc/xpc.h>

OPENXPC_BEGIN_DECLS

/// xpc_session_set_incoming_message_handler().
XPC_EXPORT void openxpc_session_set_incoming_message_handler_f(xpc_session_t session, void* context,
                                                               void (*handler)(xpc_object_t message,
                                                                               void* context));
/// xpc_session_set_cancel_handler().
XPC_EXPORT void openxpc_session_set_cancel_handler_f(xpc_session_t session, void* context,
                                                     void (*handler)(xpc_rich_error_t error,
                                                                     void* context));
/// xpc_session_send_message_with_reply_async().
XPC_EXPORT void openxpc_session_send_message_with_reply_async_f(
    xpc_session_t session, xpc_object_t message, void* context,
    void (*handler)(xpc_object_t reply, xpc_rich_error_t error, void* context));
/// xpc_listener_create().
XPC_EXPORT xpc_listener_t openxpc_listener_create_f(
    const char* service, dispatch_queue_t target_queue, xpc_listener_create_flags_t flags,
    void* context, void (*handler)(xpc_session_t peer, void* context),
    xpc_rich_error_t* error_out) XPC_WARN_RESULT;
/// xpc_listener_create_anonymous().
XPC_EXPORT xpc_listener_t openxpc_listener_create_anonymous_f(
    dispatch_queue_t target_queue, xpc_listener_create_flags_t flags, void* context,
    void (*handler)(xpc_session_t peer, void* context),
    xpc_rich_error_t* error_out) XPC_WARN_RESULT;

OPENXPC_END_DECLS

#endif
