// The system's header, with what Apple's has besides. No guard around it: the system's header has
// one, and may still be on its way when this one is read again.
// Compilers call #include_next an extension in every other header.
#pragma GCC system_header
#include_next <sys/cdefs.h>

#ifndef OPENXPC_COMPAT_SYS_CDEFS_H
#define OPENXPC_COMPAT_SYS_CDEFS_H

#ifndef __unused
#define __unused __attribute__((unused))
#endif
#ifndef __used
#define __used __attribute__((used))
#endif
#ifndef __dead2
#define __dead2 __attribute__((noreturn))
#endif
#ifndef __pure2
#define __pure2 __attribute__((const))
#endif
#ifndef __cold
#define __cold __attribute__((cold))
#endif
#ifndef __deprecated
#define __deprecated __attribute__((deprecated))
#endif
#ifndef __deprecated_msg
#define __deprecated_msg(text) __attribute__((deprecated(text)))
#endif
#ifndef __unavailable
#define __unavailable __attribute__((unavailable))
#endif
#ifndef __packed
#define __packed __attribute__((packed))
#endif
#ifndef __aligned
#define __aligned(bytes) __attribute__((aligned(bytes)))
#endif
#ifndef __printflike
#define __printflike(format, first) __attribute__((format(printf, format, first)))
#endif
#ifndef __scanflike
#define __scanflike(format, first) __attribute__((format(scanf, format, first)))
#endif
#ifndef __result_use_check
#define __result_use_check __attribute__((warn_unused_result))
#endif
#ifndef __exported
#define __exported __attribute__((visibility("default")))
#endif
#ifndef __private_extern__
#define __private_extern__ extern __attribute__((visibility("hidden")))
#endif
#ifndef __header_inline
#define __header_inline static __inline__
#endif
#ifndef __header_always_inline
#define __header_always_inline static __inline__ __attribute__((always_inline))
#endif
#ifndef __predict_true
#define __predict_true(condition) __builtin_expect(!!(condition), 1)
#define __predict_false(condition) __builtin_expect(!!(condition), 0)
#endif
#ifndef __FBSDID
#define __FBSDID(text) struct openxpc_no_source_id
#define __RCSID(text) struct openxpc_no_source_id
#define __COPYRIGHT(text) struct openxpc_no_source_id
#endif

#endif
