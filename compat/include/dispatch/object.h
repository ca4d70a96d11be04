#ifndef DISPATCH_OBJECT_H
#define DISPATCH_OBJECT_H

/// What all dispatch objects have in common.

#include <dispatch/base.h>
#include <dispatch/time.h>

/// Any dispatch object. In C every object type converts to it by itself; in C++ the object types
/// are structures derived from its structure, so their pointers do.
#ifdef __cplusplus
typedef struct dispatch_object_s {
 private:
  dispatch_object_s();
  ~dispatch_object_s();
  dispatch_object_s(const dispatch_object_s&);
  void operator=(const dispatch_object_s&);
}* dispatch_object_t;
#define DISPATCH_DECL(name) typedef struct name##_s : public dispatch_object_s{} * name##_t
#define DISPATCH_DECL_SUBCLASS(name, base) typedef struct name##_s : public base##_s{} * name##_t
#define DISPATCH_GLOBAL_OBJECT(type, object) (static_cast<type>(&(object)))
#else
typedef void* dispatch_object_t;
#define DISPATCH_DECL(name) typedef struct name##_s* name##_t
#define DISPATCH_DECL_SUBCLASS(name, base) typedef base##_t name##_t
#define DISPATCH_GLOBAL_OBJECT(type, object) ((type) & (object))
#endif

DISPATCH_BEGIN_DECLS

/// Adds a reference. The main queue, the global queues and constants are not counted.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_retain(dispatch_object_t object);
/// Gives a reference back. Misuse: one too many; the last one of an object that is suspended or was
/// never activated.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_release(dispatch_object_t object);

/// A pointer of the program's own, kept with the object; null at first.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT void* dispatch_get_context(
    dispatch_object_t object);
DISPATCH_EXPORT DISPATCH_NONNULL(1) void dispatch_set_context(dispatch_object_t object,
                                                              void* context);
/// Calls `finalizer` with the context when the object is gone, on its target queue; not when the
/// context is null then.
DISPATCH_EXPORT DISPATCH_NONNULL(1) void dispatch_set_finalizer_f(dispatch_object_t object,
                                                                  dispatch_function_t finalizer);

/// Starts an object that was created inactive (sources, queues with such an attribute). Once is
/// enough.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_activate(dispatch_object_t object);
/// Lets no further work of a queue or source begin until dispatch_resume() was called as often.
/// What runs goes on.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_suspend(dispatch_object_t object);
/// Takes one dispatch_suspend() back. On an inactive source it means dispatch_activate(). Misuse:
/// once too often.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_resume(dispatch_object_t object);

// ---- By what the object is

// These take an object or a block of dispatch_block_create() and do what the function of its kind
// does. Misuse: an object of another kind.
/// dispatch_block_wait(), dispatch_group_wait() or dispatch_semaphore_wait().
DISPATCH_EXPORT DISPATCH_NONNULL(1) intptr_t dispatch_wait(void* object, dispatch_time_t timeout);
/// dispatch_block_cancel() or dispatch_source_cancel().
DISPATCH_EXPORT DISPATCH_NONNULL_ALL void dispatch_cancel(void* object);
/// dispatch_block_testcancel() or dispatch_source_testcancel().
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT intptr_t
dispatch_testcancel(void* object);

/// Prints what the object is, its address and counts, and a message on standard error, one line.
/// @param format as for printf(3).
DISPATCH_EXPORT DISPATCH_NONNULL_ALL __attribute__((format(printf, 2, 3))) void dispatch_debug(
    dispatch_object_t object, const char* format, ...);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL __attribute__((format(printf, 2, 0))) void dispatch_debugv(
    dispatch_object_t object, const char* format, va_list arguments);

DISPATCH_END_DECLS

#endif
