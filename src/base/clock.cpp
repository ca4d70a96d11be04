#include "base/clock.hpp"

#include <time.h>

namespace openxpc::base {

boot_clock::time_point boot_clock::now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

tick current_tick() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return static_cast<tick>(t.tv_sec) * 1'000'000'000 + static_cast<tick>(t.tv_nsec);
}

}  // namespace openxpc::base
