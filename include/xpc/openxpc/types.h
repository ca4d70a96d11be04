#ifndef XPC_OPENXPC_TYPES_H
#define XPC_OPENXPC_TYPES_H

#include <xpc/base.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The handles of XPC, without anything else: no dispatch, no <unistd.h>. <xpc/xpc.h> uses these
/// same types. In C an xpc_object_t and the other handles convert into each other without a cast.
/// In C++ a handle converts to xpc_object_t, the other way needs a cast (rule 320).

OPENXPC_BEGIN_DECLS

/// Any XPC object. Born with one reference, owned by its creator.
typedef void* xpc_object_t;

/// What kind of object it is: an address to compare with XPC_TYPE_STRING and its like (rule 5).
typedef const struct _xpc_type_s* xpc_type_t;

#define XPC_DECL(name) typedef struct _##name##_s* name##_t

XPC_DECL(xpc_connection);
XPC_DECL(xpc_endpoint);
XPC_DECL(xpc_session);
XPC_DECL(xpc_listener);
XPC_DECL(xpc_rich_error);
XPC_DECL(xpc_activity);
XPC_DECL(xpc_peer_requirement);

/// The kinds of objects as small numbers that never change, for switch statements and other
/// languages.
typedef enum openxpc_type {
  OPENXPC_TYPE_NONE = 0,  // no object at all
  OPENXPC_TYPE_NULL = 1,
  OPENXPC_TYPE_BOOL = 2,
  OPENXPC_TYPE_INT64 = 3,
  OPENXPC_TYPE_UINT64 = 4,
  OPENXPC_TYPE_DOUBLE = 5,
  OPENXPC_TYPE_DATE = 6,
  OPENXPC_TYPE_DATA = 7,
  OPENXPC_TYPE_STRING = 8,
  OPENXPC_TYPE_UUID = 9,
  OPENXPC_TYPE_FD = 10,
  OPENXPC_TYPE_SHMEM = 11,
  OPENXPC_TYPE_ARRAY = 12,
  OPENXPC_TYPE_DICTIONARY = 13,
  OPENXPC_TYPE_ERROR = 14,
  OPENXPC_TYPE_RICH_ERROR = 15,
  OPENXPC_TYPE_ENDPOINT = 16,
  OPENXPC_TYPE_CONNECTION = 17,
  OPENXPC_TYPE_SESSION = 18,
  OPENXPC_TYPE_LISTENER = 19,
  OPENXPC_TYPE_ACTIVITY = 20,
  OPENXPC_TYPE_PEER_REQUIREMENT = 21,
  OPENXPC_TYPE_FILE_TRANSFER = 22
} openxpc_type_t;

/// Adds a reference and returns the object. Null and Booleans and the XPC_ERROR_* objects do not
/// count (rules 2, 7).
XPC_EXPORT XPC_NONNULL1 xpc_object_t xpc_retain(xpc_object_t object);

/// Gives a reference back; the last one destroys the object. One too many ends the process with
/// "XPC API Misuse:" (rule 3).
XPC_EXPORT XPC_NONNULL1 void xpc_release(xpc_object_t object);

OPENXPC_END_DECLS

#endif
