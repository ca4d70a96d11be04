#ifndef XPC_BASE_H
#define XPC_BASE_H

/// Attributes and small macros that the XPC headers are written with. Includes nothing, so that
/// every header may include it. Names and meanings are Apple's; where a compiler lacks an attribute
/// the macro is empty.

#ifdef __cplusplus
#define OPENXPC_BEGIN_DECLS extern "C" {
#define OPENXPC_END_DECLS }
#else
#define OPENXPC_BEGIN_DECLS
#define OPENXPC_END_DECLS
#endif

#ifdef __has_attribute
#define OPENXPC_HAS_ATTRIBUTE(x) __has_attribute(x)
#else
#define OPENXPC_HAS_ATTRIBUTE(x) 0
#endif
#ifdef __has_feature
#define OPENXPC_HAS_FEATURE(x) __has_feature(x)
#else
#define OPENXPC_HAS_FEATURE(x) 0
#endif
#ifdef __has_include
#define OPENXPC_HAS_INCLUDE(x) __has_include(x)
#else
#define OPENXPC_HAS_INCLUDE(x) 0
#endif

#if defined(__OBJC__) && OPENXPC_HAS_FEATURE(objc_arc)
#error "XPC objects are plain pointers here: compile this file without -fobjc-arc"
#endif

// Nullability marks: clang has them and would call them an extension in each user's -Wpedantic
// build; others do without.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wnullability-extension"
#else
#ifndef _Nullable
#define _Nullable
#endif
#ifndef _Nonnull
#define _Nonnull
#endif
#ifndef _Null_unspecified
#define _Null_unspecified
#endif
#endif

// Block parameters. Users with a compiler that has blocks (clang -fblocks) see the block types and
// the functions that take them. The library itself, built by a compiler without blocks, sees `void
// *` in their place, so that its definitions are checked against these very declarations; everybody
// else uses the function-pointer twins of <xpc/openxpc/*.h>.
#if defined(OPENXPC_BUILDING)
#define OPENXPC_HAS_BLOCKS 1
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration.
#define OPENXPC_BLOCK(result, name, ...) typedef void* name
#elif defined(__BLOCKS__)
#define OPENXPC_HAS_BLOCKS 1
#define OPENXPC_BLOCK(result, name, ...) typedef result (^name)(__VA_ARGS__)
#else
#define OPENXPC_HAS_BLOCKS 0
#endif

#if defined(__GNUC__)
#define XPC_CONSTRUCTOR __attribute__((constructor))
#define XPC_NORETURN __attribute__((noreturn))
#define XPC_NOTHROW __attribute__((nothrow))
#define XPC_SENTINEL __attribute__((sentinel))
#define XPC_PURE __attribute__((pure))
#define XPC_WARN_RESULT __attribute__((warn_unused_result))
#define XPC_MALLOC __attribute__((malloc))
#define XPC_UNUSED __attribute__((unused))
#define XPC_USED __attribute__((used))
#define XPC_PACKED __attribute__((packed))
#define XPC_PRINTF(m, n) __attribute__((format(printf, m, n)))
#define XPC_INLINE static __inline__ __attribute__((always_inline))
#define XPC_NOINLINE __attribute__((noinline))
#define XPC_DEPRECATED(message) __attribute__((deprecated(message)))
#define OPENXPC_VISIBLE __attribute__((visibility("default")))
#define XPC_NOEXPORT extern __attribute__((visibility("hidden")))
#define XPC_WEAKIMPORT extern __attribute__((weak))
#define XPC_DEBUGGER_EXCL XPC_NOEXPORT XPC_USED
#define XPC_TRANSPARENT_UNION __attribute__((transparent_union))
#define _xpc_unreachable() __builtin_unreachable()
#else
#define XPC_CONSTRUCTOR
#define XPC_NORETURN
#define XPC_NOTHROW
#define XPC_SENTINEL
#define XPC_PURE
#define XPC_WARN_RESULT
#define XPC_MALLOC
#define XPC_UNUSED
#define XPC_USED
#define XPC_PACKED
#define XPC_PRINTF(m, n)
#define XPC_INLINE static inline
#define XPC_NOINLINE
#define XPC_DEPRECATED(message)
#define OPENXPC_VISIBLE
#define XPC_NOEXPORT extern
#define XPC_WEAKIMPORT extern
#define XPC_DEBUGGER_EXCL extern
#define XPC_TRANSPARENT_UNION
#define _xpc_unreachable() ((void)0)
#endif
// The library checks these arguments itself, in every build; told that they cannot be NULL, its
// compiler would drop the checks.
#if defined(__GNUC__) && !defined(OPENXPC_BUILDING)
#define XPC_NONNULL1 __attribute__((nonnull(1)))
#define XPC_NONNULL2 __attribute__((nonnull(2)))
#define XPC_NONNULL3 __attribute__((nonnull(3)))
#define XPC_NONNULL4 __attribute__((nonnull(4)))
#define XPC_NONNULL5 __attribute__((nonnull(5)))
#define XPC_NONNULL6 __attribute__((nonnull(6)))
#define XPC_NONNULL7 __attribute__((nonnull(7)))
#define XPC_NONNULL8 __attribute__((nonnull(8)))
#define XPC_NONNULL9 __attribute__((nonnull(9)))
#define XPC_NONNULL10 __attribute__((nonnull(10)))
#define XPC_NONNULL11 __attribute__((nonnull(11)))
#define XPC_NONNULL_ALL __attribute__((nonnull))
#else
#define XPC_NONNULL1
#define XPC_NONNULL2
#define XPC_NONNULL3
#define XPC_NONNULL4
#define XPC_NONNULL5
#define XPC_NONNULL6
#define XPC_NONNULL7
#define XPC_NONNULL8
#define XPC_NONNULL9
#define XPC_NONNULL10
#define XPC_NONNULL11
#define XPC_NONNULL_ALL
#endif
#define XPC_NONNULL(index)
#define XPC_NONNULL_ARRAY
#define XPC_EXPORT extern OPENXPC_VISIBLE

#if OPENXPC_HAS_ATTRIBUTE(noescape)
#define XPC_NOESCAPE __attribute__((noescape))
#else
#define XPC_NOESCAPE
#endif
#if OPENXPC_HAS_ATTRIBUTE(unavailable)
#define XPC_UNAVAILABLE(message) __attribute__((unavailable(message)))
#define XPC_NOIMPL __attribute__((unavailable))
#else
#define XPC_UNAVAILABLE(message)
#define XPC_NOIMPL
#endif

#if OPENXPC_HAS_FEATURE(assume_nonnull)
#define XPC_ASSUME_NONNULL_BEGIN _Pragma("clang assume_nonnull begin")
#define XPC_ASSUME_NONNULL_END _Pragma("clang assume_nonnull end")
#else
#define XPC_ASSUME_NONNULL_BEGIN
#define XPC_ASSUME_NONNULL_END
#endif

// The library's own test build would give these other meanings; users always see the shipped ones.
#define XPC_TESTEXPORT XPC_NOEXPORT
#define XPC_TESTSTATIC static
#define XPC_TESTEXTERN
#define XPC_TESTNORETURN XPC_NORETURN

// Ownership marks that only automatic reference counting reads; that is refused above.
#define XPC_RETURNS_RETAINED
#define XPC_GIVES_REFERENCE
#define XPC_UNRETAINED
#define XPC_BRIDGE(object) ((void*)(object))
#define XPC_BRIDGEREF_BEGIN(object) ((void*)(object))
#define XPC_BRIDGEREF_BEGIN_WITH_REF(object) ((void*)(object))
#define XPC_BRIDGEREF_MIDDLE(object) ((void*)(object))
#define XPC_BRIDGEREF_END(object) ((void*)(object))

// Bounds-safety and Swift marks: no compiler that we support reads them.
#define XPC_PTR_ASSUMES_SINGLE
#define XPC_SINGLE
#define XPC_UNSAFE_INDEXABLE
#define XPC_CSTRING
#define XPC_SIZEDBY(size)
#define XPC_COUNTEDBY(count)
#define XPC_UNSAFE_FORGE_SIZED_BY(type, pointer, size) ((type)(pointer))
#define XPC_UNSAFE_FORGE_SINGLE(type, pointer) ((type)(pointer))
#define XPC_SWIFT_NAME(name)
#define XPC_SWIFT_UNAVAILABLE(message)
#define XPC_SWIFT_NOEXPORT
#define XPC_SWIFT_SENDABLE

// An enumeration whose type has a fixed width in every language and compiler: the type is the
// integer, the names are constants. (C before C23 has no fixed underlying types.)
#define XPC_ENUM(name, type, ...) \
  typedef type name##_t;          \
  enum { __VA_ARGS__ }
#define XPC_FLAGS_ENUM(name, type, ...) XPC_ENUM(name, type, __VA_ARGS__)

#endif
