#ifndef MACH_MACH_TIME_H
#define MACH_MACH_TIME_H

/// Clocks. The unit is the nanosecond, so mach_timebase_info() gives 1/1; programs that multiply by
/// it stay right. Link libxpc-compat.

#include <mach/kern_return.h>
#include <os/base.h>

struct mach_timebase_info {
  uint32_t numer;
  uint32_t denom;
};
typedef struct mach_timebase_info* mach_timebase_info_t;
typedef struct mach_timebase_info mach_timebase_info_data_t;

// The structure and the function have one name on Apple's systems.
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
/// How to get nanoseconds from the clocks below. @return KERN_SUCCESS.
OS_EXPORT OS_NONNULL_ALL kern_return_t mach_timebase_info(mach_timebase_info_t info);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/// A clock that stands still while the machine sleeps; the one of dispatch_time().
OS_EXPORT uint64_t mach_absolute_time(void);
/// The same, cheaper, up to a tick of the kernel behind.
OS_EXPORT uint64_t mach_approximate_time(void);
/// A clock that goes on while the machine sleeps.
OS_EXPORT uint64_t mach_continuous_time(void);
/// The same.
OS_EXPORT uint64_t mach_continuous_approximate_time(void);

/// Sleeps until mach_absolute_time() has reached `deadline`. @return KERN_ABORTED when a signal
/// came first.
OS_EXPORT kern_return_t mach_wait_until(uint64_t deadline);

#endif
