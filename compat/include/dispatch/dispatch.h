#ifndef DISPATCH_DISPATCH_H
#define DISPATCH_DISPATCH_H

/// Dispatch queues for programs that use XPC on a system without libdispatch: queues, groups,
/// semaphores, once, apply, sources and data, under the names and with the behaviour that programs
/// for Apple's systems expect. Link libxpc-dispatch. Where a real libdispatch is installed, use
/// that one instead: a process has one or the other, never both.
///
/// Functions that end in _f take a function and a context. The others take a block and are declared
/// where the compiler has blocks (clang -fblocks, with -lBlocksRuntime). A block is copied when it
/// is submitted and released after it ran.
///
/// Objects are counted: created with one reference, dispatch_retain() and dispatch_release() change
/// it, and an object lives on by itself while work is queued on it. Every function may be called
/// from any thread. Wrong use that the library notices ends the process with "BUG IN CLIENT OF
/// LIBDISPATCH: function: reason".

// What programs get with Apple's header and rely on.
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define DISPATCH_API_VERSION 20181008

#include <dispatch/base.h>
#include <dispatch/block.h>
#include <dispatch/data.h>
#include <dispatch/group.h>
#include <dispatch/object.h>
#include <dispatch/once.h>
#include <dispatch/queue.h>
#include <dispatch/semaphore.h>
#include <dispatch/source.h>
#include <dispatch/time.h>
#include <dispatch/workloop.h>

#endif
