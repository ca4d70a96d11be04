#ifndef XPC_PRIVATE_H
#define XPC_PRIVATE_H

/// Functions that Apple's library exports without declaring them, as far as programs have been seen
/// to use them and they mean something on Linux; docs/c-api.md lists those that are not offered.
/// Apple promises nothing about them; here they behave as each says. More under the same names
/// stand in <xpc/openxpc/object.h> (xpc_dictionary_apply_f, xpc_array_apply_f),
/// <xpc/openxpc/connection.h> (xpc_connection_set_event_handler_f) and <xpc/openxpc/plist.h>
/// (xpc_create_from_plist). Threads: any function from any thread.

#include <xpc/openxpc/connection.h>
#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

OPENXPC_BEGIN_DECLS
XPC_ASSUME_NONNULL_BEGIN

// ---- Connections

/// A listener for a name that this job declares: xpc_connection_create_mach_service() with
/// XPC_CONNECTION_MACH_SERVICE_LISTENER.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT XPC_MALLOC xpc_connection_t
xpc_connection_create_listener(const char* name, dispatch_queue_t _Nullable targetq);
/// xpc_connection_send_message(): there are no priorities that it could leave out.
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_send_notification(xpc_connection_t connection,
                                                                 xpc_object_t message);

/// The name is looked up in the domain of that user alone, not in this process's own or the
/// system's. Whether this process may go there, the file system decides: without the right, or
/// where that user has no service manager, the connection is invalid, and
/// xpc_connection_copy_invalidation_reason() says which.
/// @param connection  made by name and not activated yet; anything else is misuse.
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_set_target_uid(xpc_connection_t connection,
                                                              uid_t uid);
/// Chooses one of several instances of a service that stands in a bundle beside this program and
/// has _MultipleInstances (xpcservice.plist(5)): all connections of this process with the same
/// number reach the same process. Without this call each connection has an instance of its own. For
/// a service that has one instance only the connection is invalid, and
/// xpc_connection_copy_invalidation_reason() names the key; for a name that is no service of a
/// bundle it changes nothing.
/// @param connection  made by name and not activated yet; anything else is misuse.
/// @param uuid  16 bytes, copied.
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_set_instance(xpc_connection_t connection,
                                                            const unsigned char* uuid);
/// Sends a signal to the process at the other end, and to no other that may have its number by now.
/// @param signal  0: only whether it is there. errno is 0 when the signal was sent, else ENOTCONN
/// (nobody is known yet), ENOTSUP (this kernel cannot name the process for sure), ESRCH, EPERM or
/// EINVAL. A listener is misuse.
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_kill(xpc_connection_t connection, int signal);
/// Always false: there are no app extensions.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT bool xpc_connection_is_extension(
    xpc_connection_t connection);

// ---- Pipes: a connection to a name for a program that only asks

/// A connection (XPC_TYPE_CONNECTION) without events; xpc_release() ends it.
typedef xpc_object_t xpc_pipe_t;
/// A pipe to a name, which is looked for at once; the first routine tells whether it was found.
/// @param flags  XPC_CONNECTION_MACH_SERVICE_PRIVILEGED: the system's name only; others change
/// nothing. @return owned.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT XPC_MALLOC xpc_pipe_t xpc_pipe_create(const char* name,
                                                                              uint64_t flags);
/// xpc_connection_cancel(): later routines give ECANCELED.
XPC_EXPORT XPC_NONNULL_ALL void xpc_pipe_invalidate(xpc_pipe_t pipe);
/// Sends a request and waits for its reply.
/// @param reply_out  receives an owned dictionary on success, else it is untouched.
/// @return 0 or: ENOENT (no such name or service manager), EACCES (it is not for this user, or the
/// other side refused), EPIPE (the other side went away or did not answer), ECANCELED (the pipe was
/// invalidated), EINVAL (the request cannot be sent), EIO (anything else). After ENOENT and EACCES
/// the pipe is of no more use.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT int xpc_pipe_routine(
    xpc_pipe_t pipe, xpc_object_t request, xpc_object_t _Nonnull* _Nonnull reply_out);
/// xpc_pipe_routine(): the flags change nothing.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT int xpc_pipe_routine_with_flags(
    xpc_pipe_t pipe, xpc_object_t request, xpc_object_t _Nonnull* _Nonnull reply_out,
    uint64_t flags);
/// Sends a message that has no reply. @return 0 when it was taken, else as xpc_pipe_routine().
XPC_EXPORT XPC_NONNULL_ALL int xpc_pipe_simpleroutine(xpc_pipe_t pipe, xpc_object_t message);
/// xpc_dictionary_send_reply(). @return 0.
XPC_EXPORT XPC_NONNULL_ALL int xpc_pipe_routine_reply(xpc_object_t reply);

// ---- Who the other side is
// A token is a value of 32 bytes. Its words look like Apple's (1 and 3 the effective user, 2 and 4
// the effective group, 5 the pid, 6 the session), but what counts is a random key in the others,
// which this process alone can look up: nothing is judged by a number that a program could write
// there. Two tokens are of the same process if all their bytes are equal. A token means nothing in
// another process, and nothing once the connection is freed.

/// Copies the token of the process at the other end, as of the last time it connected. All bits are
/// set while that is not known, and for a listener: no user and no process has those numbers.
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_get_audit_token(xpc_connection_t connection,
                                                               audit_token_t* token);
/// Copies the token of the process that sent this message. All bits are set for a dictionary that
/// was not received, and for one received on a connection to a name, which may reach another
/// process by now.
XPC_EXPORT XPC_NONNULL_ALL void xpc_dictionary_get_audit_token(xpc_object_t message,
                                                               audit_token_t* token);
/// Whether this very token was given out by this process for a connection that still exists; then
/// its words are what the kernel said.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT bool openxpc_audit_token_is_genuine(
    const audit_token_t* token);

// ---- Received messages and replies

/// Whether the sender waits for a reply and xpc_dictionary_create_reply() was not called yet; false
/// for any other dictionary or type.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT bool xpc_dictionary_expects_reply(xpc_object_t message);
/// Sends a reply made by xpc_dictionary_create_reply() to whoever asked. Anything else, and a reply
/// that was sent, is misuse.
XPC_EXPORT XPC_NONNULL_ALL void xpc_dictionary_send_reply(xpc_object_t reply);
/// xpc_dictionary_get_remote_connection().
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT
    xpc_connection_t _Nullable xpc_dictionary_get_connection(xpc_object_t dictionary);

// ---- Objects

/// A string that takes over text from malloc() and frees it. Text that is not UTF-8 can be stored,
/// but not sent.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT XPC_MALLOC xpc_object_t
xpc_string_create_no_copy(char* owned_text);
/// A date out of seconds since 2001-01-01T00:00:00Z; NaN and what lies outside the years 1677 to
/// 2262, which a date cannot hold, become the nearest date (NaN: 1970).
XPC_EXPORT XPC_WARN_RESULT XPC_MALLOC xpc_object_t xpc_date_create_absolute(double seconds);
/// Seconds since 2001-01-01T00:00:00Z; for any other type those of 1970-01-01.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT double xpc_date_get_value_absolute(xpc_object_t date);
/// True for a date: each fits.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT bool xpc_date_is_int64_range(xpc_object_t date);
/// xpc_shmem_create(), but from now on nobody gets a new writable mapping of the memory; those that
/// there are stay as they are. NULL with errno set also when the memory cannot be kept so: EPERM.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT XPC_MALLOC
    xpc_object_t _Nullable xpc_shmem_create_readonly(void* region, size_t length);
/// openxpc_shmem_get_length().
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT size_t xpc_shmem_get_length(xpc_object_t xshmem);
/// 0 when both name the same listener, else -1 or 1: an order that holds in this process. Anything
/// but endpoints is misuse.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT int xpc_endpoint_compare(xpc_endpoint_t endpoint1,
                                                                    xpc_endpoint_t endpoint2);

/// A description without addresses, so that two runs give the same text; malloc'ed, owned by the
/// caller.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT XPC_MALLOC char* xpc_copy_clean_description(
    xpc_object_t object);
/// The first line of the description; malloc'ed, owned by the caller.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT XPC_MALLOC char* xpc_copy_short_description(
    xpc_object_t object);
/// xpc_copy_short_description() of a dictionary; another type is misuse.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT XPC_MALLOC char* xpc_dictionary_copy_basic_description(
    xpc_object_t dictionary);
/// xpc_copy_description().
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT XPC_MALLOC char* xpc_copy_debug_description(
    xpc_object_t object);

/// The text of an errno value. Static.
XPC_EXPORT XPC_WARN_RESULT const char* xpc_strerror(int error);

// ---- The process

/// Asks this process to end once the last transaction has ended: openxpc_request_termination().
XPC_EXPORT void xpc_transaction_exit_clean(void);

// ---- Events and activities

/// Says which events of a stream this job wants, from now on and in processes to come, beside those
/// of LaunchEvents in its description; xpc_set_event_stream_handler() receives them. Returns at
/// once; what the service manager does not take, it says in its log. Does nothing in a program that
/// no service manager started.
/// @param stream  the name of the stream; xpc_events(3) lists them. @param token  the name that the
/// events bear (XPC_EVENT_KEY_NAME), 1 to 255 bytes; set again, it replaces the earlier one.
/// @param event  what is to be matched, a dictionary, copied; NULL: no more events of that name.
/// Errors: a NULL or empty stream or token and an event that is no dictionary are misuse.
/// Threads: any.
/// Semantics: kept until the job is unloaded, but one with a descriptor only as long as this
/// process or the service manager lives (rule 353).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 void xpc_set_event(const char* stream, const char* token,
                                                        xpc_object_t _Nullable event);
/// What is to be matched for a name in a stream, as the description, this process or an earlier one
/// said. Waits for the service manager. @return owned by the caller; NULL: nothing.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT xpc_object_t _Nullable xpc_copy_event(const char* stream,
                                                                                 const char* token);
/// The identifier of an activity; malloc'ed, owned by the caller.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT XPC_MALLOC char* xpc_activity_copy_identifier(
    xpc_activity_t activity);

// ---- Sessions without names (rule 151)

/// A session with whoever listens behind an endpoint, active unless INACTIVE is given.
/// @param error_out receives an owned error when NULL is returned; may be NULL. @return owned.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT xpc_session_t _Nullable xpc_session_create_xpc_endpoint(
    xpc_endpoint_t endpoint, dispatch_queue_t _Nullable target_queue,
    xpc_session_create_flags_t flags, xpc_rich_error_t _Nullable* _Nullable error_out);
#if OPENXPC_HAS_BLOCKS
/// A listener that is reached by its endpoint only; the rest as xpc_listener_create().
XPC_EXPORT XPC_NONNULL3 XPC_WARN_RESULT xpc_listener_t _Nullable xpc_listener_create_anonymous(
    dispatch_queue_t _Nullable target_queue, xpc_listener_create_flags_t flags,
    xpc_listener_incoming_session_handler_t incoming_session_handler,
    xpc_rich_error_t _Nullable* _Nullable error_out);
#endif
/// An endpoint of the listener, owned by the caller; the same one each time.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT xpc_endpoint_t
xpc_listener_create_endpoint(xpc_listener_t listener);

XPC_ASSUME_NONNULL_END
OPENXPC_END_DECLS

#endif
