#ifndef DISPATCH_BASE_H
#define DISPATCH_BASE_H

/// Attributes that the dispatch headers are written with. Included by each of them; not for
/// programs.

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define DISPATCH_BEGIN_DECLS extern "C" {
#define DISPATCH_END_DECLS }
#else
#define DISPATCH_BEGIN_DECLS
#define DISPATCH_END_DECLS
#endif

#define DISPATCH_EXPORT extern __attribute__((visibility("default")))
#define DISPATCH_INLINE static __inline__ __attribute__((always_inline))
#define DISPATCH_NORETURN __attribute__((noreturn))
#define DISPATCH_WARN_RESULT __attribute__((warn_unused_result))
#define DISPATCH_MALLOC
#define DISPATCH_NOTHROW
#define DISPATCH_LINUX_UNAVAILABLE()
// The library checks its arguments itself; told that they cannot be null its compiler would drop
// the checks.
#if defined(OPENXPC_BUILDING)
#define DISPATCH_NONNULL_ALL
#define DISPATCH_NONNULL(...)
#else
#define DISPATCH_NONNULL_ALL __attribute__((nonnull))
#define DISPATCH_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#endif
#if defined(__clang__) && !defined(OPENXPC_BUILDING)
#define DISPATCH_NOESCAPE __attribute__((noescape))
#else
#define DISPATCH_NOESCAPE
#endif

// Block types. The library itself is built by a compiler without blocks and sees `void *`, so that
// its definitions are checked against these declarations.
#if defined(OPENXPC_BUILDING)
#define DISPATCH_HAS_BLOCKS 1
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration.
#define DISPATCH_BLOCK_TYPE(result, name, ...) typedef void* name
#elif defined(__BLOCKS__)
#define DISPATCH_HAS_BLOCKS 1
#define DISPATCH_BLOCK_TYPE(result, name, ...) typedef result (^name)(__VA_ARGS__)
#else
#define DISPATCH_HAS_BLOCKS 0
#endif

/// An enumeration whose constants have the width of `type` in every language and compiler.
#define DISPATCH_ENUM(name, type, ...) \
  typedef type name##_t;               \
  enum { __VA_ARGS__ }
#define DISPATCH_OPTIONS(name, type, ...) DISPATCH_ENUM(name, type, __VA_ARGS__)

typedef void (*dispatch_function_t)(void* context);

#endif
