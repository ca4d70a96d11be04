#include "job/descriptions.hpp"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace openxpc::job {

namespace {

bool is_description(const std::string& name) {
  auto ends_with = [&](std::string_view end) {
    return name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
  };
  return name.front() != '.' && (ends_with(".plist") || ends_with(".json"));
}

}  // namespace

outcome<std::vector<std::string>> descriptions_in(const std::string& directory) {
  std::vector<std::string> names;
  DIR* stream = ::opendir(directory.c_str());
  if (stream == nullptr && errno == ENOENT) return names;
  if (stream == nullptr) return system_trouble(errno, directory);
  while (const dirent* entry = ::readdir(stream)) {
    if (is_description(entry->d_name)) names.emplace_back(entry->d_name);
  }
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace openxpc::job
