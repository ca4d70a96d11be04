#pragma once

#include "base/clock.hpp"
#include "supervise/path_watcher.hpp"

#include <asio/steady_timer.hpp>

#include <ctime>
#include <optional>
#include <vector>

namespace openxpc::supervise {

/// What may start a job without a client. Only jobs that ask for it have one.
struct triggers {
  explicit triggers(asio::io_context& loop) : interval(loop), calendar(loop) {}
  asio::steady_timer interval, calendar;
  base::instant interval_due = base::never;
  std::optional<std::time_t> calendar_due;
  std::vector<path_watcher::handle> paths;
  bool pending = false;  // something changed while the job ran
};

}  // namespace openxpc::supervise
