#ifndef OPENXPC_CONNECTION_H
#define OPENXPC_CONNECTION_H

/// Apple's connection API for compilers without blocks: each function-pointer twin does what the
/// block form in <xpc/connection.h> does; `context` is passed through and never looked at. Include
/// <xpc/xpc.h> first.

#include <xpc/xpc.h>

OPENXPC_BEGIN_DECLS

/// xpc_connection_set_event_handler(); `context` must live until the final
/// XPC_ERROR_CONNECTION_INVALID was handled.
XPC_EXPORT void xpc_connection_set_event_handler_f(xpc_connection_t connection, void* context,
                                                   void (*handler)(xpc_object_t event,
                                                                   void* context));
/// xpc_connection_send_barrier().
XPC_EXPORT void openxpc_connection_send_barrier_f(xpc_connection_t connection, void* context,
                                                  void (*barrier)(void* context));
/// xpc_connection_send_message_with_reply(); `replyq` may be NULL.
XPC_EXPORT void openxpc_connection_send_message_with_reply_f(
    xpc_connection_t connection, xpc_object_t message, dispatch_queue_t replyq, void* context,
    void (*handler)(xpc_object_t reply, void* context));

OPENXPC_END_DECLS

#endif
