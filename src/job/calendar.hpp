#pragma once

#include <ctime>
#include <optional>
#include <vector>

namespace openxpc::job {

/// Moments of local time that a pattern describes; what is not given is any. Where day and weekday
/// are both given, one of the two is enough.
struct calendar_time {
  std::optional<int> minute, hour, day, weekday, month;  // 0-59, 0-23, 1-31, 0-6 (Sunday 0), 1-12
  friend bool operator==(const calendar_time&, const calendar_time&) = default;
};

/// The first full minute after `now` that one of the patterns describes. A time that a change of
/// clocks leaves out does not come that day. Nothing when there is none within eight years, as for
/// the 30th of February.
std::optional<std::time_t> next_time(const std::vector<calendar_time>& patterns, std::time_t now);

}  // namespace openxpc::job
