#pragma once

#include <string_view>

namespace openxpc::platform {

struct log_message {
  int priority;  // of syslog(3)
  std::string_view subsystem, category, text;
};

/// Where journald listens.
constexpr const char* journal_path = "/run/systemd/journal/socket";

/// False when journald is not there or does not take it now.
bool send_to_journal(const char* path, const log_message& what) noexcept;
void send_to_syslog(const log_message& what) noexcept;
void print_to_stderr(const log_message& what) noexcept;

}  // namespace openxpc::platform
