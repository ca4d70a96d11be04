#pragma once

#include <string>
#include <string_view>

/// Which paths lie on file systems whose answers come from a process or from another machine, and
/// so may never come. Told by the text of the path: nothing is asked of any file system, and links
/// are not followed.
namespace openxpc::supervise {

/// The mount point of such a file system that the path lies below; empty when it is on none.
/// @param mountinfo  the text of /proc/self/mountinfo
std::string served_mount_of(std::string_view mountinfo, const std::string& path);

/// As things are mounted now.
std::string served_mount_of(const std::string& path);

/// Whether something is mounted at exactly this path, and nothing but file systems known to get
/// their answers from this machine's own memory and disks.
/// @param mountinfo  the text of /proc/self/mountinfo
bool is_own_mount(std::string_view mountinfo, const std::string& path);

/// As things are mounted now.
bool is_own_mount(const std::string& path);

/// What is open there, by the path that the kernel knows it by.
std::string served_mount_of(int borrowed_file);

}  // namespace openxpc::supervise
