#include "domain/location.hpp"

#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace openxpc::domain {

namespace {

constexpr const char* system_directory = "/run/xpc";

const char* const remedy = "; name a directory with --domain DIR";

bool is_private_directory(const std::string& path, uid_t owner) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == owner &&
         (status.st_mode & 077) == 0;
}

bool is_path(const std::optional<std::string>& text) {
  return text && !text->empty() && text->front() == '/';
}

/// A directory of the user's as the XDG base directories say; empty when nobody does.
std::string base_directory(const std::optional<std::string>& given,
                           const std::optional<std::string>& home, const char* otherwise) {
  if (is_path(given)) return given.value_or("");
  return is_path(home) ? home.value_or("") + otherwise : std::string();
}

std::string state_of(const surroundings& here) {
  const std::string base = base_directory(here.xdg_state_home, here.home, "/.local/state");
  return base.empty() ? base : base + "/xpc";
}

std::vector<std::string> agents_of(const surroundings& here) {
  std::vector<std::string> all{"/etc/xpc/agents", "/usr/lib/xpc/agents"};
  const std::string base = base_directory(here.xdg_config_home, here.home, "/.config");
  if (!base.empty()) all.push_back(base + "/xpc/agents");
  return all;
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
    return location{*here.option, here.system, {}, *here.option + "/.state"};
  }
  if (here.secure_execution) {
    return trouble{
        trouble::kind::denied,
        std::string("a set-uid program takes no directory from its environment") + remedy};
  }
  if (here.euid == 0)
    return location{
        system_directory, true, {"/etc/xpc/daemons", "/usr/lib/xpc/daemons"}, "/var/lib/xpc"};
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
    return location{base + "/xpc", false, agents_of(here), state_of(here), system_directory};
  }
  std::string made_by_root = "/run/xpc/user/" + std::to_string(here.euid);
  if (here.is_private_directory(made_by_root, here.euid))
    return location{made_by_root, false, agents_of(here), state_of(here), system_directory};
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
  if (const char* value = std::getenv("XDG_CONFIG_HOME")) here.xdg_config_home = value;
  if (const char* value = std::getenv("HOME")) here.home = value;
  here.is_private_directory = is_private_directory;
  return locate(here);
}

}  // namespace openxpc::domain
