#ifndef OPENXPC_CONVERSATION_H
#define OPENXPC_CONVERSATION_H

/// Conversations for languages and programs without blocks and dispatch queues; the C++ API stands
/// on this header.
///
/// A *conversation* is either a session (one life) or a connection (comes back after an
/// interruption); both are XPC objects, so xpc_retain() and xpc_release() apply and every function
/// here that takes `peer` takes either. Handlers are a function, a context and a destructor for the
/// context. Option structs begin with their size, so that they can grow: set `.size = sizeof(struct
/// ...)` and zero the rest; zero always means the default.
///
/// Threads: every function may be called from any thread, also from inside handlers, unless it says
/// otherwise. Errors are returned as owned xpc_rich_error_t (release with xpc_release()); their
/// code is openxpc_error_get_code().

#include <xpc/openxpc/error.h>
#include <xpc/openxpc/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

OPENXPC_BEGIN_DECLS

/// "No deadline" and "no limit" where a number is asked for and zero means the default.
#define OPENXPC_FOREVER UINT64_MAX

typedef struct openxpc_request_s* openxpc_request_t;
typedef struct openxpc_call_s* openxpc_call_t;
typedef struct openxpc_subscription_s* openxpc_subscription_t;
typedef struct openxpc_stream_s* openxpc_stream_t;
typedef struct openxpc_writer_s* openxpc_writer_t;
typedef struct openxpc_encoded_s* openxpc_encoded_t;

/// Where handlers and callbacks run. A null `post` means the thread that received.
struct openxpc_executor_s {
  void* context;
  /// Must call `run(work)` exactly once, later or elsewhere, never inside the call of post.
  void (*post)(void* context, void* work, void (*run)(void* work));
  /// Called once when the library no longer needs `context`; may be null.
  void (*release)(void* context);
};

/// Limits of one conversation; zero means the default that stands behind each.
struct openxpc_limits_s {
  uint64_t message_bytes;  ///< largest message that is accepted; 128 MiB, at least 65,536
  uint64_t
      credit_bytes;  ///< what the other side may have on its way unhandled; 1 MiB, at least 65,536
  uint64_t unsent_bytes;      ///< what may wait here for a slow reader before would_block; 4 MiB
  uint32_t unanswered_count;  ///< requests open at the same time; 1,024
};

/// What happens in a conversation. Calls of one conversation never overlap, on_end is the last. Any
/// may be null: a null on_request answers unknown_method, a null on_message passes to on_request,
/// the others are ignored.
struct openxpc_handlers_s {
  void* context;
  /// A request that expects a reply. Takes over `request`.
  void (*on_request)(void* context, openxpc_request_t request);
  /// A message without reply. Takes over `message` (openxpc_request_expects_reply() is false).
  void (*on_message)(void* context, openxpc_request_t message);
  /// A subscription. Takes over `subscription`.
  void (*on_subscribe)(void* context, openxpc_subscription_t subscription);
  /// Connections only: the other side went away; its state is gone, the next message brings it
  /// back. `why` is lent.
  void (*on_interrupted)(void* context, xpc_rich_error_t why);
  /// Exactly once, also after one's own cancel. `why` is lent.
  void (*on_end)(void* context, xpc_rich_error_t why);
  /// Called once, after on_end has returned and no other handler will run; may be null.
  void (*release)(void* context);
};

enum openxpc_domain_kind {
  OPENXPC_DOMAIN_AUTOMATIC = 0,
  OPENXPC_DOMAIN_USER = 1,
  OPENXPC_DOMAIN_SYSTEM = 2
};

struct openxpc_conversation_options_s {
  size_t size;
  const char*
      domain_directory;  ///< a domain named by its directory; null: as `domain` says. Copied.
  uint32_t domain;       ///< enum openxpc_domain_kind
  struct openxpc_limits_s limits;
  struct openxpc_executor_s executor;
  struct openxpc_handlers_s handlers;
};

// --- Opening
// -------------------------------------------------------------------------------------------------------

/// Opens a session with the service of that name: looks the name up, does not wait for the service;
/// it is launched by the first message. One life: when either side goes away the session is over.
/// @param options may be null. @param error receives an owned error when null is returned; may be
/// null. Errors: not_found, no_domain (remedy: how to start a service manager), denied,
/// invalid_argument (the name).
XPC_EXPORT xpc_session_t openxpc_session_open(const char* service,
                                              const struct openxpc_conversation_options_s* options,
                                              xpc_rich_error_t* error);
/// The same with whoever listens behind an endpoint. Errors: invalid_argument.
XPC_EXPORT xpc_session_t openxpc_session_open_endpoint(
    xpc_endpoint_t endpoint, const struct openxpc_conversation_options_s* options,
    xpc_rich_error_t* error);
/// Opens a connection that comes back: after an interruption the next message looks up, launches
/// and connects again.
XPC_EXPORT xpc_connection_t
openxpc_connection_open(const char* service, const struct openxpc_conversation_options_s* options,
                        xpc_rich_error_t* error);

// --- The other side, as something to talk to
// --------------------------------------------------------------------------

/// Queues a message without reply; it is copied (rule 9). @return null, or the reason why it was
/// not queued. Errors: would_block (limits.unsent_bytes are unsent), canceled, interrupted,
/// too_large, invalid_argument (cannot be serialised).
XPC_EXPORT xpc_rich_error_t openxpc_peer_send(xpc_object_t peer,
                                              xpc_object_t message) XPC_WARN_RESULT;
/// The same, but waits for room: `done(context, error)` is called exactly once on the
/// conversation's executor, error null (or owned by the callee) once the message is queued. Order
/// of the calls is kept.
XPC_EXPORT void openxpc_peer_send_when_ready(xpc_object_t peer, xpc_object_t message, void* context,
                                             void (*done)(void* context, xpc_rich_error_t error));
/// Calls `done` once all that was queued before has left this process (error null) or the
/// conversation is over.
XPC_EXPORT void openxpc_peer_flush(xpc_object_t peer, void* context,
                                   void (*done)(void* context, xpc_rich_error_t error));
/// Ends the conversation now: unsent messages vanish, open calls fail with canceled, on_end runs
/// last. Idempotent.
/// @param reason may be null; the other side may read it.
XPC_EXPORT void openxpc_peer_cancel(xpc_object_t peer, const char* reason);
/// Ends it in order: sends what is queued, lets running handlers and answers in hand finish, then
/// cancels; `done` (may be null) is called once after on_end.
XPC_EXPORT void openxpc_peer_close(xpc_object_t peer, void* context, void (*done)(void* context));
/// Blocks until no handler of this conversation runs any more; returns at once inside one of them.
/// For owners that are about to free what handlers use; call openxpc_peer_cancel() first.
XPC_EXPORT void openxpc_peer_wait_for_handlers(xpc_object_t peer);
/// True when the conversation is over.
XPC_EXPORT bool openxpc_peer_is_over(xpc_object_t peer);

/// The kernel's word about the other side. Only to print or log: a pid names no program (threat
/// model T1).
struct openxpc_identity_s {
  size_t size;
  int32_t pid;
  uint32_t euid, egid;
  uint64_t instance;  ///< which connection to the other side this is: differs after a reconnect
};
/// False until the other side is known (a client before the service's hello) or once the
/// conversation is over.
XPC_EXPORT bool openxpc_peer_get_identity(xpc_object_t peer, struct openxpc_identity_s* out);
/// An owned pidfd of the other process, or -1 with errno (ENOTCONN, ENOTSUP on kernels without,
/// ESRCH).
XPC_EXPORT int openxpc_peer_dup_pidfd(xpc_object_t peer);

/// Numbers since the conversation began. Nothing is dropped without being counted here.
struct openxpc_counters_s {
  size_t size;
  uint64_t sent_messages, sent_bytes, received_messages, received_bytes;
  uint64_t delayed;  ///< had to wait for credit or for the socket
  uint64_t refused;  ///< would_block, too_large and the like
  uint64_t dropped;  ///< unsent at an interruption, expired on arrival, malformed without reply,
                     ///< late answers
  uint64_t unsent_bytes;  ///< waiting now
};
XPC_EXPORT void openxpc_peer_get_counters(xpc_object_t peer, struct openxpc_counters_s* out);

// --- Calls
// ---------------------------------------------------------------------------------------------------------

struct openxpc_call_options_s {
  size_t size;
  uint64_t timeout_ns;  ///< from now until the reply is handed over; 0 = 30 s; OPENXPC_FOREVER
  void* progress_context;
  /// Progress that the service reports (latest only), on the conversation's executor; null:
  /// ignored. `what` is lent.
  void (*on_progress)(void* context, uint64_t done, uint64_t total, const char* what);
  void (*release_progress)(void* context);
};

/// Sends a request now, in the order of the calls. Never fails at once: errors are the call's
/// outcome.
/// @return owned; release with openxpc_call_release(). Take the outcome once, by wait or by then.
XPC_EXPORT openxpc_call_t openxpc_peer_call(xpc_object_t peer, xpc_object_t message,
                                            const struct openxpc_call_options_s* options);
/// Blocks for the outcome; reads on the calling thread when nobody else does, so it works on every
/// thread.
/// @return the owned reply, or null with *error set (owned).
XPC_EXPORT xpc_object_t openxpc_call_wait(openxpc_call_t call, xpc_rich_error_t* error);
/// Calls `done(context, reply, error)` exactly once (one of the two is null, the other owned by the
/// callee), on `executor` or, when that is null, on the conversation's; perhaps before this
/// function returns only if the executor is the receiving thread and the outcome is there already.
XPC_EXPORT void openxpc_call_then(openxpc_call_t call, const struct openxpc_executor_s* executor,
                                  void* context,
                                  void (*done)(void* context, xpc_object_t reply,
                                               xpc_rich_error_t error));
/// True when the outcome is there.
XPC_EXPORT bool openxpc_call_is_ready(openxpc_call_t call);
/// The outcome becomes canceled (unless it is there already); the service's stop token fires.
XPC_EXPORT void openxpc_call_cancel(openxpc_call_t call);
/// Lets go of the handle; the call itself goes on (cancel it first if nobody wants the outcome).
XPC_EXPORT void openxpc_call_release(openxpc_call_t call);

// --- Requests: what a handler gets
// ------------------------------------------------------------------------------------

/// The message, lent for the life of the request; retain it to keep it.
XPC_EXPORT xpc_object_t openxpc_request_get_message(openxpc_request_t request);
XPC_EXPORT bool openxpc_request_expects_reply(openxpc_request_t request);
/// The conversation it came over; owned (xpc_release()).
XPC_EXPORT xpc_object_t openxpc_request_copy_sender(openxpc_request_t request);
/// The caller's deadline, CLOCK_BOOTTIME nanoseconds; OPENXPC_FOREVER when it gave none.
XPC_EXPORT uint64_t openxpc_request_get_deadline(openxpc_request_t request);
/// Answers and takes over `request`. @param reply lent, a dictionary; what cannot be serialised
/// becomes service_failed.
XPC_EXPORT void openxpc_request_reply(openxpc_request_t request, xpc_object_t reply);
/// Answers with a failure and takes over `request`. @param error lent.
XPC_EXPORT void openxpc_request_fail(openxpc_request_t request, xpc_rich_error_t error);
/// Tells the caller how far the work is; only the latest report travels. @param what may be null.
XPC_EXPORT void openxpc_request_report_progress(openxpc_request_t request, uint64_t done,
                                                uint64_t total, const char* what);
/// True when the caller cancelled, timed out or left.
XPC_EXPORT bool openxpc_request_is_canceled(openxpc_request_t request);
/// Calls `canceled(context)` at most once when that happens (at once if it has); at most one per
/// request. Not called any more after openxpc_request_release/reply/fail has returned.
XPC_EXPORT void openxpc_request_on_cancel(openxpc_request_t request, void* context,
                                          void (*canceled)(void* context));
/// Lets go unanswered: the caller gets no_reply at once.
XPC_EXPORT void openxpc_request_release(openxpc_request_t request);

// --- Streams: the reader
// ------------------------------------------------------------------------------------------------

struct openxpc_row_s {
  xpc_object_t value;  ///< owned by whoever received the row
  uint64_t sequence;
  uint64_t missed;  ///< rows the writer dropped just before this one
};
enum openxpc_next { OPENXPC_NEXT_ROW = 0, OPENXPC_NEXT_NONE_YET = 1, OPENXPC_NEXT_END = 2 };
struct openxpc_stream_counts_s {
  size_t size;
  uint64_t sent, delivered, waiting, missed, bytes;
};

/// Subscribes. Never fails at once: errors are the outcome of the stream.
/// @param credit_bytes what may be on its way untaken; 0 = 1 MiB. @param timeout_ns until accepted;
/// 0 = 30 s.
XPC_EXPORT openxpc_stream_t openxpc_peer_subscribe(xpc_object_t peer, xpc_object_t message,
                                                   uint64_t credit_bytes, uint64_t timeout_ns);
/// Takes the next row if there is one. END: ended, see openxpc_stream_copy_error().
XPC_EXPORT enum openxpc_next openxpc_stream_try_next(openxpc_stream_t stream,
                                                     struct openxpc_row_s* row);
/// The same, but blocks (reading on the calling thread) until a row, the end or the deadline
/// (CLOCK_BOOTTIME ns; NONE_YET).
XPC_EXPORT enum openxpc_next openxpc_stream_wait_next(openxpc_stream_t stream, uint64_t deadline_ns,
                                                      struct openxpc_row_s* row);
/// Calls `ready(context)` once when a row or the end is there (on `executor`, or the conversation's
/// when null). One at a time.
XPC_EXPORT void openxpc_stream_when_ready(openxpc_stream_t stream,
                                          const struct openxpc_executor_s* executor, void* context,
                                          void (*ready)(void* context));
/// After the end: null when the writer ended in order, else the owned reason.
XPC_EXPORT xpc_rich_error_t openxpc_stream_copy_error(openxpc_stream_t stream);
XPC_EXPORT void openxpc_stream_get_counts(openxpc_stream_t stream,
                                          struct openxpc_stream_counts_s* out);
/// Tells the writer to stop; rows that are here can still be taken, then the end with canceled.
XPC_EXPORT void openxpc_stream_cancel(openxpc_stream_t stream);
/// Cancels if need be and lets go.
XPC_EXPORT void openxpc_stream_release(openxpc_stream_t stream);

// --- Streams: the writer
// ------------------------------------------------------------------------------------------------

enum openxpc_when_full {
  OPENXPC_WHEN_FULL_WAIT = 0,         ///< would_block; wait and send again
  OPENXPC_WHEN_FULL_DROP_OLDEST = 1,  ///< the reader sees the gap in sequence and missed
  OPENXPC_WHEN_FULL_DROP_NEWEST = 2,
  OPENXPC_WHEN_FULL_DISCONNECT = 3  ///< the stream fails with would_block
};

XPC_EXPORT xpc_object_t openxpc_subscription_get_message(openxpc_subscription_t subscription);
XPC_EXPORT xpc_object_t openxpc_subscription_copy_sender(openxpc_subscription_t subscription);
/// Takes over `subscription`. @param buffer_bytes what may wait here for the reader's credit; 0 = 1
/// MiB.
XPC_EXPORT openxpc_writer_t openxpc_subscription_accept(openxpc_subscription_t subscription,
                                                        enum openxpc_when_full policy,
                                                        uint64_t buffer_bytes);
XPC_EXPORT void openxpc_subscription_refuse(openxpc_subscription_t subscription,
                                            xpc_rich_error_t error);
/// Lets go unanswered: the caller gets no_reply.
XPC_EXPORT void openxpc_subscription_release(openxpc_subscription_t subscription);

/// Sends a row if nothing is in its way: there is credit and no row waits. False: nothing was done;
/// openxpc_writer_try_send() and openxpc_writer_send_when_ready() tell the reason. The cheap first
/// attempt of a producer.
XPC_EXPORT bool openxpc_writer_send_now(openxpc_writer_t writer, xpc_object_t row) XPC_WARN_RESULT;
/// Queues a row. @return null, or owned: would_block (policy wait), canceled (the reader left or
/// the conversation is over), too_large (larger than the reader's credit: the stream has failed).
/// Drop policies count and return null.
XPC_EXPORT xpc_rich_error_t openxpc_writer_try_send(openxpc_writer_t writer,
                                                    xpc_object_t row) XPC_WARN_RESULT;
/// Queues a row when there is credit, in the order of the calls: `done(context, error)` once,
/// inside the call when there is room at once, else on the conversation's executor, with what
/// openxpc_writer_try_send() would have said (error null, or owned by the callee).
XPC_EXPORT void openxpc_writer_send_when_ready(openxpc_writer_t writer, xpc_object_t row,
                                               void* context,
                                               void (*done)(void* context, xpc_rich_error_t error));
/// Encodes a row once for many writers; descriptors inside are duplicated per writer. Null with
/// *error when it cannot be.
XPC_EXPORT openxpc_encoded_t openxpc_encoded_create(xpc_object_t row, xpc_rich_error_t* error);
XPC_EXPORT openxpc_encoded_t openxpc_encoded_retain(openxpc_encoded_t row);
XPC_EXPORT void openxpc_encoded_release(openxpc_encoded_t row);
XPC_EXPORT xpc_rich_error_t openxpc_writer_try_send_encoded(openxpc_writer_t writer,
                                                            openxpc_encoded_t row) XPC_WARN_RESULT;
/// Calls `ready(context)` once when try_send may succeed again or the stream is over. One at a
/// time.
XPC_EXPORT void openxpc_writer_when_writable(openxpc_writer_t writer,
                                             const struct openxpc_executor_s* executor,
                                             void* context, void (*ready)(void* context));
/// Blocks until then; false at the deadline (CLOCK_BOOTTIME ns).
XPC_EXPORT bool openxpc_writer_wait_writable(openxpc_writer_t writer, uint64_t deadline_ns);
/// True when the reader left or the conversation is over.
XPC_EXPORT bool openxpc_writer_is_canceled(openxpc_writer_t writer);
/// Calls `stopped(context)` at most once when that happens; at most one per writer; not after
/// fail/release has returned.
XPC_EXPORT void openxpc_writer_on_stop(openxpc_writer_t writer, void* context,
                                       void (*stopped)(void* context));
XPC_EXPORT void openxpc_writer_get_counts(openxpc_writer_t writer,
                                          struct openxpc_stream_counts_s* out);
/// Ends the stream with an error (lent) and takes over `writer`.
XPC_EXPORT void openxpc_writer_fail(openxpc_writer_t writer, xpc_rich_error_t error);
/// Ends the stream in order, after the rows that wait, and lets go.
XPC_EXPORT void openxpc_writer_release(openxpc_writer_t writer);

OPENXPC_END_DECLS

#endif
