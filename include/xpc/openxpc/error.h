#ifndef XPC_OPENXPC_ERROR_H
#define XPC_OPENXPC_ERROR_H

#include <xpc/openxpc/types.h>

/// Errors with a code, a reason and a remedy. They are xpc_rich_error_t objects (type
/// XPC_TYPE_RICH_ERROR): immutable, counted by xpc_retain and xpc_release, usable from any thread.
/// Texts are lent and live as long as the error.

OPENXPC_BEGIN_DECLS

/// Why something failed. The numbers travel between processes and never change.
typedef enum openxpc_error_code {
  OPENXPC_ERROR_NONE = 0,
  OPENXPC_ERROR_NOT_FOUND = 1,  ///< no service of that name here
  OPENXPC_ERROR_NO_DOMAIN =
      2,  ///< no service manager in this domain; the remedy says how to start one
  OPENXPC_ERROR_DENIED = 3,           ///< the name is not for this user
  OPENXPC_ERROR_LAUNCH_FAILED = 4,    ///< the service cannot be started or keeps dying
  OPENXPC_ERROR_INTERRUPTED = 5,      ///< the other process went away in the middle
  OPENXPC_ERROR_CANCELED = 6,         ///< this side cancelled, or used a conversation that is over
  OPENXPC_ERROR_PEER_REFUSED = 7,     ///< the peer does not meet our requirement
  OPENXPC_ERROR_REFUSED = 8,          ///< the peer did not want us
  OPENXPC_ERROR_INCOMPATIBLE = 9,     ///< versions do not meet
  OPENXPC_ERROR_UNKNOWN_METHOD = 10,  ///< no such method or operation
  OPENXPC_ERROR_TIMED_OUT = 11,       ///< the deadline passed
  OPENXPC_ERROR_NO_REPLY = 12,        ///< the request was dropped unanswered
  OPENXPC_ERROR_SERVICE_FAILED = 13,  ///< the handler threw
  OPENXPC_ERROR_REMOTE =
      14,  ///< the service's own error: domain, number and message are the service's
  OPENXPC_ERROR_WOULD_BLOCK = 15,   ///< the limit of unsent bytes is reached
  OPENXPC_ERROR_TOO_LARGE = 16,     ///< over the receiver's message limit
  OPENXPC_ERROR_TOO_MANY = 17,      ///< too many unanswered requests, or clients without hello
  OPENXPC_ERROR_MISSING_KEY = 18,   ///< reading a value: the key is not there
  OPENXPC_ERROR_WRONG_TYPE = 19,    ///< reading a value: another type stands there
  OPENXPC_ERROR_OUT_OF_RANGE = 20,  ///< reading a value: the number does not fit
  OPENXPC_ERROR_MALFORMED =
      21,  ///< bytes or text that break their format; names the offset or line
  OPENXPC_ERROR_INVALID_ARGUMENT =
      22,  ///< a name or requirement text that does not parse, a value that cannot be sent
  OPENXPC_ERROR_NO_RESOURCES = 23,  ///< no descriptors or memory left in the system
  OPENXPC_ERROR_UNSUPPORTED = 24,   ///< not on this kernel
  OPENXPC_ERROR_END_OF_STREAM = 25  ///< the writer ended in order
} openxpc_error_code_t;

/// The name of a code, e.g. "timed_out"; "unknown" for a number that is none. Static.
XPC_EXPORT const char* openxpc_error_code_name(openxpc_error_code_t code);

/// More that is known about a failure.
typedef uint32_t openxpc_error_flags_t;
enum {
  OPENXPC_ERROR_CAN_RETRY = 1,  ///< the same call may work if repeated
  OPENXPC_ERROR_NOT_ACCEPTED =
      2,  ///< the peer never took the request: repeating it cannot do it twice
  OPENXPC_ERROR_OUTCOME_UNKNOWN = 4,  ///< the peer may or may not have done it
  OPENXPC_ERROR_HAS_EXIT_STATUS = 8   ///< exit_status says how the peer ended
};

/// What an error is made of. Set struct_size to sizeof (openxpc_error_parts_t) and the rest to
/// zero; texts are copied. Texts may be NULL; they are UTF-8 (other bytes are replaced by U+FFFD)
/// and are cut at 16,384 bytes.
typedef struct openxpc_error_parts {
  size_t struct_size;
  openxpc_error_code_t code;
  openxpc_error_flags_t flags;
  const char*
      domain;  ///< whose number it is, e.g. "org.example.calculator"; NULL for this library's own
  int64_t number;          ///< the domain's number, e.g. an errno
  const char* message;     ///< one line: what failed and why
  const char* remedy;      ///< what to do next, often a command
  xpc_rich_error_t cause;  ///< what led to it; retained. A chain is cut after 16 errors
  int exit_status;         ///< as wait(2) gives it, with OPENXPC_ERROR_HAS_EXIT_STATUS
} openxpc_error_parts_t;

/// Makes an error. CAN_RETRY is added for the codes that mean it: interrupted, timed_out,
/// would_block, too_many, no_resources.
XPC_EXPORT xpc_rich_error_t openxpc_error_create(const openxpc_error_parts_t* parts)
    XPC_WARN_RESULT;

// The getters accept any object; for one that is no rich error they give NONE, 0, "" or NULL. Texts
// are never NULL.
XPC_EXPORT openxpc_error_code_t openxpc_error_get_code(xpc_rich_error_t error);
XPC_EXPORT openxpc_error_flags_t openxpc_error_get_flags(xpc_rich_error_t error);
XPC_EXPORT const char* openxpc_error_get_domain(xpc_rich_error_t error);
XPC_EXPORT int64_t openxpc_error_get_number(xpc_rich_error_t error);
XPC_EXPORT const char* openxpc_error_get_message(xpc_rich_error_t error);
XPC_EXPORT const char* openxpc_error_get_remedy(xpc_rich_error_t error);
/// Lends the cause; NULL where there is none.
XPC_EXPORT xpc_rich_error_t openxpc_error_get_cause(xpc_rich_error_t error);
/// True, and `*status` set, when it is known how the peer ended.
XPC_EXPORT bool openxpc_error_get_exit_status(xpc_rich_error_t error, int* status);

/// The error as a dictionary that can be sent: keys code, flags, domain, number, message, remedy,
/// cause, status.
XPC_EXPORT xpc_object_t openxpc_error_copy_dictionary(xpc_rich_error_t error) XPC_WARN_RESULT;
/// An error out of what a peer sent. Nothing in it is trusted: unknown keys, values of another type
/// and unknown codes are passed over (an unusable code reads as remote), texts are cut, the chain
/// of causes is cut. Never NULL.
XPC_EXPORT xpc_rich_error_t openxpc_error_create_from_dictionary(xpc_object_t dictionary)
    XPC_WARN_RESULT;

OPENXPC_END_DECLS

#endif
