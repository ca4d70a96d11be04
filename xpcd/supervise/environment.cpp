#include "supervise/environment.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace openxpc::supervise {

namespace {

/// Who the user is, where his things are, how he reads: nothing that changes what code a program
/// loads.
constexpr std::string_view harmless[] = {"HOME",
                                         "LANG",
                                         "LANGUAGE",
                                         "LOGNAME",
                                         "PATH",
                                         "SHELL",
                                         "TMPDIR",
                                         "TZ",
                                         "USER",
                                         "XDG_CACHE_HOME",
                                         "XDG_CONFIG_HOME",
                                         "XDG_DATA_HOME",
                                         "XDG_RUNTIME_DIR",
                                         "XDG_STATE_HOME"};

bool is_harmless(std::string_view name) {
  return name.substr(0, 3) == "LC_" ||
         std::find(std::begin(harmless), std::end(harmless), name) != std::end(harmless);
}

}  // namespace

std::vector<std::string> job_environment(const char* const* own,
                                         const std::map<std::string, std::string>& declared,
                                         const std::optional<credentials>& who) {
  std::map<std::string, std::string, std::less<>> all;
  all["PATH"] = "/usr/local/bin:/usr/bin:/bin";
  for (; own != nullptr && *own != nullptr; ++own) {
    const std::string_view entry(*own);
    const std::size_t equals = entry.find('=');
    const bool is_someone_elses = who && entry.substr(0, 4) == "XDG_";
    if (equals != std::string_view::npos && is_harmless(entry.substr(0, equals)) &&
        !is_someone_elses) {
      all[std::string(entry.substr(0, equals))] = entry.substr(equals + 1);
    }
  }
  if (who) {
    for (const auto& [name, value] : variables_of(*who)) all[name] = value;
  }
  for (const auto& [name, value] : declared) all[name] = value;
  std::vector<std::string> result;
  for (const auto& [name, value] : all) result.push_back(name + "=" + value);
  return result;
}

std::string value_of(const std::vector<std::string>& environment, const std::string& name) {
  for (const std::string& entry : environment) {
    if (entry.compare(0, name.size() + 1, name + "=") == 0) return entry.substr(name.size() + 1);
  }
  return {};
}

}  // namespace openxpc::supervise
