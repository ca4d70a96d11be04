#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"

#include <dispatch/time.h>

#include <chrono>

namespace openxpc::dispatch {

/// A dispatch_time_t taken apart.
struct moment {
  enum class clock { never, uptime, time_of_day } on;
  std::chrono::nanoseconds since;  // the clock's zero
};
moment moment_of(dispatch_time_t when) noexcept;
/// The same as a deadline for sleeping.
base::instant deadline_of(dispatch_time_t when) noexcept;

}  // namespace openxpc::dispatch
