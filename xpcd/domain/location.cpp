#include "domain/location.hpp"

#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace openxpc::domain {

namespace {

const char* const remedy = "; name a directory with --domain DIR";

bool is_private_directory(const std::string& path, uid_t owner) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == owner &&
         (status.st_mode & 077) == 0;
}

std::string state_of(const surroundings& here) {
  if (here.xdg_state_home && !here.xdg_state_home->empty() && here.xdg_state_home->front() == '/') {
    return *here.xdg_state_home + "/xpc";
  }
  if (here.home && !here.home->empty() && here.home->front() == '/') {
    return *here.home + "/.local/state/xpc";
  }
  return {};
}

}  // namespace

outcome<location> locate(const surroundings& here) {
  if (here.system && here.euid != 0) {
    return trouble{trouble::kind::denied, "--system: the domain of the whole machine is root's"};
  }
  if (here.option) {
    if (here.option->empty()) {
      return trouble{trouble::kind::bad_input, "--domain: the directory has no name"};
    }
    return location{*here.option, here.system, *here.option + "/.state"};
  }
  if (here.secure_execution) {
    return trouble{
        trouble::kind::denied,
        std::string("a set-uid program takes no directory from its environment") + remedy};
  }
  if (here.euid == 0) return location{"/run/xpc", true, "/var/lib/xpc"};
  if (here.xdg_runtime_dir && !here.xdg_runtime_dir->empty()) {
    const std::string& base = *here.xdg_runtime_dir;
    if (base.front() != '/') {
      return trouble{trouble::kind::bad_input,
                     "XDG_RUNTIME_DIR is not an absolute path: " + base + remedy};
    }
    if (!here.is_private_directory(base, here.euid)) {
      return trouble{
          trouble::kind::denied,
          "XDG_RUNTIME_DIR " + base + " is not a directory of this user with mode 0700" + remedy};
    }
    return location{base + "/xpc", false, state_of(here)};
  }
  std::string made_by_root = "/run/xpc/user/" + std::to_string(here.euid);
  if (here.is_private_directory(made_by_root, here.euid))
    return location{made_by_root, false, state_of(here)};
  return trouble{trouble::kind::not_found,
                 "XDG_RUNTIME_DIR is not set and there is no " + made_by_root + remedy};
}

outcome<location> locate(const std::optional<std::string>& option, bool system) {
  surroundings here;
  here.euid = ::geteuid();
  here.secure_execution = ::getauxval(AT_SECURE) != 0;
  here.system = system;
  here.option = option;
  if (const char* value = std::getenv("XDG_RUNTIME_DIR")) here.xdg_runtime_dir = value;
  if (const char* value = std::getenv("XDG_STATE_HOME")) here.xdg_state_home = value;
  if (const char* value = std::getenv("HOME")) here.home = value;
  here.is_private_directory = is_private_directory;
  return locate(here);
}

}  // namespace openxpc::domain
