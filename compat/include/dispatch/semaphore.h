#ifndef DISPATCH_SEMAPHORE_H
#define DISPATCH_SEMAPHORE_H

/// Counting semaphores.

#include <dispatch/object.h>
#include <dispatch/time.h>

DISPATCH_DECL(dispatch_semaphore);

DISPATCH_BEGIN_DECLS

/// A new semaphore, owned by the caller; null when `value` is below zero.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_semaphore_t dispatch_semaphore_create(intptr_t value);
/// Takes one, sleeping until there is one. @return zero, or not zero when `timeout` came first:
/// then nothing was taken.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL intptr_t
dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t timeout);
/// Gives one. @return not zero when it woke somebody.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL intptr_t
dispatch_semaphore_signal(dispatch_semaphore_t semaphore);

DISPATCH_END_DECLS

#endif
