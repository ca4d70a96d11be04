#ifndef XPC_OPENXPC_PLIST_H
#define XPC_OPENXPC_PLIST_H

#include <xpc/openxpc/error.h>
#include <xpc/openxpc/types.h>

/// Property lists and JSON to objects and back. Link with xpc-plist (pkg-config openxpc-plist);
/// libxpc itself does without.
///
/// What every reader here refuses, with the place: more than 64 MiB of input, containers nested
/// deeper than 64, more than 1,048,576 values, more than 128 MiB of text and data, a key that
/// stands twice in one dictionary, numbers that do not fit exactly, NUL characters, text that is
/// not Unicode. Integers become int64, or uint64 beyond its end. Errors have the code
/// OPENXPC_ERROR_MALFORMED and a message "NAME:LINE:COLUMN: reason" (text; from 1, the column in
/// characters) or "NAME: offset N: reason" (binary property lists). Every `error` may be NULL; it
/// is set only on failure and is then owned by the caller. Threads: every function from any thread;
/// a locations object may be read by several threads at once.

OPENXPC_BEGIN_DECLS

// ---- Reading
// --------------------------------------------------------------------------------------------------------

/// Reads an XML or binary property list, or JSON; the bytes tell which it is. In XML only the five
/// entities and character references are known, and a DOCTYPE must come without declarations of its
/// own. Binary: sets and UIDs are refused.
/// @param name  what errors call the input, e.g. its file name; NULL: "property list"
/// @return an owned object of any type, or NULL with `*error`
XPC_EXPORT xpc_object_t openxpc_plist_parse(const void* bytes, size_t size, const char* name,
                                            xpc_rich_error_t* error) XPC_WARN_RESULT;

/// Where each value of a property list or JSON text was found.
typedef struct openxpc_plist_locations_s* openxpc_plist_locations_t;
typedef struct openxpc_plist_location {
  size_t key_offset;  ///< of the key; in an array and at the root that of the value. Bytes from the
                      ///< start; binary: the object's offset
  size_t offset;      ///< of the value
  uint32_t key_line;  ///< from 1; 0 in a binary property list
  uint32_t key_column;
  uint32_t line;  ///< of the value
  uint32_t column;
} openxpc_plist_location_t;

/// The same, and tells where things were, so that whoever judges the content can name the line.
/// @param locations  set on success; owned by the caller, to be given to
/// openxpc_plist_locations_destroy()
XPC_EXPORT xpc_object_t openxpc_plist_parse_with_locations(const void* bytes, size_t size,
                                                           const char* name,
                                                           openxpc_plist_locations_t* locations,
                                                           xpc_rich_error_t* error) XPC_WARN_RESULT;
/// Finds the value at a path: a key for each dictionary on the way, a decimal index for each array;
/// the empty path is the root.
/// @return false, `out` untouched, when there is nothing
XPC_EXPORT bool openxpc_plist_locations_find(openxpc_plist_locations_t locations,
                                             const char* const* path, size_t path_length,
                                             openxpc_plist_location_t* out);
XPC_EXPORT void openxpc_plist_locations_destroy(openxpc_plist_locations_t locations);

/// Reads JSON (RFC 8259): integers exactly as above, other numbers as double, null as null.
XPC_EXPORT xpc_object_t openxpc_json_parse(const char* text, size_t size, const char* name,
                                           xpc_rich_error_t* error) XPC_WARN_RESULT;

/// Reads typed JSON, in which each value says its type:
/// {"type":"dictionary","value":[["key",{"type":"int64","value":"5"}]]}. Types and values: null (no
/// value); bool true or false; int64, uint64 and date (nanoseconds since 1970) a decimal string;
/// double "bits", the IEEE 754 pattern as "0x" and 16 digits
/// ("value" is for people and not read); data as hexadecimal digits; string; uuid; array a list;
/// dictionary a list of [key, value]; file_transfer {"id": decimal string, "object": value}.
XPC_EXPORT xpc_object_t openxpc_typed_json_parse(const char* text, size_t size, const char* name,
                                                 xpc_rich_error_t* error) XPC_WARN_RESULT;

/// Apple's private function: an owned object out of an XML or binary property list, or NULL.
XPC_EXPORT xpc_object_t xpc_create_from_plist(const void* bytes, size_t size) XPC_WARN_RESULT;

// ---- Writing
// --------------------------------------------------------------------------------------------------------
// Each returns malloc'ed memory that the caller frees, and sets `*size` (may be NULL) to its
// length; texts have a NUL behind them, which does not count. NULL with `*error`, code
// OPENXPC_ERROR_INVALID_ARGUMENT, naming the path of the value that has no form in that notation;
// also for nesting deeper than 64.

/// An XML property list. Dates keep their nanoseconds as a fraction, which Apple's own reader does
/// not know; whole seconds are written as it does. Refused: null, uuid, descriptors and all else
/// that no property list holds, and text with control characters that XML cannot hold.
XPC_EXPORT char* openxpc_plist_write_xml(xpc_object_t object, size_t* size,
                                         xpc_rich_error_t* error) XPC_WARN_RESULT;
/// A binary property list (bplist00). Its dates are a double of seconds since 2001, good to about
/// 100 ns today.
XPC_EXPORT void* openxpc_plist_write_binary(xpc_object_t object, size_t* size,
                                            xpc_rich_error_t* error) XPC_WARN_RESULT;

typedef uint32_t openxpc_json_flags_t;
enum {
  OPENXPC_JSON_COMPACT = 0,  ///< one line, no spaces
  OPENXPC_JSON_PRETTY = 1    ///< indented by two spaces; no line end behind the last line
};
/// JSON for people and scripts. What JSON lacks is written as a string: a date as
/// "2026-11-24T12:34:56.5Z", a uuid as its 36 characters, data as "data:;base64,AAEC", not-a-number
/// and infinities as "NaN", "Infinity", "-Infinity", and a descriptor, an endpoint, a connection
/// and the like as "<fd>", "<endpoint>", "<connection>". So this reads back as another object; use
/// typed JSON to keep types.
XPC_EXPORT char* openxpc_json_write(xpc_object_t object, openxpc_json_flags_t flags, size_t* size,
                                    xpc_rich_error_t* error) XPC_WARN_RESULT;
/// The typed JSON that openxpc_typed_json_parse() reads. What exists only in this process
/// (descriptors, endpoints, connections) is written as {"type":"fd"} and the like, which cannot be
/// read back.
XPC_EXPORT char* openxpc_typed_json_write(xpc_object_t object, openxpc_json_flags_t flags,
                                          size_t* size, xpc_rich_error_t* error) XPC_WARN_RESULT;

OPENXPC_END_DECLS

#endif
