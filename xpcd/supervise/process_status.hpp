#pragma once

#include <string>
#include <string_view>

/// What /proc says of a process in lines.
namespace openxpc::supervise {

/// The whole of a small file of procfs, at most 1 MiB; empty when it cannot be read.
/// @param directory  /proc/PID, lent
std::string read_proc_file(int borrowed_directory, const char* name);

/// What stands behind `key` in /proc/PID/status; empty where there is no such line.
std::string_view status_line(std::string_view status, std::string_view key);

}  // namespace openxpc::supervise
