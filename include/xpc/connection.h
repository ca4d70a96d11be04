#ifndef XPC_CONNECTION_H
#define XPC_CONNECTION_H

/// Connections: a two-way stream of dictionaries between two processes, or a listener that yields
/// such streams. Source compatible with Apple's header of this name; manual page
/// xpc_connection_create(3). "Rule N" is the behaviour that the tests of that name (R041_...) pin
/// down. Every function may be called from any thread; those that a handler may not call say so.

#include <xpc/base.h>
#include <xpc/xpc.h>

OPENXPC_BEGIN_DECLS
XPC_ASSUME_NONNULL_BEGIN

/// The other process went away, but the connection can be used again: unsent messages and pending
/// replies are lost, the next message looks the name up, launches the service and connects (rules
/// 63 to 65).
#define XPC_ERROR_CONNECTION_INTERRUPTED XPC_GLOBAL_OBJECT(_xpc_error_connection_interrupted)
XPC_EXPORT const struct _xpc_dictionary_s _xpc_error_connection_interrupted;

/// The connection is over: no such name, cancelled, the other side closed for good. Always the last
/// event (rule 75).
#define XPC_ERROR_CONNECTION_INVALID XPC_GLOBAL_OBJECT(_xpc_error_connection_invalid)
XPC_EXPORT const struct _xpc_dictionary_s _xpc_error_connection_invalid;

/// For peers of a listener: the process has been asked to end; no message follows, sends are still
/// tried (rule 73).
#define XPC_ERROR_TERMINATION_IMMINENT XPC_GLOBAL_OBJECT(_xpc_error_termination_imminent)
XPC_EXPORT const struct _xpc_dictionary_s _xpc_error_termination_imminent;

/// The other process does not meet the requirement that was set on the connection (rule 157).
#define XPC_ERROR_PEER_CODE_SIGNING_REQUIREMENT \
  XPC_GLOBAL_OBJECT(_xpc_error_peer_code_signing_requirement)
XPC_EXPORT const struct _xpc_dictionary_s _xpc_error_peer_code_signing_requirement;

/// Flags of xpc_connection_create_mach_service(): this process is the service; look in the system
/// domain only.
#define XPC_CONNECTION_MACH_SERVICE_LISTENER (1 << 0)
#define XPC_CONNECTION_MACH_SERVICE_PRIVILEGED (1 << 1)

/// Called with the connection's context when the connection is freed; must not touch the connection
/// (rules 111, 112).
typedef void (*xpc_finalizer_t)(void* _Nullable context);

/// Makes an inactive connection. Never fails and talks to nobody: a name that does not exist shows
/// after activation as XPC_ERROR_CONNECTION_INVALID (rule 48).
/// @param name a service visible to this process; NULL makes an anonymous listener, reached by its
/// endpoints (rule 126).
/// @param targetq where handlers run; NULL means a default concurrent queue (rule 329).
/// @return owned; release with xpc_release() after cancelling.
XPC_EXPORT XPC_MALLOC XPC_WARN_RESULT xpc_connection_t
xpc_connection_create(const char* _Nullable name, dispatch_queue_t _Nullable targetq);

/// The same for a name that a job declares in MachServices.
/// @param flags XPC_CONNECTION_MACH_SERVICE_LISTENER makes the listener of that name; it gets
/// XPC_ERROR_CONNECTION_INVALID when the name is not among this job's own (rule 72). PRIVILEGED
/// looks in the system domain only (rules 231, 345).
XPC_EXPORT XPC_MALLOC XPC_WARN_RESULT XPC_NONNULL1 xpc_connection_t
xpc_connection_create_mach_service(const char* name, dispatch_queue_t _Nullable targetq,
                                   uint64_t flags);

/// Makes an inactive connection to whoever listens behind `endpoint`; each call gives a distinct
/// one (rule 130). It cannot come back: when the listening side goes away it gets INTERRUPTED, then
/// INVALID (rules 71, 339).
XPC_EXPORT XPC_MALLOC XPC_WARN_RESULT XPC_NONNULL_ALL xpc_connection_t
xpc_connection_create_from_endpoint(xpc_endpoint_t endpoint);

/// Chooses where handlers run; NULL: the default. Before activation only, later it is misuse (rule
/// 114). On a concurrent queue the handler still never overlaps with itself (rule 81).
XPC_EXPORT XPC_NONNULL1 void xpc_connection_set_target_queue(xpc_connection_t connection,
                                                             dispatch_queue_t _Nullable targetq);

#if OPENXPC_HAS_BLOCKS
/// Sets or replaces the handler, which must exist before activation (rule 50). The block is copied,
/// and dropped after the final event (rules 326, 327). A running call finishes with the old one
/// (rule 83).
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_set_event_handler(xpc_connection_t connection,
                                                                 xpc_handler_t handler);
#endif

/// Makes an inactive connection live; nothing is sent or received before (rule 49). Nothing happens
/// if it is live (rule 51).
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_activate(xpc_connection_t connection);

/// Stops handler calls and sends after a running handler; counts (rule 53).
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_suspend(xpc_connection_t connection);

/// Undoes one suspend; on an inactive connection that is not suspended the same as activate (rule
/// 52). Too many: misuse.
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_resume(xpc_connection_t connection);

/// Queues a copy of a dictionary, in the order of the calls, and returns at once (rules 9, 79, 80).
/// A reply made by xpc_dictionary_create_reply() is sent by this too (rule 92). Anything but a
/// dictionary is misuse (rule 78).
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_send_message(xpc_connection_t connection,
                                                            xpc_object_t message);

#if OPENXPC_HAS_BLOCKS
/// Runs `barrier` on the connection's queue once all messages queued before it have left (rules 103
/// to 109, 343). Messages and requests that are sent meanwhile leave after it has returned, so a
/// synchronous request on the same connection inside it never ends; replies and events are not held
/// up. Also runs when the connection is over.
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_send_barrier(xpc_connection_t connection,
                                                            dispatch_block_t barrier);

/// Queues a message and calls `handler` exactly once with the reply or with an XPC_ERROR_ object
/// (rules 93 to 95).
/// @param replyq where the handler runs; NULL: the connection's queue.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_NONNULL4 void xpc_connection_send_message_with_reply(
    xpc_connection_t connection, xpc_object_t message, dispatch_queue_t _Nullable replyq,
    xpc_handler_t handler);
#endif

/// Sends a message and blocks for its reply. Also allowed inside handlers of the same connection
/// (rules 331, 332).
/// @return owned: the reply or an XPC_ERROR_ object, never NULL (rule 98).
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT xpc_object_t
xpc_connection_send_message_with_reply_sync(xpc_connection_t connection, xpc_object_t message);

/// Ends the connection: unsent messages vanish, pending replies and then the handler get
/// XPC_ERROR_CONNECTION_INVALID, once (rules 57, 325). Asynchronous; references stay owned (rule
/// 56). Harmless when it is over already. A listener takes nobody any more; peers that came by its
/// name live on (rule 124), those of an anonymous listener end with it (rules 71, 339).
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_cancel(xpc_connection_t connection);

/// The name it was created with; NULL for peers, anonymous listeners and connections from endpoints
/// (rule 61). Lent.
XPC_EXPORT XPC_NONNULL_ALL
    XPC_WARN_RESULT const char* _Nullable xpc_connection_get_name(xpc_connection_t connection);

/// The other process's effective ids and pid as of connection time; (uid_t)-1, (gid_t)-1 and 0
/// before it is known, which on the client's side is after the first message (rules 122, 125, 336).
/// A pid proves nothing about a program.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT uid_t
xpc_connection_get_euid(xpc_connection_t connection);
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT gid_t
xpc_connection_get_egid(xpc_connection_t connection);
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT pid_t
xpc_connection_get_pid(xpc_connection_t connection);
/// The other process's session: on Linux its session id (getsid(2)); -1 before it is known.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT au_asid_t
xpc_connection_get_asid(xpc_connection_t connection);

/// A pointer of the program's own; replacing it runs no finalizer (rule 110).
XPC_EXPORT XPC_NONNULL1 void xpc_connection_set_context(xpc_connection_t connection,
                                                        void* _Nullable context);
XPC_EXPORT XPC_NONNULL_ALL
    XPC_WARN_RESULT void* _Nullable xpc_connection_get_context(xpc_connection_t connection);
/// Sets (or clears) what is called once with the context when the connection is freed (rules 111,
/// 341).
XPC_EXPORT XPC_NONNULL1 void xpc_connection_set_finalizer_f(xpc_connection_t connection,
                                                            xpc_finalizer_t _Nullable finalizer);

// Requirements on the program at the other end; before activation, and one in all for a connection:
// a second one is misuse (rule 154). Each checks what it is given and returns 0, or EINVAL, and
// then nothing is required (rule 153). Texts and dictionaries are copied (rule 161).
//
// Linux: no requirement can be judged yet, so nobody meets one. The connection ends before anything
// is sent: pending replies and then the handler get XPC_ERROR_PEER_CODE_SIGNING_REQUIREMENT, the
// handler XPC_ERROR_CONNECTION_INVALID after it. A listener turns every client away in the same
// way, and its own handler hears nothing of them.

/// @param requirement text of the requirement language, such as "identifier org.example.x".
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT int xpc_connection_set_peer_code_signing_requirement(
    xpc_connection_t connection, const char* requirement);
/// The peer has the entitlement.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT int
xpc_connection_set_peer_entitlement_exists_requirement(xpc_connection_t connection,
                                                       const char* entitlement);
/// The entitlement has this value, a bool, string or int64 (rule 162).
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT int
xpc_connection_set_peer_entitlement_matches_value_requirement(xpc_connection_t connection,
                                                              const char* entitlement,
                                                              xpc_object_t value);
/// The peer is signed by the team that signed this program (rule 163). @param signing_identifier
/// NULL: any of its programs.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT int xpc_connection_set_peer_team_identity_requirement(
    xpc_connection_t connection, const char* _Nullable signing_identifier);
/// The peer is part of the operating system (rules 163, 166).
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT int xpc_connection_set_peer_platform_identity_requirement(
    xpc_connection_t connection, const char* _Nullable signing_identifier);
/// The peer matches a dictionary of conditions and operators (rule 164).
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT int xpc_connection_set_peer_lightweight_code_requirement(
    xpc_connection_t connection, xpc_object_t lwcr);
/// A requirement of <xpc/peer_requirement.h>.
XPC_EXPORT XPC_NONNULL_ALL void xpc_connection_set_peer_requirement(
    xpc_connection_t connection, xpc_peer_requirement_t requirement);

/// Why the connection became invalid, malloc'ed (free() it); NULL while it is valid (rule 60).
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT char* _Nullable xpc_connection_copy_invalidation_reason(
    xpc_connection_t connection);

XPC_ASSUME_NONNULL_END
OPENXPC_END_DECLS

#endif
