#ifndef DISPATCH_ONCE_H
#define DISPATCH_ONCE_H

/// Something that happens once in the life of the process.

#include <dispatch/base.h>
#include <dispatch/queue.h>

/// Zero at first, in static storage.
typedef intptr_t dispatch_once_t;

DISPATCH_BEGIN_DECLS

/// Calls the function the first time; whoever comes meanwhile waits until it has returned. Calling
/// it for the same predicate inside the function never returns.
DISPATCH_EXPORT DISPATCH_NONNULL(1, 3) void dispatch_once_f(dispatch_once_t* predicate,
                                                            void* context,
                                                            dispatch_function_t function);
#if DISPATCH_HAS_BLOCKS
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_once(dispatch_once_t* predicate,
                                                        DISPATCH_NOESCAPE dispatch_block_t block);
#endif

DISPATCH_END_DECLS

#endif
