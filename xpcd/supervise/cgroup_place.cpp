// Where groups are: what mountinfo and a process's own file say.

#include "supervise/cgroup.hpp"
#include "supervise/mount_table.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

namespace openxpc::supervise {

namespace {

/// "0::/path" is the line of cgroup v2.
std::optional<std::string> group_in(std::string_view groups) {
  std::istringstream lines{std::string(groups)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return std::nullopt;
}

std::string contents(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

}  // namespace

outcome<std::string> cgroup_directory(std::string_view mountinfo, std::string_view groups) {
  const std::optional<std::string> group = group_in(groups);
  if (!group) return trouble{trouble::kind::not_found, "the kernel has no cgroup v2"};
  bool any = false;
  for (const mounted& one : mount_table(mountinfo)) {
    if (one.type != "cgroup2") continue;
    any = true;
    // A group above the root of this process's namespace is shown with "/..".
    const std::string root = one.root == "/" ? "" : one.root;
    if (group->compare(0, 3, "/..") == 0 || !is_below(*group, root)) continue;
    std::string rest = group->substr(root.size());
    return one.point + (rest == "/" ? "" : rest);
  }
  return trouble{trouble::kind::not_found,
                 any ? "the cgroup " + *group + " is not mounted" : "no cgroup v2 is mounted"};
}

outcome<std::string> cgroup_directory_of(const std::string& process) {
  return cgroup_directory(contents("/proc/self/mountinfo"),
                          contents("/proc/" + process + "/cgroup"));
}

std::string cgroup_name(int borrowed_domain_directory) {
  struct stat status{};
  ::fstat(borrowed_domain_directory, &status);
  char text[64];
  std::snprintf(text, sizeof text, "xpc-%llx-%llx", static_cast<unsigned long long>(status.st_dev),
                static_cast<unsigned long long>(status.st_ino));
  return text;
}

}  // namespace openxpc::supervise
