#ifndef DISPATCH_BLOCK_H
#define DISPATCH_BLOCK_H

/// Work items: blocks that can be waited for and called off.

#include <dispatch/queue.h>

DISPATCH_BEGIN_DECLS

DISPATCH_OPTIONS(dispatch_block_flags, unsigned long, DISPATCH_BLOCK_BARRIER = 0x1,
                 DISPATCH_BLOCK_DETACHED = 0x2, DISPATCH_BLOCK_ASSIGN_CURRENT = 0x4,
                 DISPATCH_BLOCK_NO_QOS_CLASS = 0x8, DISPATCH_BLOCK_INHERIT_QOS_CLASS = 0x10,
                 DISPATCH_BLOCK_ENFORCE_QOS_CLASS = 0x20);

#if DISPATCH_HAS_BLOCKS
/// A block that runs `block` once it is submitted, owned by the caller (Block_release()).
/// DISPATCH_BLOCK_BARRIER makes submitting it a barrier; the other flags are accepted. @return null
/// when there are flags that it does not know.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT dispatch_block_t
dispatch_block_create(dispatch_block_flags_t flags, dispatch_block_t block);
/// The same; the service class is checked and otherwise ignored. @return null when it is wrong.
DISPATCH_EXPORT DISPATCH_NONNULL(4) DISPATCH_WARN_RESULT dispatch_block_t
    dispatch_block_create_with_qos_class(dispatch_block_flags_t flags,
                                         dispatch_qos_class_t qos_class, int relative_priority,
                                         dispatch_block_t block);
/// Runs a block here and now.
DISPATCH_EXPORT DISPATCH_NONNULL(2) void dispatch_block_perform(
    dispatch_block_flags_t flags, DISPATCH_NOESCAPE dispatch_block_t block);
// The four below take only blocks made by dispatch_block_create(); others are misuse.
/// Sleeps until it has run once. @return zero, or not zero when `timeout` came first.
DISPATCH_EXPORT DISPATCH_NONNULL(1) intptr_t
    dispatch_block_wait(dispatch_block_t block, dispatch_time_t timeout);
/// Submits `notification` to `queue` when it has run once.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_block_notify(dispatch_block_t block,
                                                                dispatch_queue_t queue,
                                                                dispatch_block_t notification);
/// Runs that have not begun do nothing, and count as run.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_block_cancel(dispatch_block_t block);
/// Not zero after dispatch_block_cancel().
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT intptr_t
dispatch_block_testcancel(dispatch_block_t block);
/// dispatch_block_notify() or dispatch_group_notify(), by what `object` is.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_notify(void* object, dispatch_queue_t queue,
                                                          dispatch_block_t notification);
#endif

DISPATCH_END_DECLS

#endif
