#ifndef XPC_RICH_ERROR_H
#define XPC_RICH_ERROR_H

#include <xpc/openxpc/types.h>

OPENXPC_BEGIN_DECLS

/// What failed, as text, malloc'ed, owned by the caller; NULL for any other type.
/// <xpc/openxpc/error.h> tells more.
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC XPC_NONNULL1 char* xpc_rich_error_copy_description(
    xpc_rich_error_t error);
/// Whether the same call may work if repeated (rule 30).
XPC_EXPORT XPC_NONNULL1 bool xpc_rich_error_can_retry(xpc_rich_error_t error);

OPENXPC_END_DECLS

#endif
