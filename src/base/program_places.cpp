#include "base/program_places.hpp"

namespace openxpc::base {
namespace {

/// Cuts off and returns what stands behind the last slash.
std::string_view take_last(std::string_view* path) {
  const std::size_t slash = path->rfind('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view last = path->substr(slash + 1);
  *path = path->substr(0, slash);
  return last;
}

}  // namespace

std::vector<std::string> bundle_places(std::string_view executable) {
  if (executable.empty() || executable.front() != '/') return {};
  std::string_view directory = executable;
  const std::string program(take_last(&directory));
  if (program.empty()) return {};
  std::string_view prefix = directory;
  const std::string_view last = take_last(&prefix);
  if (last == "MacOS") {
    std::string_view outer = prefix;
    if (take_last(&outer) == "Contents") return {std::string(prefix) + "/XPCServices"};
  }
  if (last == "bin" || last == "sbin" || last == "libexec") {
    const std::string library = std::string(prefix) + "/lib/";
    return {library + program + "/XPCServices", library + "xpc/services"};
  }
  return {std::string(directory) + "/XPCServices"};
}

}  // namespace openxpc::base
