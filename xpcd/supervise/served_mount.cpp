#include "supervise/served_mount.hpp"

#include <limits.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace openxpc::supervise {

namespace {

bool is_served(std::string_view type) {
  for (std::string_view one :
       {"fuse", "nfs", "cifs", "smb", "9p", "virtiofs", "ceph", "afs", "autofs"})
    if (type.substr(0, one.size()) == one) return true;
  return false;
}

/// Blanks and the like stand in the table as "\040".
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size()) {
      int code = 0;
      for (std::size_t digit = 1; digit <= 3; ++digit) code = code * 8 + (text[at + digit] - '0');
      out.push_back(static_cast<char>(code));
      at += 3;
    } else {
      out.push_back(text[at]);
    }
  }
  return out;
}

bool is_below(const std::string& path, const std::string& place) {
  return place == "/" || (path.compare(0, place.size(), place) == 0 &&
                          (path.size() == place.size() || path[place.size()] == '/'));
}

}  // namespace

std::string served_mount_of(std::string_view mountinfo, const std::string& path) {
  std::string found;
  bool served = false;
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    // ID PARENT DEVICE ROOT PLACE OPTIONS [TAG...] - TYPE SOURCE OPTIONS
    std::istringstream words(line);
    std::string word, place, type;
    for (int i = 0; i < 5; ++i) words >> place;
    while (words >> word && word != "-") {
    }
    if (!(words >> type)) continue;
    place = unescaped(place);
    // A later line of the same place lies above the one before it.
    if (place.size() < found.size() || !is_below(path, place)) continue;
    found = place;
    served = is_served(type);
  }
  return served ? found : std::string();
}

std::string served_mount_of(const std::string& path) {
  std::stringstream table;
  table << std::ifstream("/proc/self/mountinfo").rdbuf();
  return served_mount_of(table.str(), path);
}

std::string served_mount_of(int borrowed_file) {
  char path[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(borrowed_file);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  if (size <= 0 || path[0] != '/') return {};
  return served_mount_of(std::string(path, static_cast<std::size_t>(size)));
}

}  // namespace openxpc::supervise
