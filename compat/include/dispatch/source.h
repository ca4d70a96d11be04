#ifndef DISPATCH_SOURCE_H
#define DISPATCH_SOURCE_H

/// Sources: a handler that is called on a queue when something happens. What happens while the
/// handler is busy or the source suspended is gathered into one later call.

#include <dispatch/object.h>
#include <dispatch/queue.h>
#include <dispatch/time.h>

DISPATCH_DECL(dispatch_source);
typedef const struct dispatch_source_type_s* dispatch_source_type_t;

DISPATCH_BEGIN_DECLS

#define DISPATCH_SOURCE_TYPE(name) (&_dispatch_source_type_##name)
/// Data given by dispatch_source_merge_data(), added up, or-ed, or the latest.
#define DISPATCH_SOURCE_TYPE_DATA_ADD DISPATCH_SOURCE_TYPE(data_add)
#define DISPATCH_SOURCE_TYPE_DATA_OR DISPATCH_SOURCE_TYPE(data_or)
#define DISPATCH_SOURCE_TYPE_DATA_REPLACE DISPATCH_SOURCE_TYPE(data_replace)
/// Handle: a process id; mask: DISPATCH_PROC_EXIT. Linux reports nothing else; other bits are
/// ignored.
#define DISPATCH_SOURCE_TYPE_PROC DISPATCH_SOURCE_TYPE(proc)
/// Handle: a descriptor, which must stay open until the cancel handler runs; data: about how many
/// bytes can be read.
#define DISPATCH_SOURCE_TYPE_READ DISPATCH_SOURCE_TYPE(read)
/// Handle: a descriptor, likewise; data: not zero when it can be written to.
#define DISPATCH_SOURCE_TYPE_WRITE DISPATCH_SOURCE_TYPE(write)
/// Handle: a signal number; data: how often it came since the last call. Comes also for a signal
/// that is ignored or blocked (rule 351): from activation to cancellation the library catches the
/// signal, and what was to happen before (ignoring it, a handler of the program) happens still,
/// except that a default action that would end the process does not. A disposition that the program
/// sets after activation takes the signal away from the source; dispatch_main() takes it back, so
/// that the order does not matter before it.
#define DISPATCH_SOURCE_TYPE_SIGNAL DISPATCH_SOURCE_TYPE(signal)
/// Handle: 0; mask: 0 or DISPATCH_TIMER_STRICT; data: how often it ran out since the last call.
#define DISPATCH_SOURCE_TYPE_TIMER DISPATCH_SOURCE_TYPE(timer)
/// Known by name so that programs compile: dispatch_source_create() returns null for them. Linux
/// has no Mach ports; for files there is inotify(7), for memory the pressure files of
/// /proc/pressure, both with a descriptor that a READ source can watch.
#define DISPATCH_SOURCE_TYPE_MACH_SEND DISPATCH_SOURCE_TYPE(mach_send)
#define DISPATCH_SOURCE_TYPE_MACH_RECV DISPATCH_SOURCE_TYPE(mach_recv)
#define DISPATCH_SOURCE_TYPE_MEMORYPRESSURE DISPATCH_SOURCE_TYPE(memorypressure)
#define DISPATCH_SOURCE_TYPE_VNODE DISPATCH_SOURCE_TYPE(vnode)

DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_data_add;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_data_or;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_data_replace;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_proc;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_read;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_write;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_signal;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_timer;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_mach_send;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_mach_recv;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_memorypressure;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_vnode;

#define DISPATCH_PROC_EXIT 0x80000000u
#define DISPATCH_PROC_FORK 0x40000000u
#define DISPATCH_PROC_EXEC 0x20000000u
#define DISPATCH_PROC_SIGNAL 0x08000000u
#define DISPATCH_TIMER_STRICT 0x1u
#define DISPATCH_MACH_SEND_DEAD 0x1u
#define DISPATCH_MEMORYPRESSURE_NORMAL 0x01u
#define DISPATCH_MEMORYPRESSURE_WARN 0x02u
#define DISPATCH_MEMORYPRESSURE_CRITICAL 0x04u
#define DISPATCH_VNODE_DELETE 0x1u
#define DISPATCH_VNODE_WRITE 0x2u
#define DISPATCH_VNODE_EXTEND 0x4u
#define DISPATCH_VNODE_ATTRIB 0x8u
#define DISPATCH_VNODE_LINK 0x10u
#define DISPATCH_VNODE_RENAME 0x20u
#define DISPATCH_VNODE_REVOKE 0x40u
#define DISPATCH_VNODE_FUNLOCK 0x100u
typedef unsigned long dispatch_source_proc_flags_t;
typedef unsigned long dispatch_source_timer_flags_t;
typedef unsigned long dispatch_source_mach_send_flags_t;
typedef unsigned long dispatch_source_memorypressure_flags_t;
typedef unsigned long dispatch_source_vnode_flags_t;

/// A new source, owned by the caller, inactive: set its handlers, then dispatch_activate() it.
/// @param queue where the handlers run; null is the default global queue. @return null when the
/// type does not know the handle or the mask. A READ or WRITE source of a descriptor that is not
/// open when it is activated never fires.
DISPATCH_EXPORT DISPATCH_NONNULL(1) DISPATCH_WARN_RESULT dispatch_source_t
    dispatch_source_create(dispatch_source_type_t type, uintptr_t handle, uintptr_t mask,
                           dispatch_queue_t queue);

/// Handlers are called with the source's context (dispatch_set_context()). The event handler may be
/// replaced at any time.
DISPATCH_EXPORT DISPATCH_NONNULL(1) void dispatch_source_set_event_handler_f(
    dispatch_source_t source, dispatch_function_t handler);
/// Called once after dispatch_source_cancel(), when the library no longer uses the handle: the
/// place to close a descriptor.
DISPATCH_EXPORT DISPATCH_NONNULL(1) void dispatch_source_set_cancel_handler_f(
    dispatch_source_t source, dispatch_function_t handler);
/// Called once when the source has begun to watch.
DISPATCH_EXPORT DISPATCH_NONNULL(1) void dispatch_source_set_registration_handler_f(
    dispatch_source_t source, dispatch_function_t handler);
#if DISPATCH_HAS_BLOCKS
DISPATCH_EXPORT DISPATCH_NONNULL(1) void dispatch_source_set_event_handler(
    dispatch_source_t source, dispatch_block_t handler);
DISPATCH_EXPORT DISPATCH_NONNULL(1) void dispatch_source_set_cancel_handler(
    dispatch_source_t source, dispatch_block_t handler);
DISPATCH_EXPORT DISPATCH_NONNULL(1) void dispatch_source_set_registration_handler(
    dispatch_source_t source, dispatch_block_t handler);
#endif

/// No event handler call begins after this, except one that is on its way on another thread. Also
/// from inside the handlers.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_source_cancel(dispatch_source_t source);
/// Not zero after dispatch_source_cancel().
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT intptr_t
dispatch_source_testcancel(dispatch_source_t source);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT uintptr_t
dispatch_source_get_handle(dispatch_source_t source);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT uintptr_t
dispatch_source_get_mask(dispatch_source_t source);
/// What the event handler was called for; only inside it.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT uintptr_t
dispatch_source_get_data(dispatch_source_t source);
/// For the three data types: hands a value in. Zero is no event, except for DATA_REPLACE.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_source_merge_data(dispatch_source_t source,
                                                                     uintptr_t value);
/// When a timer runs out: at `start` and every `interval` nanoseconds from then on
/// (DISPATCH_TIME_FOREVER: once, rule 352). A start made by dispatch_walltime() follows the time of
/// day. Drops what had run out but was not delivered. @param leeway how late it may be, in
/// nanoseconds; the library does not make use of it.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_source_set_timer(dispatch_source_t source,
                                                                    dispatch_time_t start,
                                                                    uint64_t interval,
                                                                    uint64_t leeway);

DISPATCH_END_DECLS

#endif
