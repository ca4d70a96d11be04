#ifndef OS_OVERFLOW_H
#define OS_OVERFLOW_H

/// Arithmetic that tells whether the result fits.

#include <os/base.h>

OS_INLINE OS_WARN_RESULT bool os_warn_overflow(bool overflow) { return overflow; }

/// `*result` gets the result, cut down to its type. @return true when it was cut.
#define os_add_overflow(a, b, result) os_warn_overflow(__builtin_add_overflow((a), (b), (result)))
#define os_sub_overflow(a, b, result) os_warn_overflow(__builtin_sub_overflow((a), (b), (result)))
#define os_mul_overflow(a, b, result) os_warn_overflow(__builtin_mul_overflow((a), (b), (result)))

#endif
