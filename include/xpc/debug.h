#ifndef XPC_DEBUG_H
#define XPC_DEBUG_H

#include <xpc/base.h>

OPENXPC_BEGIN_DECLS

/// For debuggers only: the text of the misuse that ended the process, or NULL.
XPC_EXPORT const char* xpc_debugger_api_misuse_info(void);

OPENXPC_END_DECLS

#endif
