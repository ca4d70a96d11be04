#ifndef XPC_OPENXPC_RUNTIME_H
#define XPC_OPENXPC_RUNTIME_H

/// What programs in other languages need beside objects and conversations so that their callbacks
/// and coroutines have somewhere to run: a loop, a clock, a place to sleep, one stream for many
/// readers, and errors told to people. The C++ API keeps every lock and every queue behind this
/// header.

#include <xpc/openxpc/conversation.h>

OPENXPC_BEGIN_DECLS

// ---- Sleeping
// ---------------------------------------------------------------------------------------------------------

/// Sleeps until openxpc_wake_word() is called for the same word or the deadline passes; returns at
/// once when `*word` does not hold `expected`, sometimes without reason. A handler may call it:
/// other conversations are served meanwhile.
/// @param word        a naturally aligned word that all threads change by atomic operations.
/// @param deadline_ns CLOCK_BOOTTIME nanoseconds, or OPENXPC_FOREVER. @return false at the
/// deadline.
XPC_EXPORT bool openxpc_wait_word(const uint32_t* word, uint32_t expected, uint64_t deadline_ns);
/// Wakes every thread that sleeps on `word`. The word need not exist any more: the address counts.
XPC_EXPORT void openxpc_wake_word(const uint32_t* word);
/// Ends the process because the local program did what it must not do: "XPC API Misuse: function:
/// text" (rule 3).
XPC_EXPORT XPC_NORETURN void openxpc_misuse(const char* function, const char* text);

// ---- A loop of the program's own
// --------------------------------------------------------------------------------------

typedef struct openxpc_loop_s* openxpc_loop_t;

/// A queue of work and whoever runs it. Counted: born with one reference.
XPC_EXPORT openxpc_loop_t openxpc_loop_create(void) XPC_WARN_RESULT;
XPC_EXPORT openxpc_loop_t openxpc_loop_retain(openxpc_loop_t loop);
XPC_EXPORT void openxpc_loop_release(openxpc_loop_t loop);
/// Queues `run(work)`; order is kept. @return false after openxpc_loop_close(): it will not run,
/// and `work` is still the caller's. Threads: any.
XPC_EXPORT bool openxpc_loop_post(openxpc_loop_t loop, void* work, void (*run)(void* work));
/// Sleeps until there is work and runs all that was there. @return false, at once or woken, when
/// openxpc_loop_stop() was called; that call is thereby used up. One thread at a time: misuse
/// otherwise.
XPC_EXPORT bool openxpc_loop_run_some(openxpc_loop_t loop);
/// Runs what is there now and returns without waiting; how much it was. One thread at a time.
XPC_EXPORT size_t openxpc_loop_poll(openxpc_loop_t loop);
/// Makes the present or next openxpc_loop_run_some() return false. Threads: any; also inside a
/// signal handler.
XPC_EXPORT void openxpc_loop_stop(openxpc_loop_t loop);
/// The descriptor that is readable while there is work; lent, for poll(2) only.
XPC_EXPORT int openxpc_loop_get_borrowed_fd(openxpc_loop_t loop);
/// True on the thread that runs work of this loop right now.
XPC_EXPORT bool openxpc_loop_is_current(openxpc_loop_t loop);
/// Runs what is there, and drops what is posted from now on.
XPC_EXPORT void openxpc_loop_close(openxpc_loop_t loop);

// ---- A clock
// ----------------------------------------------------------------------------------------------------------

typedef struct openxpc_timer_s* openxpc_timer_t;

/// Calls `over(context, canceled)` exactly once: with false after `delay_ns` on a thread of the
/// library, or with true inside openxpc_timer_cancel() or openxpc_timer_release(). It may release
/// the handle. With 0 it may have been called before this function returns. @return owned.
XPC_EXPORT openxpc_timer_t openxpc_timer_start(uint64_t delay_ns, void* context,
                                               void (*over)(void* context,
                                                            bool canceled)) XPC_WARN_RESULT;
/// Ends the wait; does nothing when it is over already. Threads: any.
XPC_EXPORT void openxpc_timer_cancel(openxpc_timer_t timer);
/// Frees the handle and ends the wait if it is not over.
XPC_EXPORT void openxpc_timer_release(openxpc_timer_t timer);

// ---- One stream for many readers
// ---------------------------------------------------------------------------------------

typedef struct openxpc_broadcast_s* openxpc_broadcast_t;

/// Writers that get the same rows. Threads: any function from any thread.
XPC_EXPORT openxpc_broadcast_t openxpc_broadcast_create(void) XPC_WARN_RESULT;
/// Ends each stream in order and frees.
XPC_EXPORT void openxpc_broadcast_destroy(openxpc_broadcast_t broadcast);
/// Takes a writer over; it is let go when its reader has left.
XPC_EXPORT void openxpc_broadcast_add(openxpc_broadcast_t broadcast, openxpc_writer_t owned_writer);
/// Encodes the row once and gives it to every writer, each by its own policy; never waits. A writer
/// that fails or whose reader has left is let go. @return null, or the owned reason why the row
/// cannot be encoded (nobody got it).
XPC_EXPORT xpc_rich_error_t openxpc_broadcast_send(openxpc_broadcast_t broadcast,
                                                   xpc_object_t row) XPC_WARN_RESULT;
/// How many readers there are now.
XPC_EXPORT size_t openxpc_broadcast_get_count(openxpc_broadcast_t broadcast);

// ---- Errors told to people
// ----------------------------------------------------------------------------------------------

/// Several lines: what failed, whose number it is, what led to it, how the peer ended, what to do
/// next. No newline at the end. @return malloc'ed.
XPC_EXPORT char* openxpc_error_copy_explanation(xpc_rich_error_t error) XPC_WARN_RESULT;
/// The code of <sysexits.h> that fits, for main() to return; never 0.
XPC_EXPORT int openxpc_error_get_exit_code(xpc_rich_error_t error);

OPENXPC_END_DECLS

#endif
