#include <mach/mach_time.h>
#include <time.h>

#include <cerrno>
#include <cstdint>

namespace {

constexpr std::uint64_t second = 1'000'000'000;

std::uint64_t read(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);  // these clocks are always there
  return static_cast<std::uint64_t>(now.tv_sec) * second + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

kern_return_t mach_timebase_info(mach_timebase_info_t info) {
  *info = {1, 1};
  return KERN_SUCCESS;
}

uint64_t mach_absolute_time() { return read(CLOCK_MONOTONIC); }
uint64_t mach_approximate_time() { return read(CLOCK_MONOTONIC_COARSE); }
uint64_t mach_continuous_time() { return read(CLOCK_BOOTTIME); }
uint64_t mach_continuous_approximate_time() { return read(CLOCK_BOOTTIME); }

kern_return_t mach_wait_until(uint64_t deadline) {
  const timespec until{static_cast<time_t>(deadline / second),
                       static_cast<long>(deadline % second)};
  switch (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr)) {
    case 0:
      return KERN_SUCCESS;
    case EINTR:
      return KERN_ABORTED;
    default:
      return KERN_INVALID_ARGUMENT;
  }
}
