#pragma once

#include <string_view>

/// What xpcd says: lines on standard error, "xpcd: TEXT". Where that is a stream of journald each
/// is an entry of the journal instead, with its weight and the job that it is about; should
/// journald not take it, a line as sd-daemon(3) has it.
namespace openxpc {

/// As syslog(3) counts.
enum class weight : int { error = 3, warning = 4, notice = 5, info = 6 };

/// @param label  the job's that it is about; empty: none's
void log_line(weight how, std::string_view text, std::string_view label = {});

}  // namespace openxpc
