#ifndef DISPATCH_TIME_H
#define DISPATCH_TIME_H

/// Instants for timeouts, dispatch_after() and timers.

#include <dispatch/base.h>

#include <time.h>

#ifndef NSEC_PER_SEC
#define NSEC_PER_SEC 1000000000ull
#endif
#ifndef NSEC_PER_MSEC
#define NSEC_PER_MSEC 1000000ull
#endif
#ifndef USEC_PER_SEC
#define USEC_PER_SEC 1000000ull
#endif
#ifndef NSEC_PER_USEC
#define NSEC_PER_USEC 1000ull
#endif
#ifndef MSEC_PER_SEC
#define MSEC_PER_SEC 1000ull
#endif

/// An instant of one of two clocks: one that stands still while the machine sleeps, or the time of
/// day. Only for passing on.
typedef uint64_t dispatch_time_t;

#define DISPATCH_TIME_NOW (0ull)
#define DISPATCH_TIME_FOREVER (~0ull)
/// "Now", by the time of day.
#define DISPATCH_WALLTIME_NOW (~1ull)

DISPATCH_BEGIN_DECLS

/// `delta` nanoseconds after `when`, on the clock of `when`. Beyond what can be told:
/// DISPATCH_TIME_FOREVER or "now".
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_time_t dispatch_time(dispatch_time_t when,
                                                                   int64_t delta);
/// `delta` nanoseconds after a time of day; null means the present one.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_time_t dispatch_walltime(const struct timespec* when,
                                                                       int64_t delta);

DISPATCH_END_DECLS

#endif
