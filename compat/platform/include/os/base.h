#ifndef OS_BASE_H
#define OS_BASE_H

/// Attributes that the os headers, and sources that follow their style, are written with.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>

#ifdef __cplusplus
#define OPENXPC_OS_BEGIN_DECLS extern "C" {
#define OPENXPC_OS_END_DECLS }
#else
#define OPENXPC_OS_BEGIN_DECLS
#define OPENXPC_OS_END_DECLS
#endif

#ifdef __cplusplus
#define OS_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define OS_EXPORT extern __attribute__((visibility("default")))
#endif
#define OS_INLINE static __inline__
#define OS_ALWAYS_INLINE __attribute__((always_inline))
#define OS_NOINLINE __attribute__((noinline))
#define OS_NORETURN __attribute__((noreturn))
#define OS_NOTHROW __attribute__((nothrow))
#define OS_WARN_RESULT __attribute__((warn_unused_result))
#define OS_MALLOC __attribute__((malloc))
#define OS_USED __attribute__((used))
#define OS_UNUSED __attribute__((unused))
#define OS_COLD __attribute__((cold))
#define OS_WEAK __attribute__((weak))
#define OS_PURE __attribute__((pure))
#define OS_CONST __attribute__((const))
#define OS_SENTINEL __attribute__((sentinel))
#define OS_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#define OS_FORMAT_PRINTF(format_index, first) OS_PRINTF(format_index, first)
#define OS_NONNULL_ALL __attribute__((nonnull))
#define OS_NONNULL1 __attribute__((nonnull(1)))
#define OS_NONNULL2 __attribute__((nonnull(2)))
#define OS_NONNULL3 __attribute__((nonnull(3)))
#define OS_NONNULL4 __attribute__((nonnull(4)))
#define OS_EXPECT(value, expected) __builtin_expect((value), (expected))
#define os_likely(condition) __builtin_expect(!!(condition), 1)
#define os_unlikely(condition) __builtin_expect(!!(condition), 0)
#define os_prevent_tail_call_optimization() __asm__("")
#define OS_STRINGIFY_(text) #text
#define OS_STRINGIFY(text) OS_STRINGIFY_(text)
#define OS_CONCAT_(a, b) a##b
#define OS_CONCAT(a, b) OS_CONCAT_(a, b)

#if defined(__clang__)
#define OS_NOESCAPE __attribute__((noescape))
#define OS_ASSUME_NONNULL_BEGIN _Pragma("clang assume_nonnull begin")
#define OS_ASSUME_NONNULL_END _Pragma("clang assume_nonnull end")
#else
#define OS_NOESCAPE
#define OS_ASSUME_NONNULL_BEGIN
#define OS_ASSUME_NONNULL_END
#endif

/// An enumeration whose constants have the width of `type` in every language and compiler.
#define OS_ENUM(name, type, ...) \
  typedef type name##_t;         \
  enum { __VA_ARGS__ }
#define OS_CLOSED_ENUM(name, type, ...) OS_ENUM(name, type, __VA_ARGS__)
#define OS_OPTIONS(name, type, ...) OS_ENUM(name, type, __VA_ARGS__)
#define OS_CLOSED_OPTIONS(name, type, ...) OS_ENUM(name, type, __VA_ARGS__)

#define OS_SWIFT_NAME(name)
#define OS_SWIFT_UNAVAILABLE(message)
#define OS_REFINED_FOR_SWIFT

#ifdef __BLOCKS__
typedef void (^os_block_t)(void);
#endif
typedef void (*os_function_t)(void* context);

#endif
