#include "bootstrap/domain.hpp"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace openxpc::bootstrap {
namespace {

constexpr const char* system_directory = "/run/xpc";

connection::error_ref no_domain(const std::string& message, const std::string& directory) {
  return connection::make_error(OPENXPC_ERROR_NO_DOMAIN, message,
                                "start a service manager there: xpcd --domain " + directory);
}

/// A directory that this user owns and nobody else may write to.
bool is_ours(const char* path) {
  struct stat found{};
  return ::stat(path, &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() &&
         (found.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

std::vector<std::string> domain_directories(const domain_choice& choice,
                                            connection::error_ref& why) {
  if (!choice.directory.empty()) return {choice.directory};
  using kind = domain_choice::kind;
  if (choice.which == kind::system) return {system_directory};

  std::vector<std::string> found;
  const char* named = ::secure_getenv("OPENXPC_DOMAIN");
  const char* runtime = ::secure_getenv("XDG_RUNTIME_DIR");
  if (named && *named == '/' && is_ours(named)) {
    found.push_back(named);
  } else if (::geteuid() != 0 || choice.which == kind::user) {
    std::string made_by_root =
        std::string(system_directory) + "/user/" + std::to_string(::geteuid());
    if (runtime && *runtime == '/' && is_ours(runtime))
      found.push_back(std::string(runtime) + "/xpc");
    else if (is_ours(made_by_root.c_str()))
      found.push_back(made_by_root);
  }
  if (choice.which == kind::automatic) found.push_back(system_directory);
  if (found.empty())
    why = connection::make_error(
        OPENXPC_ERROR_NO_DOMAIN,
        "this user has no domain: XDG_RUNTIME_DIR is not set (or not this user's own)",
        "name a directory: --domain DIR, here and for xpcd");
  return found;
}

base::fd open_domain(const std::string& directory, connection::error_ref& why) {
  base::fd opened(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!opened) {
    if (errno == EACCES)
      why = connection::make_error(OPENXPC_ERROR_DENIED,
                                   "the domain " + directory + " is not for this user");
    else if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
      why = no_domain("there is no service manager at " + directory, directory);
    else
      why = connection::make_error(
          OPENXPC_ERROR_NO_RESOURCES,
          "the domain " + directory + " cannot be opened: " + std::strerror(errno));
    return {};
  }
  struct stat control{};
  const bool there = ::fstatat(opened.get(), control_name, &control, AT_SYMLINK_NOFOLLOW) == 0;
  if (!there || !S_ISSOCK(control.st_mode)) {
    if (!there && errno == EACCES) {
      why = connection::make_error(OPENXPC_ERROR_DENIED,
                                   "the domain " + directory + " is not for this user");
    } else {
      why = no_domain("there is no service manager at " + directory, directory);
    }
    return {};
  }
  return opened;
}

}  // namespace openxpc::bootstrap
