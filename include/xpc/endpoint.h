#ifndef XPC_ENDPOINT_H
#define XPC_ENDPOINT_H

#include <xpc/openxpc/types.h>

OPENXPC_BEGIN_DECLS

/// An endpoint of a listener, to be put into messages. Owned by the caller; it does not keep the
/// listener alive (rule 129). Any connection that is no listener is misuse (rule 128).
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC XPC_NONNULL1 xpc_endpoint_t
xpc_endpoint_create(xpc_connection_t connection);

OPENXPC_END_DECLS

#endif
