#ifndef OPENXPC_SERVICE_H
#define OPENXPC_SERVICE_H

/// The life of a service process, and what service managers need of the library.

#include <xpc/openxpc/conversation.h>

OPENXPC_BEGIN_DECLS

/// Blocks until this process is asked to end: by the service manager over the service link, by
/// SIGTERM or by SIGINT. The first use of a termination function takes both signals over for the
/// whole process.
XPC_EXPORT void openxpc_wait_for_termination(void);
/// Calls `asked(context)` once, on a thread of the library, when that happens (at once if it has).
/// Any number of times.
XPC_EXPORT void openxpc_on_termination(void* context, void (*asked)(void* context));
XPC_EXPORT bool openxpc_termination_requested(void);
/// Asks this very process to end, as the service manager would.
XPC_EXPORT void openxpc_request_termination(void);

/// Says to the service manager that this process is ready, and hands its listening sockets' state
/// over. Opening a listener on a declared name does it too; a job without names calls it by itself.
/// Does nothing without a service link.
XPC_EXPORT void openxpc_check_in(void);

/// Flags of a refusal.
#define OPENXPC_REFUSAL_MAY_RETRY 1u
#define OPENXPC_REFUSAL_MOVED 2u

/// Tells an accepted client, instead of a hello, why nobody will serve it; the caller then closes
/// the socket.
/// @param code an openxpc_error_code. @param text UTF-8, at most 4,096 bytes are sent.
/// @return 0, or an errno value (the client is gone). Never blocks.
XPC_EXPORT int openxpc_refuse(int borrowed_connected_fd, uint32_t code, uint32_t flags,
                              const char* text);

/// The directory of the domain that a program without options would use. @return malloc'ed, or null
/// with *error (owned): no_domain, with a remedy that names --domain and how to start a service
/// manager.
XPC_EXPORT char* openxpc_domain_copy_directory(uint32_t domain, xpc_rich_error_t* error);

OPENXPC_END_DECLS

#endif
