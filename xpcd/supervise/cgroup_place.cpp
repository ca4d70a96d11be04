// Where groups are: what mountinfo and a process's own file say.

#include "supervise/cgroup.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

namespace openxpc::supervise {

namespace {

/// Cuts off and returns what stands before the first `end`.
std::string_view take_until(std::string_view* text, char end) {
  const std::size_t at = text->find(end);
  const std::string_view part = text->substr(0, at);
  text->remove_prefix(at == std::string_view::npos ? text->size() : at + 1);
  return part;
}

/// mountinfo writes blanks, tabs, line ends and backslashes as three octal digits.
std::string unescaped(std::string_view text) {
  auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size() && is_octal(text[at + 1]) &&
        is_octal(text[at + 2]) && is_octal(text[at + 3])) {
      result += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                  (text[at + 3] - '0'));
      at += 3;
    } else {
      result += text[at];
    }
  }
  return result;
}

struct mount {
  std::string root, point;
};

/// The fields of proc(5): the fourth and fifth, and the type behind the lone dash.
std::optional<mount> cgroup2_mount(std::string_view line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return std::nullopt;
  std::string_view behind = line.substr(dash + 3);
  if (take_until(&behind, ' ') != "cgroup2") return std::nullopt;
  std::string_view before = line.substr(0, dash);
  for (int skipped = 0; skipped < 3; ++skipped) take_until(&before, ' ');
  const std::string_view root = take_until(&before, ' ');
  return mount{unescaped(root), unescaped(take_until(&before, ' '))};
}

/// "0::/path" is the line of cgroup v2.
std::optional<std::string> group_in(std::string_view groups) {
  while (!groups.empty()) {
    const std::string_view line = take_until(&groups, '\n');
    if (line.substr(0, 4) == "0::/") return std::string(line.substr(3));
  }
  return std::nullopt;
}

bool is_below(const std::string& path, const std::string& top) {
  return path.compare(0, top.size(), top) == 0 &&
         (path.size() == top.size() || path[top.size()] == '/');
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
  while (!mountinfo.empty()) {
    const std::optional<mount> found = cgroup2_mount(take_until(&mountinfo, '\n'));
    if (!found) continue;
    any = true;
    // A group above the root of this process's namespace is shown with "/..".
    const std::string root = found->root == "/" ? "" : found->root;
    if (group->compare(0, 3, "/..") == 0 || !is_below(*group, root)) continue;
    std::string rest = group->substr(root.size());
    return found->point + (rest == "/" ? "" : rest);
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
