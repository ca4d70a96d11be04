#ifndef OS_LOCK_H
#define OS_LOCK_H

/// A lock of four bytes that knows its owner. Waiters sleep; which of them comes next is not said.
/// Link libxpc-compat.

#include <os/base.h>

#define OS_LOCK_API_VERSION 20160309

/// Zeroed memory is an unlocked lock. It must not be copied or moved while it is in use.
typedef struct os_unfair_lock_s {
  uint32_t _os_unfair_lock_opaque;
} os_unfair_lock, *os_unfair_lock_t;

#ifdef __cplusplus
#define OS_UNFAIR_LOCK_INIT (os_unfair_lock{})
#else
#define OS_UNFAIR_LOCK_INIT ((os_unfair_lock){0})
#endif

/// Takes the lock; sleeps while another thread has it. A thread that has it already ends the
/// process.
OS_EXPORT OS_NONNULL_ALL void os_unfair_lock_lock(os_unfair_lock_t lock);
/// Takes the lock if it is free. @return whether it did.
OS_EXPORT OS_NONNULL_ALL OS_WARN_RESULT bool os_unfair_lock_trylock(os_unfair_lock_t lock);
/// Gives it back. A thread that has not got it ends the process.
OS_EXPORT OS_NONNULL_ALL void os_unfair_lock_unlock(os_unfair_lock_t lock);
/// Ends the process unless the calling thread has the lock.
OS_EXPORT OS_NONNULL_ALL void os_unfair_lock_assert_owner(const os_unfair_lock* lock);
/// Ends the process if it has.
OS_EXPORT OS_NONNULL_ALL void os_unfair_lock_assert_not_owner(const os_unfair_lock* lock);

#endif
