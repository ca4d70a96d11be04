#ifndef XPC_OPENXPC_VALUE_H
#define XPC_OPENXPC_VALUE_H

/// Writing values as openxpc_dictionary_read() reads them, and saying what was wrong with one: for
/// languages with types of their own, the C++ API first. Threads: as in object.h.

#include <xpc/openxpc/error.h>
#include <xpc/openxpc/object.h>

OPENXPC_BEGIN_DECLS

/// An object out of a described value; owned. Texts and bytes are copied, a descriptor is
/// duplicated, `as.object` is retained (containers, endpoints and the rest). Misuse: text that is
/// not UTF-8 or holds a NUL, a descriptor that is not open, a type that needs an object without
/// one.
XPC_EXPORT xpc_object_t openxpc_value_create(const openxpc_value_t* value) XPC_WARN_RESULT;
/// Stores a described value under a key, without an object where the type allows; as above. The
/// type NONE removes the key.
XPC_EXPORT void openxpc_dictionary_write(xpc_object_t dictionary, const char* key,
                                         size_t key_length, const openxpc_value_t* value);
/// Stores at `index` or appends (SIZE_MAX). Misuse beyond the end, and as above. The type NONE
/// stores null.
XPC_EXPORT void openxpc_array_write(xpc_object_t array, size_t index, const openxpc_value_t* value);

/// A key with a value, described or as an object. All lent for the call.
typedef struct openxpc_entry {
  const char* key;
  size_t key_length;             ///< bytes
  const openxpc_value_t* value;  ///< looked at if there is no object
  xpc_object_t object;           ///< or NULL
} openxpc_entry_t;
/// A dictionary of these entries; owned. The same as an empty one that is written to `count` times,
/// misuse included: of equal keys the last one stays, the type NONE removes the key. But keys and
/// plain values are copied once, to where they will be sent from.
XPC_EXPORT xpc_object_t openxpc_dictionary_create_with(const openxpc_entry_t* entries,
                                                       size_t count) XPC_WARN_RESULT;

/// A dictionary, or an array, without entries; owned.
XPC_EXPORT xpc_object_t openxpc_dictionary_create(void) XPC_WARN_RESULT;
XPC_EXPORT xpc_object_t openxpc_array_create(void) XPC_WARN_RESULT;
/// Lends an element as an object, the same one each time; NULL beyond the end.
XPC_EXPORT xpc_object_t openxpc_array_get_value(xpc_object_t array, size_t index);

/// xpc_equal(), xpc_hash() and xpc_copy_description(), without <xpc/xpc.h>.
XPC_EXPORT bool openxpc_object_equal(xpc_object_t one, xpc_object_t other);
XPC_EXPORT size_t openxpc_object_hash(xpc_object_t object);
XPC_EXPORT char* openxpc_object_copy_description(xpc_object_t object) XPC_WARN_RESULT;

/// Duplicates a descriptor, close-on-exec; -1 with errno.
XPC_EXPORT int openxpc_fd_duplicate(int borrowed_fd);
/// Closes a descriptor; nothing for a negative one.
XPC_EXPORT void openxpc_fd_close(int owned_fd);

/// The error of a read that found something else: "KEY: expected EXPECTED, found string", and
/// missing_key, wrong_type or, when the type would have done, out_of_range with the number.
/// @param key NULL: no place is named. @param expected static text, e.g. "int32".
/// @param found NULL: nothing was there.
XPC_EXPORT xpc_rich_error_t
openxpc_error_create_reading(const char* key, size_t key_length, const char* expected,
                             const openxpc_value_t* found) XPC_WARN_RESULT;
/// The same error with words in front of its message, all else kept.
XPC_EXPORT xpc_rich_error_t openxpc_error_create_within(xpc_rich_error_t error, const char* context,
                                                        size_t context_length) XPC_WARN_RESULT;
/// The same for a step of a path, a key or "[3]": joined as in "rows[3].size: expected ...".
XPC_EXPORT xpc_rich_error_t openxpc_error_create_below(xpc_rich_error_t error, const char* step,
                                                       size_t step_length) XPC_WARN_RESULT;

OPENXPC_END_DECLS

#endif
