#pragma once

#include <xpc/xpc.hpp>

#include <optional>
#include <string>

namespace fswatch {

struct live_options {
  bool json = false;
  bool quiet = false;                ///< no lines for events, only the summary
  std::optional<std::string> until;  ///< end behind the event for this path
};

/// Shows events as they happen until interrupted, `until`, or the end of the service for good. An
/// event is shown exactly once: when the service is restarted, what was missed is read from its
/// history. @return the exit code.
int show_live(const xpc::connection& service, const live_options& how);

}  // namespace fswatch
