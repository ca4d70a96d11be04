#ifndef DISPATCH_GROUP_H
#define DISPATCH_GROUP_H

/// Groups: knowing when several pieces of work are done.

#include <dispatch/object.h>
#include <dispatch/queue.h>

DISPATCH_DECL(dispatch_group);

DISPATCH_BEGIN_DECLS

/// A new, empty group, owned by the caller.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_group_t dispatch_group_create(void);
/// dispatch_async_f() of work that belongs to the group until it has run.
DISPATCH_EXPORT DISPATCH_NONNULL(1, 2, 4) void dispatch_group_async_f(dispatch_group_t group,
                                                                      dispatch_queue_t queue,
                                                                      void* context,
                                                                      dispatch_function_t work);
/// Something belongs to the group from now on, until dispatch_group_leave().
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_group_enter(dispatch_group_t group);
/// Misuse: more often than dispatch_group_enter().
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_group_leave(dispatch_group_t group);
/// Sleeps until the group is empty. @return zero, or not zero when `timeout` came first.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL intptr_t dispatch_group_wait(dispatch_group_t group,
                                                                  dispatch_time_t timeout);
/// Submits work once, when the group is empty: at once if it is.
DISPATCH_EXPORT DISPATCH_NONNULL(1, 2, 4) void dispatch_group_notify_f(dispatch_group_t group,
                                                                       dispatch_queue_t queue,
                                                                       void* context,
                                                                       dispatch_function_t work);
#if DISPATCH_HAS_BLOCKS
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_group_async(dispatch_group_t group,
                                                               dispatch_queue_t queue,
                                                               dispatch_block_t block);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_group_notify(dispatch_group_t group,
                                                                dispatch_queue_t queue,
                                                                dispatch_block_t block);
#endif

DISPATCH_END_DECLS

#endif
