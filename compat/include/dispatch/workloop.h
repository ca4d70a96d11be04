#ifndef DISPATCH_WORKLOOP_H
#define DISPATCH_WORKLOOP_H

/// Workloops: serial queues that run what waits by its service class. Here the order of submission
/// decides alone, which is one of the orders that a workloop may take.

#include <dispatch/queue.h>

DISPATCH_DECL_SUBCLASS(dispatch_workloop, dispatch_queue);

DISPATCH_BEGIN_DECLS

/// A new workloop, owned by the caller. @param label copied; may be null.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_workloop_t
dispatch_workloop_create(const char* label);
/// The same; it waits for dispatch_activate().
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_workloop_t
dispatch_workloop_create_inactive(const char* label);
/// Accepted: there are no autorelease pools here. Misuse: once it is active.
DISPATCH_EXPORT DISPATCH_NONNULL(1) void dispatch_workloop_set_autorelease_frequency(
    dispatch_workloop_t workloop, dispatch_autorelease_frequency_t frequency);

DISPATCH_END_DECLS

#endif
