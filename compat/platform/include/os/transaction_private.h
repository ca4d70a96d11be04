#ifndef OS_TRANSACTION_PRIVATE_H
#define OS_TRANSACTION_PRIVATE_H

/// Transactions as objects: while one exists this process is not idle, and the service manager does
/// not end it as such. Each counts as one of xpc_transaction_begin(3), and shows in
/// `xpcctl print`. Link libxpc-compat and libxpc.
/// Threads: any function from any thread.

#include <os/base.h>

/// Owned by whoever made or retained it: os_retain() and os_release(), the last of which ends the
/// transaction. When the process was asked to end meanwhile, that lets it end.
typedef struct os_transaction_s* os_transaction_t;

/// A new transaction. @param description  text for people, copied; never NULL. @return owned; the
/// process ends when there is no memory.
OS_EXPORT OS_NONNULL_ALL OS_WARN_RESULT OS_MALLOC os_transaction_t
os_transaction_create(const char* description);
/// When it was made, in nanoseconds of mach_absolute_time().
OS_EXPORT OS_NONNULL_ALL OS_WARN_RESULT uint64_t
os_transaction_get_timestamp(os_transaction_t transaction);
/// The text it was made with; lives as long as the transaction.
OS_EXPORT OS_NONNULL_ALL OS_WARN_RESULT const char* os_transaction_get_description(
    os_transaction_t transaction);

#include <os/object.h>

#endif
