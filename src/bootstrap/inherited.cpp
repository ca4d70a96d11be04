#include "bootstrap/inherited.hpp"

#include "bootstrap/application_rule.hpp"
#include "bootstrap/variable.hpp"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string_view>

namespace openxpc::bootstrap {
namespace {

constexpr int first_listen_fd = 3;  // sd_listen_fds(3)
constexpr int listen_fds_most = 4096;

int option(int fd, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool is_listener(int fd) {
  return option(fd, SO_DOMAIN) == AF_UNIX && option(fd, SO_TYPE) == SOCK_SEQPACKET &&
         option(fd, SO_ACCEPTCONN) == 1;
}

struct given {
  std::string name;
  base::fd socket;     // empty once the program took it
  bool is_service;     // a listener of a service's name, which stays the library's
  base::fd kept = {};  // of one that the program took, for a new service manager
};

bool started_with_sockets() { return number_in("LISTEN_PID") == ::getpid(); }

bool has_link() { return number_in("OPENXPC_LINK_FD") >= 0; }

/// How many of the sockets are for names of services, as the service manager says: they come first.
/// Everybody else leaves that to what the sockets are.
std::optional<std::size_t> count_of_services(std::string_view names) {
  const char* text = ::secure_getenv("OPENXPC_NAMES");
  if (!text) return std::nullopt;
  const std::string_view services = text;
  if (services.empty()) return 0;
  // Another list than that one: the variable is left over from a process before us.
  if (names.substr(0, services.size()) != services) return std::nullopt;
  if (names.size() > services.size() && names[services.size()] != ':') return std::nullopt;
  return static_cast<std::size_t>(std::count(services.begin(), services.end(), ':')) + 1;
}

/// Of what the program may take.
std::mutex entries_mutex;

std::vector<given>& all_given() {
  // Never destroyed: a service link may come back while the process ends.
  static auto& sockets = *new std::vector<given>([] {
    std::vector<given> taken;
    if (!started_with_sockets()) return taken;
    int count = number_in("LISTEN_FDS");
    const char* names_text = ::secure_getenv("LISTEN_FDNAMES");
    if (count <= 0 || count > listen_fds_most || !names_text) return taken;
    std::string_view names = names_text;
    const std::optional<std::size_t> services = count_of_services(names);
    for (int fd = first_listen_fd; fd < first_listen_fd + count; ++fd) {
      std::size_t colon = names.find(':');
      std::string name(names.substr(0, colon));
      names = colon == std::string_view::npos ? std::string_view() : names.substr(colon + 1);
      if (name.empty() || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) continue;
      const auto place = static_cast<std::size_t>(fd - first_listen_fd);
      const bool is_service = (!services || place < *services) && is_listener(fd);
      // Socket units do not set it; a packet that was queued before carries no credentials.
      int on = 1;
      if (is_service) ::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
      if (is_service && application_rule()) connection::admit_by(fd, application_rule());
      taken.push_back({std::move(name), base::fd(fd), is_service, {}});
    }
    return taken;
  }());
  return sockets;
}

}  // namespace

base::fd inherited_listener(const std::string& name) {
  for (const given& each : all_given())
    if (each.is_service && each.name == name) return base::fd::copy(each.socket.get());
  return {};
}

std::vector<std::string> inherited_names() {
  std::vector<std::string> names;
  for (const given& each : all_given())
    if (each.is_service) names.push_back(each.name);
  return names;
}

inherited_sockets take_inherited_sockets(std::string_view name) {
  std::lock_guard lock(entries_mutex);
  if (!started_with_sockets() && !has_link()) return {ESRCH, {}};
  inherited_sockets found{ENOENT, {}};
  for (given& each : all_given()) {
    if (each.is_service || each.name != name) continue;
    found.error = EALREADY;
    if (!each.socket) continue;
    if (has_link()) each.kept = base::fd::copy(each.socket.get());
    found.sockets.push_back(std::move(each.socket));
  }
  if (!found.sockets.empty()) found.error = 0;
  return found;
}

std::vector<std::pair<std::string, base::fd>> inherited_entries() {
  std::lock_guard lock(entries_mutex);
  std::vector<std::pair<std::string, base::fd>> entries;
  for (const given& each : all_given()) {
    if (each.is_service) continue;
    base::fd copy = base::fd::copy(each.socket ? each.socket.get() : each.kept.get());
    if (copy) entries.emplace_back(each.name, std::move(copy));
  }
  return entries;
}

base::fd take_inherited_link() {
  static std::once_flag once;
  base::fd link;
  std::call_once(once, [&] {
    int fd = number_in("OPENXPC_LINK_FD");
    if (fd < first_listen_fd || option(fd, SO_DOMAIN) != AF_UNIX ||
        option(fd, SO_TYPE) != SOCK_SEQPACKET || option(fd, SO_ACCEPTCONN) != 0)
      return;
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    link.reset(fd);
  });
  return link;
}

base::fd take_inherited_domain() {
  static std::once_flag once;
  base::fd directory;
  std::call_once(once, [&] {
    int fd = number_in("OPENXPC_DOMAIN_FD");
    struct stat found{};
    if (fd < first_listen_fd || ::fstat(fd, &found) != 0 || !S_ISDIR(found.st_mode)) return;
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    directory.reset(fd);
  });
  return directory;
}

}  // namespace openxpc::bootstrap
