#include "job/calendar.hpp"

namespace openxpc::job {

namespace {

constexpr std::time_t minute_seconds = 60, hour_seconds = 3600;
constexpr std::time_t furthest =
    std::time_t{8} * 366 * 24 * hour_seconds;  // over one leap year left out

bool fits(const std::optional<int>& wanted, int found) { return !wanted || *wanted == found; }

bool day_fits(const calendar_time& pattern, const std::tm& at) {
  if (pattern.day && pattern.weekday) {
    return *pattern.day == at.tm_mday || *pattern.weekday == at.tm_wday;
  }
  return fits(pattern.day, at.tm_mday) && fits(pattern.weekday, at.tm_wday);
}

/// Local midnight of a day given by month and day, which may be one too far; later than `now`.
std::time_t midnight(std::tm day, std::time_t now) {
  day.tm_hour = day.tm_min = day.tm_sec = 0;
  day.tm_isdst = -1;
  const std::time_t found = std::mktime(&day);
  // Where clocks change at midnight it may seem to lie before.
  return found > now ? found : now - now % hour_seconds + hour_seconds;
}

std::optional<std::time_t> next_of(const calendar_time& pattern, std::time_t now) {
  std::time_t at = now - now % minute_seconds + minute_seconds;
  while (at - now <= furthest) {
    std::tm local{};
    if (::localtime_r(&at, &local) == nullptr) return std::nullopt;
    if (!fits(pattern.month, local.tm_mon + 1)) {
      ++local.tm_mon;
      local.tm_mday = 1;
      at = midnight(local, at);
    } else if (!day_fits(pattern, local)) {
      ++local.tm_mday;
      at = midnight(local, at);
    } else if (!fits(pattern.hour, local.tm_hour)) {
      at += hour_seconds - local.tm_min * minute_seconds;
    } else if (!fits(pattern.minute, local.tm_min)) {
      at += minute_seconds;
    } else {
      return at;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::time_t> next_time(const std::vector<calendar_time>& patterns, std::time_t now) {
  std::optional<std::time_t> first;
  for (const calendar_time& pattern : patterns) {
    const std::optional<std::time_t> one = next_of(pattern, now);
    if (one && (!first || *one < *first)) first = one;
  }
  return first;
}

}  // namespace openxpc::job
