#ifndef XPC_ACTIVITY_H
#define XPC_ACTIVITY_H

/// Activities: work that a program wants done at some good moment, such as once a day while the
/// machine is on mains. Source compatible with Apple's header of this name; manual page
/// xpc_activity_register(3).
///
/// Linux: xpcd keeps the activities of a job, also over restarts of the job, of xpcd and of the
/// machine, starts the job when one is due, and calls its handler in the state RUN. Nobody looks at
/// batteries and screens: criteria about them are taken, shown by `xpcctl print`, and not
/// evaluated. In a program that no xpcd started they stay in the state WAIT.
/// Threads: any function from any thread.

#include <xpc/base.h>
#include <xpc/xpc.h>

OPENXPC_BEGIN_DECLS
XPC_ASSUME_NONNULL_BEGIN

#define XPC_TYPE_ACTIVITY (&_xpc_type_activity)
XPC_EXPORT XPC_TYPE(_xpc_type_activity);

#if OPENXPC_HAS_BLOCKS
/// Called when an activity comes into the state CHECK_IN or RUN; never again before it returned
/// (rule 187). The activity is lent.
OPENXPC_BLOCK(void, xpc_activity_handler_t, xpc_activity_t activity);
#endif

/// Passed as the criteria: those of the existing activity stay (rule 186). For
/// xpc_activity_register() only; misuse elsewhere.
XPC_EXPORT const xpc_object_t XPC_ACTIVITY_CHECK_IN;

// Keys of the criteria. Seconds are int64 or uint64 values.

/// Seconds: at most one run in each such span, one on average. Implies that the activity repeats,
/// and a delay and a grace period of half of it where those are not given (rule 193).
XPC_EXPORT const char* const XPC_ACTIVITY_INTERVAL;
/// Bool: it runs again and again.
XPC_EXPORT const char* const XPC_ACTIVITY_REPEATING;
/// Seconds from the beginning of a period, which is the registration, the next interval, or,
/// without one, the end of the run before, to its run.
XPC_EXPORT const char* const XPC_ACTIVITY_DELAY;
/// Seconds behind the delay from which on it runs even while others do: until then, upkeep waits
/// when four activities of the domain run already.
XPC_EXPORT const char* const XPC_ACTIVITY_GRACE_PERIOD;
/// String: one of the two below.
XPC_EXPORT const char* const XPC_ACTIVITY_PRIORITY;
/// Upkeep that nobody sees; not on battery unless allowed (rule 194).
XPC_EXPORT const char* const XPC_ACTIVITY_PRIORITY_MAINTENANCE;
/// Work whose result a person sees; on battery unless forbidden (rule 194).
XPC_EXPORT const char* const XPC_ACTIVITY_PRIORITY_UTILITY;
/// Bool: may run on battery.
XPC_EXPORT const char* const XPC_ACTIVITY_ALLOW_BATTERY;
/// Bool: only while nobody uses the machine.
XPC_EXPORT const char* const XPC_ACTIVITY_REQUIRE_SCREEN_SLEEP;
/// Bool: the machine stays awake while it runs.
XPC_EXPORT const char* const XPC_ACTIVITY_PREVENT_DEVICE_SLEEP;
#if defined(OPENXPC_BUILDING)
#define OPENXPC_ACTIVITY_OLD
#else
#define OPENXPC_ACTIVITY_OLD XPC_DEPRECATED("has no effect")
#endif
/// Have no effect, here and on Apple's systems.
XPC_EXPORT const char* const XPC_ACTIVITY_REQUIRE_BATTERY_LEVEL OPENXPC_ACTIVITY_OLD;
XPC_EXPORT const char* const XPC_ACTIVITY_REQUIRE_HDD_SPINNING OPENXPC_ACTIVITY_OLD;

/// Spans in seconds.
XPC_EXPORT const int64_t XPC_ACTIVITY_INTERVAL_1_MIN;
XPC_EXPORT const int64_t XPC_ACTIVITY_INTERVAL_5_MIN;
XPC_EXPORT const int64_t XPC_ACTIVITY_INTERVAL_15_MIN;
XPC_EXPORT const int64_t XPC_ACTIVITY_INTERVAL_30_MIN;
XPC_EXPORT const int64_t XPC_ACTIVITY_INTERVAL_1_HOUR;
XPC_EXPORT const int64_t XPC_ACTIVITY_INTERVAL_4_HOURS;
XPC_EXPORT const int64_t XPC_ACTIVITY_INTERVAL_8_HOURS;
XPC_EXPORT const int64_t XPC_ACTIVITY_INTERVAL_1_DAY;
XPC_EXPORT const int64_t XPC_ACTIVITY_INTERVAL_7_DAYS;

/// What an activity is doing.
enum {
  XPC_ACTIVITY_STATE_CHECK_IN = 0,  ///< it has just been registered by CHECK_IN
  XPC_ACTIVITY_STATE_WAIT = 1,      ///< for its time; no handler sees this
  XPC_ACTIVITY_STATE_RUN = 2,       ///< do the work now
  XPC_ACTIVITY_STATE_DEFER = 3,     ///< set by the program: later, it stays due (rule 189)
  XPC_ACTIVITY_STATE_CONTINUE = 4,  ///< set by the program: the work outlives the handler
  XPC_ACTIVITY_STATE_DONE = 5       ///< set by the program
};
typedef long xpc_activity_state_t;

#if OPENXPC_HAS_BLOCKS
/// Registers an activity of this program; the same identifier again replaces criteria and handler
/// (rule 185). With XPC_ACTIVITY_CHECK_IN the criteria of the existing one stay, or it begins with
/// empty ones, and the handler is called soon in the state CHECK_IN, on a thread of the library.
/// While it has criteria that say when, it is then called in the state RUN each time it is due; a
/// return without a step is DONE (rule 191). From RUN to DEFER or DONE there is a transaction.
/// @param identifier text of the program's own, copied. @param criteria a dictionary, copied.
/// @param handler copied; let go of by xpc_activity_unregister().
/// Errors: NULL, an empty identifier, and criteria that are no dictionary are misuse.
XPC_EXPORT XPC_NONNULL_ALL void xpc_activity_register(const char* identifier, xpc_object_t criteria,
                                                      xpc_activity_handler_t handler);
#endif

/// A copy of the criteria, owned by the caller; NULL once an activity that does not repeat is done
/// (rule 197).
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT
    xpc_object_t _Nullable xpc_activity_copy_criteria(xpc_activity_t activity);
/// Replaces the criteria by a copy of a dictionary; anything else is misuse.
XPC_EXPORT XPC_NONNULL_ALL void xpc_activity_set_criteria(xpc_activity_t activity,
                                                          xpc_object_t criteria);

/// The state as of now.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT xpc_activity_state_t
xpc_activity_get_state(xpc_activity_t activity);
/// Asks for DEFER, CONTINUE or DONE. @return false, and nothing changes, when that is no step from
/// the present state (rule 188): DEFER, CONTINUE and DONE follow on RUN, DEFER and DONE on
/// CONTINUE.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT bool xpc_activity_set_state(xpc_activity_t activity,
                                                                       xpc_activity_state_t state);
/// Whether the program had better set DEFER: it runs, and the process was asked to end or somebody
/// asked for it (`xpcctl activity --defer`). Not for batteries and screens.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT bool xpc_activity_should_defer(xpc_activity_t activity);

/// Forgets an activity: its handler is not called again. A running call and activities that the
/// program retained are not affected (rule 196). Does nothing for one that is not registered.
XPC_EXPORT XPC_NONNULL_ALL void xpc_activity_unregister(const char* identifier);

XPC_ASSUME_NONNULL_END
OPENXPC_END_DECLS

#endif
