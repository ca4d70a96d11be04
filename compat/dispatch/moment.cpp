#include "dispatch/moment.hpp"

#include <time.h>

#include <limits>

// Encoding: 0 is now, 1 to 2^63 - 1 nanoseconds of uptime, negative numbers (but -1 and -2) the
// negated nanoseconds of the time of day, -2 its present moment, -1 never.

namespace openxpc::dispatch {
namespace {

constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();

std::int64_t read(clockid_t clock) noexcept {
  timespec t{};
  ::clock_gettime(clock, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

/// base + delta, base not negative; false when that is beyond the range upwards. Downwards it stops
/// at zero.
bool sum(std::int64_t base, std::int64_t delta, std::int64_t& result) noexcept {
  if (__builtin_add_overflow(base, delta, &result)) return false;
  if (result < 0) result = 0;
  return true;
}

dispatch_time_t time_of_day(std::int64_t base, std::int64_t delta) noexcept {
  std::int64_t at;
  if (!sum(base, delta, at)) return DISPATCH_TIME_FOREVER;
  return static_cast<dispatch_time_t>(-(at < 3 ? 3 : at));
}

}  // namespace

moment moment_of(dispatch_time_t when) noexcept {
  using std::chrono::nanoseconds;
  if (when == DISPATCH_TIME_FOREVER) return {moment::clock::never, nanoseconds{0}};
  if (when == DISPATCH_WALLTIME_NOW)
    return {moment::clock::time_of_day, nanoseconds{read(CLOCK_REALTIME)}};
  if (when == DISPATCH_TIME_NOW) return {moment::clock::uptime, nanoseconds{read(CLOCK_MONOTONIC)}};
  auto number = static_cast<std::int64_t>(when);
  if (number > 0) return {moment::clock::uptime, nanoseconds{number}};
  return {moment::clock::time_of_day,
          nanoseconds{number == std::numeric_limits<std::int64_t>::min() ? greatest : -number}};
}

base::instant deadline_of(dispatch_time_t when) noexcept {
  moment at = moment_of(when);
  if (at.on == moment::clock::never) return base::never;
  std::int64_t now = read(at.on == moment::clock::uptime ? CLOCK_MONOTONIC : CLOCK_REALTIME);
  return base::from_now(at.since - std::chrono::nanoseconds{now});
}

}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta) {
  moment from = moment_of(when);
  if (from.on == moment::clock::never) return DISPATCH_TIME_FOREVER;
  if (from.on == moment::clock::time_of_day) return time_of_day(from.since.count(), delta);
  std::int64_t at;
  if (!sum(from.since.count(), delta, at)) return DISPATCH_TIME_FOREVER;
  return static_cast<dispatch_time_t>(at < 1 ? 1 : at);
}

dispatch_time_t dispatch_walltime(const timespec* when, int64_t delta) {
  if (!when) return time_of_day(read(CLOCK_REALTIME), delta);
  std::int64_t at;
  if (__builtin_mul_overflow(static_cast<std::int64_t>(when->tv_sec), 1'000'000'000, &at) ||
      __builtin_add_overflow(at, static_cast<std::int64_t>(when->tv_nsec), &at))
    return when->tv_sec < 0 ? time_of_day(0, 0) : DISPATCH_TIME_FOREVER;
  return time_of_day(at < 0 ? 0 : at, at < 0 ? 0 : delta);
}
