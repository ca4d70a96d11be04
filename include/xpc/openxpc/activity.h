#ifndef XPC_OPENXPC_ACTIVITY_H
#define XPC_OPENXPC_ACTIVITY_H

/// Activities and event streams for compilers without blocks: each twin does what the block form in
/// <xpc/activity.h> and <xpc/xpc.h> does; `context` is passed through and never looked at.

#include <xpc/activity.h>

OPENXPC_BEGIN_DECLS

/// xpc_activity_register(); `context` must live until the activity is unregistered and no handler
/// runs.
XPC_EXPORT void openxpc_activity_register_f(const char* identifier, xpc_object_t criteria,
                                            void* context,
                                            void (*handler)(xpc_activity_t activity,
                                                            void* context));
/// xpc_set_event_stream_handler(); `context` must live as long as the process.
XPC_EXPORT void openxpc_set_event_stream_handler_f(const char* stream, dispatch_queue_t targetq,
                                                   void* context,
                                                   void (*handler)(xpc_object_t event,
                                                                   void* context));

OPENXPC_END_DECLS

#endif
