#ifndef DISPATCH_QUEUE_H
#define DISPATCH_QUEUE_H

/// Queues: work submitted to one starts in the order of submission. A serial queue runs one piece
/// at a time, a concurrent one many. Each queue passes its work to its target queue, in the end a
/// global queue (a pool of threads that grows while its threads are blocked) or the main queue (the
/// main thread).

#include <dispatch/object.h>
#include <dispatch/time.h>

DISPATCH_DECL(dispatch_queue);
DISPATCH_DECL_SUBCLASS(dispatch_queue_global, dispatch_queue);
DISPATCH_DECL_SUBCLASS(dispatch_queue_serial_executor, dispatch_queue);
#ifdef __cplusplus
DISPATCH_DECL_SUBCLASS(dispatch_queue_serial, dispatch_queue_serial_executor);
DISPATCH_DECL_SUBCLASS(dispatch_queue_main, dispatch_queue_serial);
#else
typedef dispatch_queue_t dispatch_queue_serial_t;
typedef dispatch_queue_t dispatch_queue_main_t;
#endif
DISPATCH_DECL_SUBCLASS(dispatch_queue_concurrent, dispatch_queue);
DISPATCH_DECL(dispatch_queue_attr);

#if DISPATCH_HAS_BLOCKS
DISPATCH_BLOCK_TYPE(void, dispatch_block_t, void);
DISPATCH_BLOCK_TYPE(void, dispatch_apply_block_t, size_t iteration);
#endif

// Service classes. Higher ones are taken first by idle threads; thread priorities stay as they are.
#ifndef QOS_MIN_RELATIVE_PRIORITY
DISPATCH_ENUM(qos_class, unsigned int, QOS_CLASS_USER_INTERACTIVE = 0x21,
              QOS_CLASS_USER_INITIATED = 0x19, QOS_CLASS_DEFAULT = 0x15, QOS_CLASS_UTILITY = 0x11,
              QOS_CLASS_BACKGROUND = 0x09, QOS_CLASS_UNSPECIFIED = 0x00);
#define QOS_MIN_RELATIVE_PRIORITY (-15)
#endif
typedef qos_class_t dispatch_qos_class_t;

typedef long dispatch_queue_priority_t;
#define DISPATCH_QUEUE_PRIORITY_HIGH 2
#define DISPATCH_QUEUE_PRIORITY_DEFAULT 0
#define DISPATCH_QUEUE_PRIORITY_LOW (-2)
#define DISPATCH_QUEUE_PRIORITY_BACKGROUND INT16_MIN

DISPATCH_BEGIN_DECLS

DISPATCH_EXPORT struct dispatch_queue_s _dispatch_main_q;
DISPATCH_EXPORT struct dispatch_queue_attr_s _dispatch_queue_attr_concurrent;

// ---- Which queue

/// The queue of the main thread; a constant. Its work runs in dispatch_main().
#ifdef __cplusplus
#define dispatch_get_main_queue() (reinterpret_cast<dispatch_queue_main_t>(&_dispatch_main_q))
#else
#define dispatch_get_main_queue() ((dispatch_queue_main_t) & _dispatch_main_q)
#endif

/// The concurrent queue of a priority or service class. @param identifier DISPATCH_QUEUE_PRIORITY_*
/// or QOS_CLASS_*.
/// @param flags reserved, zero. @return null for other values. Suspending it, targets and contexts
/// have no effect.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_queue_global_t
dispatch_get_global_queue(intptr_t identifier, uintptr_t flags);

#define DISPATCH_QUEUE_SERIAL NULL
#define DISPATCH_QUEUE_SERIAL_INACTIVE \
  dispatch_queue_attr_make_initially_inactive(DISPATCH_QUEUE_SERIAL)
#define DISPATCH_QUEUE_CONCURRENT (&_dispatch_queue_attr_concurrent)
#define DISPATCH_QUEUE_CONCURRENT_INACTIVE \
  dispatch_queue_attr_make_initially_inactive(DISPATCH_QUEUE_CONCURRENT)
#define DISPATCH_QUEUE_SERIAL_WITH_AUTORELEASE_POOL DISPATCH_QUEUE_SERIAL
#define DISPATCH_QUEUE_CONCURRENT_WITH_AUTORELEASE_POOL DISPATCH_QUEUE_CONCURRENT

/// The same attribute, but queues made with it wait for dispatch_activate(). Attributes are
/// constants and not counted.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_queue_attr_t
dispatch_queue_attr_make_initially_inactive(dispatch_queue_attr_t attribute);
/// The same attribute with a service class. @param relative_priority 0 to
/// QOS_MIN_RELATIVE_PRIORITY; checked, else ignored.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_queue_attr_t dispatch_queue_attr_make_with_qos_class(
    dispatch_queue_attr_t attribute, dispatch_qos_class_t qos_class, int relative_priority);
DISPATCH_ENUM(dispatch_autorelease_frequency, unsigned long,
              DISPATCH_AUTORELEASE_FREQUENCY_INHERIT = 0,
              DISPATCH_AUTORELEASE_FREQUENCY_WORK_ITEM = 1,
              DISPATCH_AUTORELEASE_FREQUENCY_NEVER = 2);
/// Returns the attribute: there are no autorelease pools here.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_queue_attr_t
dispatch_queue_attr_make_with_autorelease_frequency(dispatch_queue_attr_t attribute,
                                                    dispatch_autorelease_frequency_t frequency);

#define DISPATCH_TARGET_QUEUE_DEFAULT NULL

/// A new queue, owned by the caller. @param label copied; may be null.
/// @param attribute DISPATCH_QUEUE_SERIAL, DISPATCH_QUEUE_CONCURRENT or one made from them.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_queue_t
dispatch_queue_create(const char* label, dispatch_queue_attr_t attribute);
/// The same with a target; null is the global queue of the attribute's service class.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_queue_t dispatch_queue_create_with_target(
    const char* label, dispatch_queue_attr_t attribute, dispatch_queue_t target);
/// Changes the target of a queue, a source or an object with a finalizer; takes effect between two
/// pieces of work. Misuse: targets that form a ring.
DISPATCH_EXPORT void dispatch_set_target_queue(dispatch_object_t object, dispatch_queue_t target);

#define DISPATCH_CURRENT_QUEUE_LABEL NULL
/// The label, never null; lent as long as the queue lives. DISPATCH_CURRENT_QUEUE_LABEL asks for
/// the caller's queue.
DISPATCH_EXPORT DISPATCH_WARN_RESULT const char* dispatch_queue_get_label(dispatch_queue_t queue);
/// The service class given at creation. @param relative_priority receives it; may be null.
DISPATCH_EXPORT DISPATCH_WARN_RESULT DISPATCH_NONNULL(1) dispatch_qos_class_t
    dispatch_queue_get_qos_class(dispatch_queue_t queue, int* relative_priority);
/// Accepted: like all service classes it decides only what idle threads take first, and what a
/// queue was created with stands. Misuse: an object that is neither a queue nor a source, and a
/// class that does not exist.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_set_qos_class_floor(
    dispatch_object_t object, dispatch_qos_class_t qos_class, int relative_priority);
/// The queue whose work the caller is; else the default global queue. For debugging.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_queue_t dispatch_get_current_queue(void);

/// Runs the main queue's work on the main thread, for ever. Misuse on another thread.
DISPATCH_EXPORT DISPATCH_NORETURN void dispatch_main(void);

// ---- Submitting

/// Queues work and returns.
DISPATCH_EXPORT DISPATCH_NONNULL(1, 3) void dispatch_async_f(dispatch_queue_t queue, void* context,
                                                             dispatch_function_t work);
/// Runs work on the queue and returns when it is done: on the calling thread, but for the main
/// queue on the main thread. Misuse: on a serial queue that the caller is on, which could never
/// end.
DISPATCH_EXPORT DISPATCH_NONNULL(1, 3) void dispatch_sync_f(dispatch_queue_t queue, void* context,
                                                            dispatch_function_t work);
/// As dispatch_sync_f().
DISPATCH_EXPORT DISPATCH_NONNULL(1, 3) void dispatch_async_and_wait_f(dispatch_queue_t queue,
                                                                      void* context,
                                                                      dispatch_function_t work);
/// Work that runs alone on a concurrent queue: after all that was submitted before, before all that
/// comes after. On a global queue it is ordinary work.
DISPATCH_EXPORT DISPATCH_NONNULL(1, 3) void dispatch_barrier_async_f(dispatch_queue_t queue,
                                                                     void* context,
                                                                     dispatch_function_t work);
DISPATCH_EXPORT DISPATCH_NONNULL(1, 3) void dispatch_barrier_sync_f(dispatch_queue_t queue,
                                                                    void* context,
                                                                    dispatch_function_t work);
DISPATCH_EXPORT DISPATCH_NONNULL(1, 3) void dispatch_barrier_async_and_wait_f(
    dispatch_queue_t queue, void* context, dispatch_function_t work);
/// Queues work when an instant has come; DISPATCH_TIME_FOREVER never does.
DISPATCH_EXPORT DISPATCH_NONNULL(2, 4) void dispatch_after_f(dispatch_time_t when,
                                                             dispatch_queue_t queue, void* context,
                                                             dispatch_function_t work);
#define DISPATCH_APPLY_AUTO ((dispatch_queue_t)0)
/// Calls work for 0 to iterations - 1, in parallel where the queue is concurrent, and returns when
/// all are done.
DISPATCH_EXPORT DISPATCH_NONNULL(4) void dispatch_apply_f(size_t iterations, dispatch_queue_t queue,
                                                          void* context,
                                                          void (*work)(void* context,
                                                                       size_t iteration));
#if DISPATCH_HAS_BLOCKS
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_async(dispatch_queue_t queue,
                                                         dispatch_block_t block);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_sync(dispatch_queue_t queue,
                                                        DISPATCH_NOESCAPE dispatch_block_t block);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_async_and_wait(
    dispatch_queue_t queue, DISPATCH_NOESCAPE dispatch_block_t block);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_barrier_async(dispatch_queue_t queue,
                                                                 dispatch_block_t block);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_barrier_sync(
    dispatch_queue_t queue, DISPATCH_NOESCAPE dispatch_block_t block);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_barrier_async_and_wait(
    dispatch_queue_t queue, DISPATCH_NOESCAPE dispatch_block_t block);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_after(dispatch_time_t when,
                                                         dispatch_queue_t queue,
                                                         dispatch_block_t block);
DISPATCH_EXPORT DISPATCH_NONNULL(3) void dispatch_apply(
    size_t iterations, dispatch_queue_t queue, DISPATCH_NOESCAPE dispatch_apply_block_t block);
#endif

// ---- Where am I

/// Keeps a value with a queue under a key (an address); null removes it. @param destructor called
/// on a global queue when the value is replaced, removed or the queue is gone; may be null. No
/// effect on global queues.
DISPATCH_EXPORT DISPATCH_NONNULL(1) void dispatch_queue_set_specific(
    dispatch_queue_t queue, const void* key, void* context, dispatch_function_t destructor);
DISPATCH_EXPORT DISPATCH_NONNULL(1) DISPATCH_WARN_RESULT
    void* dispatch_queue_get_specific(dispatch_queue_t queue, const void* key);
/// The value of the caller's queue, or of the first queue on the way to its last target that has
/// one.
DISPATCH_EXPORT DISPATCH_WARN_RESULT void* dispatch_get_specific(const void* key);

/// Ends the process unless the caller is work of that queue (or of one that targets it).
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_assert_queue(dispatch_queue_t queue);
/// The same, and it runs alone there.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_assert_queue_barrier(dispatch_queue_t queue);
/// Ends the process if it is.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_assert_queue_not(dispatch_queue_t queue);
#ifdef NDEBUG
#define dispatch_assert_queue_debug(queue) ((void)(0 && (queue)))
#define dispatch_assert_queue_barrier_debug(queue) ((void)(0 && (queue)))
#define dispatch_assert_queue_not_debug(queue) ((void)(0 && (queue)))
#else
#define dispatch_assert_queue_debug(queue) dispatch_assert_queue(queue)
#define dispatch_assert_queue_barrier_debug(queue) dispatch_assert_queue_barrier(queue)
#define dispatch_assert_queue_not_debug(queue) dispatch_assert_queue_not(queue)
#endif

DISPATCH_END_DECLS

#endif
