#ifndef OS_OBJECT_H
#define OS_OBJECT_H

/// References of system objects, of whichever kind. Objects are plain pointers here, in Objective-C
/// too.

#include <xpc/openxpc/types.h>

#include <os/base.h>

#if defined(__has_include)
#if __has_include(<dispatch/dispatch.h>)
#include <dispatch/dispatch.h>
#define OPENXPC_OS_HAS_DISPATCH 1
#endif
#endif

#define OS_OBJECT_HAVE_OBJC_SUPPORT 0
#define OS_OBJECT_USE_OBJC 0
#define OS_OBJECT_USE_OBJC_RETAIN_RELEASE 0
#define OS_OBJECT_RETURNS_RETAINED
#define OS_OBJECT_CONSUMED
#define OS_OBJECT_BRIDGE

// In libxpc-compat; <os/transaction_private.h>.
struct os_transaction_s;
OS_EXPORT void openxpc_os_transaction_retain(struct os_transaction_s* transaction);
OS_EXPORT void openxpc_os_transaction_release(struct os_transaction_s* transaction);

// Logs are never destroyed.
struct os_log_s;
OS_INLINE void openxpc_os_nothing(const struct os_log_s* log) { (void)log; }
OS_INLINE void openxpc_os_retain_xpc(void* object) { (void)xpc_retain(object); }
OS_INLINE void openxpc_os_release_xpc(void* object) { xpc_release(object); }

/// os_retain() adds a reference and gives its argument back, os_release() gives one back. Which
/// kind of object it is follows from the type of the expression: the dispatch types, os_log_t and
/// os_transaction_t are what they say, everything else is an XPC object. In C a dispatch_object_t
/// is a void pointer and would be taken for one; call dispatch_retain() there.
#ifdef __cplusplus
#ifdef OPENXPC_OS_HAS_DISPATCH
inline void openxpc_os_retain(dispatch_object_t object) { dispatch_retain(object); }
inline void openxpc_os_release(dispatch_object_t object) { dispatch_release(object); }
#endif
inline void openxpc_os_retain(const struct os_log_s* log) { openxpc_os_nothing(log); }
inline void openxpc_os_release(const struct os_log_s* log) { openxpc_os_nothing(log); }
inline void openxpc_os_retain(struct os_transaction_s* one) { openxpc_os_transaction_retain(one); }
inline void openxpc_os_release(struct os_transaction_s* one) {
  openxpc_os_transaction_release(one);
}
inline void openxpc_os_retain(void* object) { openxpc_os_retain_xpc(object); }
inline void openxpc_os_release(void* object) { openxpc_os_release_xpc(object); }
template <class T>
T* os_retain(T* object) {
  openxpc_os_retain(object);
  return object;
}
template <class T>
void os_release(T* object) {
  openxpc_os_release(object);
}
#else
// clang-format off
#ifdef OPENXPC_OS_HAS_DISPATCH
#define OPENXPC_OS_DISPATCH_CASES(function)                           \
  dispatch_queue_t: function, dispatch_source_t: function,            \
  dispatch_group_t: function, dispatch_semaphore_t: function,         \
  dispatch_data_t: function,
#else
#define OPENXPC_OS_DISPATCH_CASES(function)
#endif
#define os_retain(object)                                             \
  __extension__({                                                     \
    __typeof__(object) openxpc_object_ = (object);                    \
    _Generic(openxpc_object_,                                         \
        OPENXPC_OS_DISPATCH_CASES(dispatch_retain)                    \
        struct os_log_s*: openxpc_os_nothing,                         \
        struct os_transaction_s*: openxpc_os_transaction_retain,      \
        default: openxpc_os_retain_xpc)(openxpc_object_);             \
    openxpc_object_;                                                  \
  })
#define os_release(object)                                            \
  __extension__({                                                     \
    __typeof__(object) openxpc_object_ = (object);                    \
    _Generic(openxpc_object_,                                         \
        OPENXPC_OS_DISPATCH_CASES(dispatch_release)                   \
        struct os_log_s*: openxpc_os_nothing,                         \
        struct os_transaction_s*: openxpc_os_transaction_release,     \
        default: openxpc_os_release_xpc)(openxpc_object_);            \
  })
// clang-format on
#endif

#endif
