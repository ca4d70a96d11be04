#ifndef XPC_OPENXPC_OBJECT_H
#define XPC_OPENXPC_OBJECT_H

#include <xpc/openxpc/types.h>

/// What Apple's object functions lack and other languages need: keys and strings with their length,
/// reading without making objects, iteration by function pointer, descriptors that change owner,
/// copy on write, and the encoding for tools.
///
/// Keys here are `key_length` bytes of UTF-8 without a NUL and need no NUL behind them; a key with
/// a NUL inside is misuse. Passing NULL for a dictionary, array or key is misuse; passing an object
/// of another type reads as "missing" in every function that reads, and is misuse in every function
/// that changes. Threads: several threads may read one object at the same time; a container that
/// one thread changes must not be used by another at that time (rule 19).

OPENXPC_BEGIN_DECLS

/// The kind of object as a number; OPENXPC_TYPE_NONE for NULL.
XPC_EXPORT openxpc_type_t openxpc_type_id(xpc_object_t object);
/// The name of a kind as xpc_type_get_name() gives it, e.g. "int64"; "none" for OPENXPC_TYPE_NONE.
/// Static.
XPC_EXPORT const char* openxpc_type_name(openxpc_type_t type);

// ---- Reading without objects

/// A value as it stands, no object made. Pointers are lent: they live until the key is changed or
/// the container dies.
typedef struct openxpc_value {
  openxpc_type_t type;
  int borrowed_fd;  ///< fd and endpoint: the descriptor, lent; else -1
  union {
    bool boolean;
    int64_t int64;  ///< int64, and date as nanoseconds since 1970
    uint64_t uint64;
    double real;
    const void* bytes;    ///< data, `size` bytes; uuid, 16 bytes
    const char* text;     ///< string, `size` bytes without the NUL that stands behind them
    xpc_object_t object;  ///< lent, for what has no simpler form (error, rich error, connection
                          ///< ...) where an object exists
  } as;
  size_t size;  ///< data and string: bytes; array and dictionary: number of elements; else 0
} openxpc_value_t;

/// What a typed read found: OPENXPC_FOUND, OPENXPC_MISSING, or else the openxpc_type_t of the value
/// that stands there instead.
typedef int openxpc_read_t;
enum { OPENXPC_FOUND = 0, OPENXPC_MISSING = -1 };

/// Describes an object. False, `out` untouched, for NULL.
XPC_EXPORT bool openxpc_object_read(xpc_object_t object, openxpc_value_t* out);
/// Describes the value of a key. False, `out` untouched, when there is none or `dictionary` is no
/// dictionary.
XPC_EXPORT bool openxpc_dictionary_read(xpc_object_t dictionary, const char* key, size_t key_length,
                                        openxpc_value_t* out);
/// Describes an element. False, `out` untouched, beyond the end or when `array` is no array.
XPC_EXPORT bool openxpc_array_read(xpc_object_t array, size_t index, openxpc_value_t* out);

// Typed reads. Only OPENXPC_FOUND writes to the outputs. Nothing converts: an int64 is not found as
// uint64 (rule 20).
XPC_EXPORT openxpc_read_t openxpc_dictionary_get_bool_if(xpc_object_t dictionary, const char* key,
                                                         size_t key_length, bool* out);
XPC_EXPORT openxpc_read_t openxpc_dictionary_get_int64_if(xpc_object_t dictionary, const char* key,
                                                          size_t key_length, int64_t* out);
XPC_EXPORT openxpc_read_t openxpc_dictionary_get_uint64_if(xpc_object_t dictionary, const char* key,
                                                           size_t key_length, uint64_t* out);
XPC_EXPORT openxpc_read_t openxpc_dictionary_get_double_if(xpc_object_t dictionary, const char* key,
                                                           size_t key_length, double* out);
/// Nanoseconds since 1970.
XPC_EXPORT openxpc_read_t openxpc_dictionary_get_date_if(xpc_object_t dictionary, const char* key,
                                                         size_t key_length, int64_t* out);
/// Lends the bytes.
XPC_EXPORT openxpc_read_t openxpc_dictionary_get_data_if(xpc_object_t dictionary, const char* key,
                                                         size_t key_length, const void** bytes,
                                                         size_t* size);
/// Lends the text; a NUL stands behind its `length` bytes.
XPC_EXPORT openxpc_read_t openxpc_dictionary_get_string_if(xpc_object_t dictionary, const char* key,
                                                           size_t key_length, const char** text,
                                                           size_t* length);
/// Copies the 16 bytes.
XPC_EXPORT openxpc_read_t openxpc_dictionary_get_uuid_if(xpc_object_t dictionary, const char* key,
                                                         size_t key_length, uint8_t out[16]);
/// Lends the descriptor.
XPC_EXPORT openxpc_read_t openxpc_dictionary_get_fd_if(xpc_object_t dictionary, const char* key,
                                                       size_t key_length, int* borrowed_fd);

// ---- Dictionaries

/// Lends the value of a key as an object, the same one each time (rule 303); NULL when there is
/// none.
XPC_EXPORT xpc_object_t openxpc_dictionary_get_value(xpc_object_t dictionary, const char* key,
                                                     size_t key_length);
/// Stores a value and retains it; NULL removes the key (rules 31, 32).
XPC_EXPORT void openxpc_dictionary_set_value(xpc_object_t dictionary, const char* key,
                                             size_t key_length, xpc_object_t value);
/// Stores a value and takes over the caller's reference. `value` must not be NULL.
XPC_EXPORT void openxpc_dictionary_put(xpc_object_t dictionary, const char* key, size_t key_length,
                                       xpc_object_t owned_value);
/// Moves a value out: the key is removed and the caller owns a reference to what it held. NULL when
/// there is none.
XPC_EXPORT xpc_object_t openxpc_dictionary_take(xpc_object_t dictionary, const char* key,
                                                size_t key_length) XPC_WARN_RESULT;
/// Removes a key; false when there was none.
XPC_EXPORT bool openxpc_dictionary_remove(xpc_object_t dictionary, const char* key,
                                          size_t key_length);

XPC_EXPORT void openxpc_dictionary_set_bool(xpc_object_t dictionary, const char* key,
                                            size_t key_length, bool value);
XPC_EXPORT void openxpc_dictionary_set_int64(xpc_object_t dictionary, const char* key,
                                             size_t key_length, int64_t value);
XPC_EXPORT void openxpc_dictionary_set_uint64(xpc_object_t dictionary, const char* key,
                                              size_t key_length, uint64_t value);
XPC_EXPORT void openxpc_dictionary_set_double(xpc_object_t dictionary, const char* key,
                                              size_t key_length, double value);
XPC_EXPORT void openxpc_dictionary_set_date(xpc_object_t dictionary, const char* key,
                                            size_t key_length, int64_t nanoseconds);
XPC_EXPORT void openxpc_dictionary_set_data(xpc_object_t dictionary, const char* key,
                                            size_t key_length, const void* bytes, size_t size);
/// False, nothing changed, when the text is not UTF-8 or has a NUL inside.
XPC_EXPORT bool openxpc_dictionary_set_string(xpc_object_t dictionary, const char* key,
                                              size_t key_length, const char* text, size_t length);
XPC_EXPORT void openxpc_dictionary_set_uuid(xpc_object_t dictionary, const char* key,
                                            size_t key_length, const uint8_t uuid[16]);

/// Called with each entry; the key has `key_length` bytes and a NUL behind them. Returns false to
/// stop.
typedef bool (*openxpc_dictionary_applier_t)(void* context, const char* key, size_t key_length,
                                             xpc_object_t value);
/// Calls `applier` for each entry, in no order that anyone may rely on. The dictionary must not be
/// changed meanwhile: misuse (rule 38). @return false only if the applier returned false (rule 37).
XPC_EXPORT bool openxpc_dictionary_apply_f(xpc_object_t dictionary, void* context,
                                           openxpc_dictionary_applier_t applier);
/// The same without making objects.
typedef bool (*openxpc_dictionary_reader_t)(void* context, const char* key, size_t key_length,
                                            const openxpc_value_t* value);
XPC_EXPORT bool openxpc_dictionary_read_each_f(xpc_object_t dictionary, void* context,
                                               openxpc_dictionary_reader_t reader);

/// The function-pointer twins of xpc_dictionary_apply and xpc_array_apply under the names of
/// Apple's private ones, which cannot stop early.
typedef void (*xpc_dictionary_applier_f)(const char* key, xpc_object_t value, void* context);
XPC_EXPORT void xpc_dictionary_apply_f(xpc_object_t dictionary, void* context,
                                       xpc_dictionary_applier_f applier);
typedef void (*xpc_array_applier_f)(size_t index, xpc_object_t value, void* context);
XPC_EXPORT void xpc_array_apply_f(xpc_object_t array, void* context, xpc_array_applier_f applier);

// ---- Arrays

/// Stores at `index`, or appends when it is XPC_ARRAY_APPEND (SIZE_MAX), and takes over the
/// caller's reference.
XPC_EXPORT void openxpc_array_put(xpc_object_t array, size_t index, xpc_object_t owned_value);
/// Moves an element out; null takes its place. NULL beyond the end.
XPC_EXPORT xpc_object_t openxpc_array_take(xpc_object_t array, size_t index) XPC_WARN_RESULT;
/// Removes an element, those behind it move up; false beyond the end.
XPC_EXPORT bool openxpc_array_remove(xpc_object_t array, size_t index);
typedef bool (*openxpc_array_applier_t)(void* context, size_t index, xpc_object_t value);
/// Calls `applier` for each element, upwards; like openxpc_dictionary_apply_f().
XPC_EXPORT bool openxpc_array_apply_f(xpc_object_t array, void* context,
                                      openxpc_array_applier_t applier);
typedef bool (*openxpc_array_reader_t)(void* context, size_t index, const openxpc_value_t* value);
XPC_EXPORT bool openxpc_array_read_each_f(xpc_object_t array, void* context,
                                          openxpc_array_reader_t reader);

// ---- Strings and data

/// A string of `length` bytes. NULL when they are not UTF-8 or hold a NUL.
XPC_EXPORT xpc_object_t openxpc_string_create_with_length(const char* text,
                                                          size_t length) XPC_WARN_RESULT;
/// Lends the text and its length in one call; NULL, `length` untouched, for any other type.
XPC_EXPORT const char* openxpc_string_get_text(xpc_object_t string, size_t* length);

/// A data object over bytes that stay where they are. @param release  called once with `context`
/// when the last reader is gone, on whichever thread that is; may be NULL for bytes that live for
/// ever. The bytes must not change meanwhile.
XPC_EXPORT xpc_object_t openxpc_data_create_with_owner(
    const void* bytes, size_t size, void* context, void (*release)(void* context)) XPC_WARN_RESULT;
/// A data object whose `capacity` bytes the caller fills in place through `*bytes` before anyone
/// else sees the object. NULL when there is no memory for it.
XPC_EXPORT xpc_object_t openxpc_data_create_blank(size_t capacity, void** bytes) XPC_WARN_RESULT;
/// Ends the filling: from now on the bytes are constant, and only the first `size` of them count.
/// Misuse if `data` is not from openxpc_data_create_blank(), is already finished, or `size` is
/// beyond its capacity.
XPC_EXPORT void openxpc_data_finish(xpc_object_t data, size_t size);

// ---- Descriptors and endpoints

/// Boxes a descriptor and becomes its owner (xpc_fd_create duplicates it). NULL, the descriptor
/// still the caller's, when it is not open.
XPC_EXPORT xpc_object_t openxpc_fd_create_owned(int owned_fd) XPC_WARN_RESULT;
/// Lends the boxed descriptor, valid as long as the object; -1 for any other type.
XPC_EXPORT int openxpc_fd_get_borrowed(xpc_object_t fd);
/// An endpoint out of an O_PATH descriptor of a listening socket's file, which it becomes the owner
/// of. NULL, the descriptor still the caller's, when it is not an open descriptor of a socket.
XPC_EXPORT xpc_endpoint_t openxpc_endpoint_create_from_fd(int owned_fd) XPC_WARN_RESULT;
/// A new close-on-exec O_PATH descriptor of the endpoint's socket file, owned by the caller; -1
/// with errno set.
XPC_EXPORT int openxpc_endpoint_dup_fd(xpc_endpoint_t endpoint);

// ---- Shared memory

/// Shared memory out of the beginning of a file, as a rule a memfd. A memfd can no longer be made
/// smaller then; one that was sealed against sealing, and a file on disk, cannot be mapped by
/// receivers (xpc_shmem_map()). @param borrowed_fd stays the caller's. @return owned; NULL with
/// errno set: EINVAL for what is no regular file, for length 0, and when the file is shorter.
XPC_EXPORT xpc_object_t openxpc_shmem_create_from_fd(int borrowed_fd,
                                                     size_t length) XPC_WARN_RESULT;
/// A new close-on-exec descriptor of the memory, owned by the caller; -1 with errno set, EINVAL for
/// any other type. What a peer sent may be any file, of any size, that shrinks at any time.
XPC_EXPORT int openxpc_shmem_dup_fd(xpc_object_t shmem);
/// How many bytes count; 0 for any other type. A peer may have said any number.
XPC_EXPORT uint64_t openxpc_shmem_get_length(xpc_object_t shmem);

// ---- Copy on write, encoding

/// Trades the caller's reference for one to an object that only the caller holds: the same pointer
/// when it held the only reference, else a shallow copy whose children are shared. Immutable
/// objects come back as they are. A copy carries neither the right to reply nor the remote
/// connection of a received message.
XPC_EXPORT xpc_object_t openxpc_object_unshare(xpc_object_t owned_object) XPC_WARN_RESULT;

/// Which of the two headers an encoded object starts with.
typedef enum openxpc_encoding {
  OPENXPC_ENCODING_FILE = 0,   ///< portable (0x42133742): files and devices; no descriptors
  OPENXPC_ENCODING_NATIVE = 1  ///< what local channels carry; no file transfers
} openxpc_encoding_t;

/// Encodes a dictionary as a message would be. @param bytes  malloc'ed, owned by the caller.
/// @return false with `*error` (owned by the caller; may be NULL) for what cannot be written as
/// bytes alone (descriptors, endpoints, connections), cycles, and nesting deeper than 64; the
/// message names the path.
XPC_EXPORT bool openxpc_object_encode(xpc_object_t dictionary, openxpc_encoding_t encoding,
                                      void** bytes, size_t* size, xpc_rich_error_t* error);
/// Decodes bytes that nobody vouches for. @return an owned dictionary, or NULL with `*error` (may
/// be NULL), code malformed, message "offset N: reason".
XPC_EXPORT xpc_object_t openxpc_object_decode(const void* bytes, size_t size,
                                              openxpc_encoding_t encoding,
                                              xpc_rich_error_t* error) XPC_WARN_RESULT;

/// The announcement of a file that follows in a stream of its own (RemoteXPC): an id and an object,
/// by custom {"s": size}.
XPC_EXPORT xpc_object_t openxpc_file_transfer_create(uint64_t id,
                                                     xpc_object_t object) XPC_WARN_RESULT;
/// The id; 0 for any other type.
XPC_EXPORT uint64_t openxpc_file_transfer_get_id(xpc_object_t transfer);
/// Lends the object; NULL for any other type.
XPC_EXPORT xpc_object_t openxpc_file_transfer_get_object(xpc_object_t transfer);

OPENXPC_END_DECLS

#endif
