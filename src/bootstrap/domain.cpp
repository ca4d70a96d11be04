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
bool belongs_to(uid_t user, const char* path) {
  struct stat found{};
  return ::stat(path, &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == user &&
         (found.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}
bool is_ours(const char* path) { return belongs_to(::geteuid(), path); }

std::string made_by_root(uid_t user) {
  return std::string(system_directory) + "/user/" + std::to_string(user);
}

/// The same places for somebody else, whose environment we do not have.
std::vector<std::string> directories_of(uid_t user, connection::error_ref& why) {
  if (user == 0) return {system_directory};
  const std::string runtime = "/run/user/" + std::to_string(user);
  const std::string other = made_by_root(user);
  if (belongs_to(user, runtime.c_str())) return {runtime + "/xpc"};
  if (belongs_to(user, other.c_str())) return {other};
  why = connection::make_error(OPENXPC_ERROR_NO_DOMAIN,
                               "the user " + std::to_string(user) + " has no domain: neither " +
                                   runtime + " nor " + other + " is there and that user's own");
  return {};
}

}  // namespace

std::vector<std::string> domain_directories(const domain_choice& choice,
                                            connection::error_ref& why) {
  if (!choice.directory.empty()) return {choice.directory};
  const char* none = ::secure_getenv("XPC_NULL_BOOTSTRAP");
  if (none && std::strcmp(none, "1") == 0) {
    why = connection::make_error(OPENXPC_ERROR_NO_DOMAIN,
                                 "XPC_NULL_BOOTSTRAP=1 keeps this process from looking names up");
    return {};
  }
  using kind = domain_choice::kind;
  if (choice.which == kind::system) return {system_directory};
  if (choice.uid && *choice.uid != ::geteuid()) return directories_of(*choice.uid, why);

  std::vector<std::string> found;
  const char* named = ::secure_getenv("OPENXPC_DOMAIN");
  const char* runtime = ::secure_getenv("XDG_RUNTIME_DIR");
  if (named && *named == '/' && is_ours(named)) {
    found.push_back(named);
  } else if (::geteuid() != 0 || choice.which == kind::user) {
    const std::string other = made_by_root(::geteuid());
    if (runtime && *runtime == '/' && is_ours(runtime))
      found.push_back(std::string(runtime) + "/xpc");
    else if (is_ours(other.c_str()))
      found.push_back(other);
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

base::fd open_directory_with(const std::string& directory, const std::string& name) {
  base::fd opened(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  struct stat found{};
  const bool there =
      opened && ::fstatat(opened.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
  return there && S_ISSOCK(found.st_mode) ? std::move(opened) : base::fd();
}

}  // namespace openxpc::bootstrap
