#pragma once

#include <chrono>
#include <cstdint>

namespace openxpc::base {

/// CLOCK_BOOTTIME: runs on through suspend and is the same number in every process of one time
/// namespace, so deadlines can travel in messages.
struct boot_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<boot_clock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

using instant = boot_clock::time_point;

/// "No deadline": later than every instant.
inline constexpr instant never = instant::max();

inline std::uint64_t to_wire(instant when) noexcept {
  return static_cast<std::uint64_t>(when.time_since_epoch().count());
}
/// Numbers beyond what the clock can hold mean never.
inline instant from_wire(std::uint64_t nanoseconds) noexcept {
  if (nanoseconds > static_cast<std::uint64_t>(INT64_MAX)) return never;
  return instant(std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds)));
}

/// The kernel's timer tick, some milliseconds long: differs when one has gone by. Costs less than
/// reading a clock.
using tick = std::uint64_t;
tick current_tick() noexcept;

/// now + duration without overflow; huge durations give never.
inline instant from_now(std::chrono::nanoseconds duration) noexcept {
  instant now = boot_clock::now();
  return duration > never - now ? never : now + duration;
}

}  // namespace openxpc::base
