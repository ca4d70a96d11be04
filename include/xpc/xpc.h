#ifndef XPC_XPC_H
#define XPC_XPC_H

/// The C API of XPC: objects, and through the headers at the end connections, sessions and
/// listeners. What Apple's API lacks stands in <xpc/openxpc/*.h>. "Rule N" is the behaviour that
/// the tests of that name (R041_...) pin down.

// What programs get with Apple's header and so rely on (rule 317); no <sys/socket.h> (rule 318).
#include <xpc/availability.h>
#include <xpc/base.h>
#include <xpc/openxpc/types.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#if !defined(OPENXPC_BUILDING) && __has_include(<dispatch/dispatch.h>)
#include <dispatch/dispatch.h>
#else
typedef struct dispatch_queue_s* dispatch_queue_t;
typedef struct dispatch_data_s* dispatch_data_t;
#if OPENXPC_HAS_BLOCKS
OPENXPC_BLOCK(void, dispatch_block_t, void);
#endif
#endif

#if __has_include(<uuid/uuid.h>)
#include <uuid/uuid.h>
#endif

OPENXPC_BEGIN_DECLS

/// Date stamp of this generation of the API; not a feature test.
#define XPC_API_VERSION 20200610

#ifndef OPENXPC_DARWIN_TYPES
#define OPENXPC_DARWIN_TYPES
// Parameters spell the array out: generators of bindings lose the const of a typedef of an array.
typedef unsigned char uuid_t[16];
typedef char uuid_string_t[37];
typedef unsigned int mach_port_t;
typedef pid_t au_asid_t;
typedef struct {
  unsigned int val[8];
} audit_token_t;
#endif

// ---- Types

#define XPC_TYPE(name) const struct _xpc_type_s name
#define XPC_GLOBAL_OBJECT(object) ((xpc_object_t) & (object))
#define XPC_TRANSACTION_DEPRECATED

#define XPC_TYPE_CONNECTION (&_xpc_type_connection)
XPC_EXPORT XPC_TYPE(_xpc_type_connection);
/// A listener that can be connected to, as something to put into a message; it does nothing by
/// itself (rule 127).
#define XPC_TYPE_ENDPOINT (&_xpc_type_endpoint)
XPC_EXPORT XPC_TYPE(_xpc_type_endpoint);
/// "Present but empty", for containers that cannot hold NULL.
#define XPC_TYPE_NULL (&_xpc_type_null)
XPC_EXPORT XPC_TYPE(_xpc_type_null);
#define XPC_TYPE_BOOL (&_xpc_type_bool)
XPC_EXPORT XPC_TYPE(_xpc_type_bool);
#define XPC_TYPE_INT64 (&_xpc_type_int64)
XPC_EXPORT XPC_TYPE(_xpc_type_int64);
#define XPC_TYPE_UINT64 (&_xpc_type_uint64)
XPC_EXPORT XPC_TYPE(_xpc_type_uint64);
#define XPC_TYPE_DOUBLE (&_xpc_type_double)
XPC_EXPORT XPC_TYPE(_xpc_type_double);
/// Nanoseconds from the Unix epoch, negative before it, without leap seconds (rule 22).
#define XPC_TYPE_DATE (&_xpc_type_date)
XPC_EXPORT XPC_TYPE(_xpc_type_date);
#define XPC_TYPE_DATA (&_xpc_type_data)
XPC_EXPORT XPC_TYPE(_xpc_type_data);
/// UTF-8 text without a NUL inside. Other bytes can be stored in a string, but not sent (rule 23).
#define XPC_TYPE_STRING (&_xpc_type_string)
XPC_EXPORT XPC_TYPE(_xpc_type_string);
#define XPC_TYPE_UUID (&_xpc_type_uuid)
XPC_EXPORT XPC_TYPE(_xpc_type_uuid);
#define XPC_TYPE_FD (&_xpc_type_fd)
XPC_EXPORT XPC_TYPE(_xpc_type_fd);
#define XPC_TYPE_SHMEM (&_xpc_type_shmem)
XPC_EXPORT XPC_TYPE(_xpc_type_shmem);
#define XPC_TYPE_ARRAY (&_xpc_type_array)
XPC_EXPORT XPC_TYPE(_xpc_type_array);
#define XPC_TYPE_DICTIONARY (&_xpc_type_dictionary)
XPC_EXPORT XPC_TYPE(_xpc_type_dictionary);
/// The XPC_ERROR_* objects: constant, never counted, read like dictionaries (rule 28).
#define XPC_TYPE_ERROR (&_xpc_type_error)
XPC_EXPORT XPC_TYPE(_xpc_type_error);
#define XPC_TYPE_RICH_ERROR (&_xpc_type_rich_error)
XPC_EXPORT XPC_TYPE(_xpc_type_rich_error);

/// The key under which every error object has a text for people (rule 28).
#define XPC_ERROR_KEY_DESCRIPTION _xpc_error_key_description
XPC_EXPORT const char* const _xpc_error_key_description;
/// The key under which an event has its name.
#define XPC_EVENT_KEY_NAME _xpc_event_key_name
XPC_EXPORT const char* const _xpc_event_key_name;

#if OPENXPC_HAS_BLOCKS
/// Called with each message and error of a connection; the argument is lent.
OPENXPC_BLOCK(void, xpc_handler_t, xpc_object_t object);
/// Called with each entry of a dictionary; returns false to stop.
OPENXPC_BLOCK(bool, xpc_dictionary_applier_t, const char* key, xpc_object_t value);
/// Called with each element of an array; returns false to stop.
OPENXPC_BLOCK(bool, xpc_array_applier_t, size_t index, xpc_object_t value);
#endif

/// Called by xpc_main() with each new client connection, which is lent, inactive, and must be
/// configured and activated, or cancelled.
typedef void (*xpc_connection_handler_t)(xpc_connection_t connection);

// ---- Any object
// Getters given an object of another type, or NULL, return a default, as each says (rule 20): what
// a peer left out cannot end the process. Any other function given an object of a type that it does
// not take, or NULL, ends it with a message that starts "XPC API Misuse:".

/// The type, to be compared with XPC_TYPE_... (rule 5).
XPC_EXPORT XPC_NONNULL1 xpc_type_t xpc_get_type(xpc_object_t object);
/// The bare name of a type: "string", "int64", "dictionary" ... Static (rule 301).
XPC_EXPORT XPC_NONNULL1 const char* xpc_type_get_name(xpc_type_t type);
#ifdef __OBJC__
/// Reads once through the pointer, so that a bad one faults here and not later. Apple's retain and
/// release macros for Objective-C use it.
XPC_INLINE void _xpc_object_validate(xpc_object_t object) { (void)*(const volatile char*)object; }
#endif
/// A deep copy, owned by the caller; the same object with one more reference if it is immutable;
/// NULL for what cannot be copied: connections, sessions, listeners, containers that hold
/// themselves (rule 10).
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT xpc_object_t xpc_copy(xpc_object_t object);
/// Same type and same value. Containers compare deeply; descriptors and connections only equal
/// themselves; endpoints when they name the same listener; doubles as numbers, but a NaN equals a
/// NaN of the same bits (rules 11 to 15).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 bool xpc_equal(xpc_object_t object1, xpc_object_t object2);
/// Equal objects have equal hashes. The value means something in this process only (rule 14).
XPC_EXPORT XPC_NONNULL1 size_t xpc_hash(xpc_object_t object);
/// A text for people, malloc'ed, owned by the caller; its form may change (rules 16, 17).
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT XPC_MALLOC char* xpc_copy_description(xpc_object_t object);

// ---- Scalars

/// The null object; there is one (rule 7).
XPC_EXPORT XPC_WARN_RESULT xpc_object_t xpc_null_create(void);

#define XPC_BOOL_TRUE XPC_GLOBAL_OBJECT(_xpc_bool_true)
XPC_EXPORT const struct _xpc_bool_s _xpc_bool_true;
#define XPC_BOOL_FALSE XPC_GLOBAL_OBJECT(_xpc_bool_false)
XPC_EXPORT const struct _xpc_bool_s _xpc_bool_false;
/// XPC_BOOL_TRUE or XPC_BOOL_FALSE (rule 7).
XPC_EXPORT XPC_WARN_RESULT xpc_object_t xpc_bool_create(bool value);
/// False for any other type.
XPC_EXPORT bool xpc_bool_get_value(xpc_object_t xbool);

XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_int64_create(int64_t value);
/// 0 for any other type, uint64 included.
XPC_EXPORT XPC_NONNULL1 int64_t xpc_int64_get_value(xpc_object_t xint);
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_uint64_create(uint64_t value);
/// 0 for any other type, int64 included.
XPC_EXPORT XPC_NONNULL1 uint64_t xpc_uint64_get_value(xpc_object_t xuint);
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_double_create(double value);
/// NaN for any other type.
XPC_EXPORT XPC_NONNULL1 double xpc_double_get_value(xpc_object_t xdouble);

/// @param interval  nanoseconds from 1970-01-01T00:00:00Z.
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_date_create(int64_t interval);
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_date_create_from_current(void);
/// Nanoseconds from 1970; 0 for any other type.
XPC_EXPORT XPC_NONNULL1 int64_t xpc_date_get_value(xpc_object_t xdate);

// ---- Data, strings, UUIDs

/// Copies `length` bytes. `bytes` may be NULL only with length 0 (rule 24). NULL when there is no
/// memory for it.
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_data_create(const void* bytes,
                                                                   size_t length);
/// Retains the dispatch data instead of copying; what lies in several pieces becomes one now.
/// Misuse: no dispatch library with data objects in the process.
XPC_EXPORT XPC_WARN_RESULT XPC_NONNULL1 xpc_object_t
xpc_data_create_with_dispatch_data(dispatch_data_t ddata);
/// 0 for any other type.
XPC_EXPORT XPC_NONNULL1 size_t xpc_data_get_length(xpc_object_t xdata);
/// Lends the bytes, for as long as the object lives; NULL for any other type (rule 27).
XPC_EXPORT XPC_NONNULL1 const void* xpc_data_get_bytes_ptr(xpc_object_t xdata);
/// Copies up to `length` bytes from `offset` on and returns how many; 0 from beyond the end or
/// another type (rule 25).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 size_t xpc_data_get_bytes(xpc_object_t xdata, void* buffer,
                                                               size_t offset, size_t length);

/// Copies a text that ends with NUL.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT XPC_MALLOC xpc_object_t
xpc_string_create(const char* string);
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT XPC_MALLOC XPC_PRINTF(1, 2) xpc_object_t
    xpc_string_create_with_format(const char* format, ...);
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT XPC_MALLOC XPC_PRINTF(1, 0) xpc_object_t
    xpc_string_create_with_format_and_arguments(const char* format, va_list arguments);
/// Bytes, without the NUL; 0 for any other type.
XPC_EXPORT XPC_NONNULL1 size_t xpc_string_get_length(xpc_object_t xstring);
/// Lends the text, for as long as the object lives; NULL for any other type.
XPC_EXPORT XPC_NONNULL1 const char* xpc_string_get_string_ptr(xpc_object_t xstring);

/// Copies 16 bytes.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT XPC_MALLOC xpc_object_t
xpc_uuid_create(const unsigned char uuid[16]);
/// Lends the 16 bytes; NULL for any other type.
XPC_EXPORT XPC_NONNULL1 const uint8_t* xpc_uuid_get_bytes(xpc_object_t xuuid);

// ---- Descriptors

/// Boxes a duplicate of the descriptor, which stays the caller's; NULL if it is not open or none is
/// left.
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_fd_create(int fd);
/// A new close-on-exec descriptor for the same open file, owned by the caller; -1 on failure and
/// for any other type.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT int xpc_fd_dup(xpc_object_t xfd);

// ---- Shared memory

/// Boxes memory that was mapped by MAP_SHARED, so that the receiver can map the same memory (rule
/// 204). Linux: a mapping of a file goes by a descriptor of it where this process has one open or
/// can open it by name. Any other (MAP_ANONYMOUS) is replaced in place by a file in memory with the
/// same content: during the call no other thread may write to it, and processes that share it by
/// fork() or otherwise do not follow. Memory that came from a memfd can no longer be made smaller.
/// @param region  where a page begins, in a mapping of at least `length` bytes from there on; a
/// file
///   must be mapped from its beginning. @param length bytes, not 0.
/// @return owned; it does not need the creator's mapping any more (rule 313). NULL: the file is not
///   open here and cannot be opened, or no memory or descriptor is left; errno says which.
/// Errors: memory of malloc(), MAP_PRIVATE memory and what is not mapped are misuse (rule 313).
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC XPC_NONNULL1 xpc_object_t xpc_shmem_create(void* region,
                                                                                 size_t length);
/// Maps the memory; each call makes another mapping (rule 205), writable if the creator's was (rule
/// 206). Memory from another process is mapped only if its file cannot shrink under the mapping:
/// files on disk are not; openxpc_shmem_dup_fd() is the way for those who trust the sender.
/// @param region receives the address; munmap() it. @return bytes, whole pages; 0 on failure and
/// for
///   any other type, *region untouched then.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_WARN_RESULT size_t xpc_shmem_map(xpc_object_t xshmem,
                                                                          void** region);

// ---- Arrays
// Getters beyond the end return the default of their type; setters beyond the end are misuse (rule
// 41).

/// Index for the setters: append.
#define XPC_ARRAY_APPEND ((size_t)(-1))

/// Retains each of the `count` objects. `objects` may be NULL only with count 0; an element must
/// not be NULL.
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_array_create(const xpc_object_t* objects,
                                                                    size_t count);
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_array_create_empty(void);
/// Replaces an element, retains the new value; XPC_ARRAY_APPEND appends (rules 39, 304).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL3 void xpc_array_set_value(xpc_object_t xarray, size_t index,
                                                              xpc_object_t value);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_array_append_value(xpc_object_t xarray,
                                                                 xpc_object_t value);
/// 0 for any other type.
XPC_EXPORT XPC_NONNULL1 size_t xpc_array_get_count(xpc_object_t xarray);
/// Lends the element, the very object that was stored (rule 303).
XPC_EXPORT XPC_NONNULL1 xpc_object_t xpc_array_get_value(xpc_object_t xarray, size_t index);
#if OPENXPC_HAS_BLOCKS
/// Calls the block with each element, upwards. Changing the array meanwhile is misuse (rule 38).
/// @return false only if the block returned false (rule 37).
XPC_EXPORT XPC_NONNULL_ALL bool xpc_array_apply(xpc_object_t xarray,
                                                XPC_NOESCAPE xpc_array_applier_t applier);
#endif

XPC_EXPORT XPC_NONNULL1 void xpc_array_set_bool(xpc_object_t xarray, size_t index, bool value);
XPC_EXPORT XPC_NONNULL1 void xpc_array_set_int64(xpc_object_t xarray, size_t index, int64_t value);
XPC_EXPORT XPC_NONNULL1 void xpc_array_set_uint64(xpc_object_t xarray, size_t index,
                                                  uint64_t value);
XPC_EXPORT XPC_NONNULL1 void xpc_array_set_double(xpc_object_t xarray, size_t index, double value);
XPC_EXPORT XPC_NONNULL1 void xpc_array_set_date(xpc_object_t xarray, size_t index, int64_t value);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL3 void xpc_array_set_data(xpc_object_t xarray, size_t index,
                                                             const void* bytes, size_t length);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL3 void xpc_array_set_string(xpc_object_t xarray, size_t index,
                                                               const char* string);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL3 void xpc_array_set_uuid(xpc_object_t xarray, size_t index,
                                                             const unsigned char uuid[16]);
/// Stores a box with a duplicate of `fd`; one that is not open is misuse. When the process has no
/// descriptor left, null is stored.
XPC_EXPORT XPC_NONNULL1 void xpc_array_set_fd(xpc_object_t xarray, size_t index, int fd);
/// Stores an endpoint of the connection, which is not retained (rule 43).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL3 void xpc_array_set_connection(xpc_object_t xarray,
                                                                   size_t index,
                                                                   xpc_connection_t connection);

XPC_EXPORT XPC_NONNULL1 bool xpc_array_get_bool(xpc_object_t xarray, size_t index);
XPC_EXPORT XPC_NONNULL1 int64_t xpc_array_get_int64(xpc_object_t xarray, size_t index);
XPC_EXPORT XPC_NONNULL1 uint64_t xpc_array_get_uint64(xpc_object_t xarray, size_t index);
/// NaN on a mismatch.
XPC_EXPORT XPC_NONNULL1 double xpc_array_get_double(xpc_object_t xarray, size_t index);
XPC_EXPORT XPC_NONNULL1 int64_t xpc_array_get_date(xpc_object_t xarray, size_t index);
/// Lends the bytes; NULL on a mismatch, and then *length is 0. `length` may be NULL.
XPC_EXPORT XPC_NONNULL1 const void* xpc_array_get_data(xpc_object_t xarray, size_t index,
                                                       size_t* length);
XPC_EXPORT XPC_NONNULL1 const char* xpc_array_get_string(xpc_object_t xarray, size_t index);
/// Lends 16 bytes; NULL on a mismatch (rule 44).
XPC_EXPORT XPC_NONNULL1 const uint8_t* xpc_array_get_uuid(xpc_object_t xarray, size_t index);
/// A new descriptor, owned by the caller; -1 on a mismatch.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT int xpc_array_dup_fd(xpc_object_t xarray, size_t index);
/// A new inactive connection to the endpoint at `index`, another one each time; NULL on a mismatch
/// (rule 43).
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT XPC_MALLOC xpc_connection_t
xpc_array_create_connection(xpc_object_t xarray, size_t index);
/// Lends it; NULL on a mismatch (rule 45).
XPC_EXPORT XPC_NONNULL1 xpc_object_t xpc_array_get_dictionary(xpc_object_t xarray, size_t index);
XPC_EXPORT XPC_NONNULL1 xpc_object_t xpc_array_get_array(xpc_object_t xarray, size_t index);

// ---- Dictionaries
// Keys are C strings and are copied (rule 35). A key that is absent reads like one of another type.

/// Retains the values; a NULL among them makes no entry, the last of equal keys wins (rules 33,
/// 46). Both arrays may be NULL only with count 0.
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_dictionary_create(const char* const* keys,
                                                                         const xpc_object_t* values,
                                                                         size_t count);
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_dictionary_create_empty(void);
/// A new dictionary that answers `original`, a received message; NULL if that wants no answer, or
/// already has one.
XPC_EXPORT XPC_WARN_RESULT XPC_NONNULL_ALL xpc_object_t
xpc_dictionary_create_reply(xpc_object_t original);
/// Stores a value and retains it; NULL removes the key (rules 31, 32).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_dictionary_set_value(xpc_object_t xdict,
                                                                   const char* key,
                                                                   xpc_object_t value);
/// Lends the value, the very object that was stored; NULL if there is none (rule 303).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 xpc_object_t xpc_dictionary_get_value(xpc_object_t xdict,
                                                                           const char* key);
/// 0 for any other type.
XPC_EXPORT XPC_NONNULL1 size_t xpc_dictionary_get_count(xpc_object_t xdict);
#if OPENXPC_HAS_BLOCKS
/// Calls the block with each entry, in no order that anyone may rely on. Changing the dictionary
/// meanwhile is misuse (rule 38).
/// @return false only if the block returned false (rule 37).
XPC_EXPORT XPC_NONNULL_ALL bool xpc_dictionary_apply(xpc_object_t xdict,
                                                     XPC_NOESCAPE xpc_dictionary_applier_t applier);
#endif
/// Lends the connection over which a received message can be answered; NULL for any other
/// dictionary.
XPC_EXPORT XPC_NONNULL_ALL xpc_connection_t
xpc_dictionary_get_remote_connection(xpc_object_t xdict);

XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_dictionary_set_bool(xpc_object_t xdict,
                                                                  const char* key, bool value);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_dictionary_set_int64(xpc_object_t xdict,
                                                                   const char* key, int64_t value);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_dictionary_set_uint64(xpc_object_t xdict,
                                                                    const char* key,
                                                                    uint64_t value);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_dictionary_set_double(xpc_object_t xdict,
                                                                    const char* key, double value);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_dictionary_set_date(xpc_object_t xdict,
                                                                  const char* key, int64_t value);
/// Copies the bytes.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_dictionary_set_data(xpc_object_t xdict,
                                                                  const char* key,
                                                                  const void* bytes, size_t length);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_NONNULL3 void xpc_dictionary_set_string(
    xpc_object_t xdict, const char* key, const char* string);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_NONNULL3 void xpc_dictionary_set_uuid(
    xpc_object_t xdict, const char* key, const unsigned char uuid[16]);
/// Stores a box with a duplicate of `fd`; one that is not open is misuse. When the process has no
/// descriptor left, the key is removed.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_dictionary_set_fd(xpc_object_t xdict, const char* key,
                                                                int fd);
/// Stores an endpoint of the connection, which is not retained (rule 43).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_NONNULL3 void xpc_dictionary_set_connection(
    xpc_object_t xdict, const char* key, xpc_connection_t connection);

/// There are no Mach rights on Linux: removes the key, and the other returns 0 (MACH_PORT_NULL). To
/// hand on the way to a listener store an endpoint, to hand on an open file a descriptor (rule
/// 211).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_dictionary_set_mach_send(xpc_object_t xdict,
                                                                       const char* key,
                                                                       mach_port_t port);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_WARN_RESULT mach_port_t
xpc_dictionary_copy_mach_send(xpc_object_t xdict, const char* key);

XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 bool xpc_dictionary_get_bool(xpc_object_t xdict,
                                                                  const char* key);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 int64_t xpc_dictionary_get_int64(xpc_object_t xdict,
                                                                      const char* key);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 uint64_t xpc_dictionary_get_uint64(xpc_object_t xdict,
                                                                        const char* key);
/// NaN on a mismatch.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 double xpc_dictionary_get_double(xpc_object_t xdict,
                                                                      const char* key);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 int64_t xpc_dictionary_get_date(xpc_object_t xdict,
                                                                     const char* key);
/// Lends the bytes; NULL on a mismatch, and then *length is 0. `length` may be NULL.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 const void* xpc_dictionary_get_data(xpc_object_t xdict,
                                                                         const char* key,
                                                                         size_t* length);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 const char* xpc_dictionary_get_string(xpc_object_t xdict,
                                                                           const char* key);
/// Lends 16 bytes; NULL on a mismatch.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 const uint8_t* xpc_dictionary_get_uuid(xpc_object_t xdict,
                                                                            const char* key);
/// A new descriptor, owned by the caller; -1 on a mismatch.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_WARN_RESULT int xpc_dictionary_dup_fd(xpc_object_t xdict,
                                                                               const char* key);
/// A new inactive connection to the endpoint under `key`, another one each time; NULL on a mismatch
/// (rule 43).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_WARN_RESULT XPC_MALLOC xpc_connection_t
xpc_dictionary_create_connection(xpc_object_t xdict, const char* key);
/// Lends it; NULL on a mismatch (rule 45).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 xpc_object_t xpc_dictionary_get_dictionary(xpc_object_t xdict,
                                                                                const char* key);
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 xpc_object_t xpc_dictionary_get_array(xpc_object_t xdict,
                                                                           const char* key);

// ---- A service

/// Runs a service whose job declares exactly one name: calls `handler` with each new client. Does
/// not return.
XPC_EXPORT XPC_NORETURN XPC_NONNULL1 void xpc_main(xpc_connection_handler_t handler);
/// Between these the service is not idle and is not asked to exit (rules 167, 172). Each message of
/// a client counts too, from before its handler is called until the message object, or the reply
/// made of it, is gone or sent (rules 168 to 170). When the process was asked to end meanwhile, the
/// last end lets it end (rule 173). Ending more than was begun is misuse (rule 174). Threads: any.
XPC_EXPORT void xpc_transaction_begin(void);
XPC_EXPORT void xpc_transaction_end(void);

#if OPENXPC_HAS_BLOCKS
/// Sets the one handler of this process for the events of a stream: dictionaries with
/// XPC_EVENT_KEY_NAME. A second one for the same stream is misuse (rule 198).
/// Events come from the service manager to processes that it started; xpc_events(3) lists the
/// streams. Each counts as consumed once the handler has returned: one that a process did not get
/// to handle goes to the job's next process.
/// @param stream copied. @param targetq where the handler runs; NULL: a default concurrent queue.
/// @param handler copied, kept as long as the process.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL3 void xpc_set_event_stream_handler(const char* stream,
                                                                       dispatch_queue_t targetq,
                                                                       xpc_handler_t handler);
#endif

OPENXPC_END_DECLS

#include <xpc/activity.h>
#include <xpc/connection.h>
#include <xpc/debug.h>
#include <xpc/endpoint.h>
#include <xpc/listener.h>
#include <xpc/peer_requirement.h>
#include <xpc/rich_error.h>
#include <xpc/session.h>

#endif
