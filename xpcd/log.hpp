#pragma once

#include <string_view>

/// What xpcd says: lines on standard error, "xpcd: TEXT". Where that is a stream of journald, which
/// JOURNAL_STREAM tells, each line begins with its weight, as sd-daemon(3) has it.
namespace openxpc {

/// As syslog(3) counts.
enum class weight : int { error = 3, warning = 4, notice = 5, info = 6 };

void log_line(weight how, std::string_view text);

/// True if `stream`, the value of JOURNAL_STREAM (nullptr: not set), means this descriptor.
bool is_journal_stream(const char* stream, int borrowed_fd);

}  // namespace openxpc
