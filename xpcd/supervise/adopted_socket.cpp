// Sockets that come back from a process: believed only as far as the kernel confirms them.

#include "domain/socket_diag.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"
#include "supervise/trusted_path.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

namespace openxpc::supervise {

namespace {

int option_of(int borrowed_fd, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(borrowed_fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

trouble not_the_entrys(const job::socket_entry& entry) {
  return {trouble::kind::bad_input,
          "Sockets " + entry.name + ": the socket that was handed back is not this entry's"};
}

/// Equal, but for a port that the system was free to choose.
bool is_address(const sockaddr_storage& bound, const addrinfo& wanted) {
  if (bound.ss_family != wanted.ai_family) return false;
  if (bound.ss_family == AF_INET) {
    sockaddr_in have{}, want{};
    std::memcpy(&have, &bound, sizeof have);
    std::memcpy(&want, wanted.ai_addr, sizeof want);
    return have.sin_addr.s_addr == want.sin_addr.s_addr &&
           (want.sin_port == 0 || have.sin_port == want.sin_port);
  }
  if (bound.ss_family != AF_INET6) return false;
  sockaddr_in6 have{}, want{};
  std::memcpy(&have, &bound, sizeof have);
  std::memcpy(&want, wanted.ai_addr, sizeof want);
  return std::memcmp(&have.sin6_addr, &want.sin6_addr, sizeof have.sin6_addr) == 0 &&
         (want.sin6_port == 0 || have.sin6_port == want.sin6_port);
}

outcome<open_socket> adopt_address(const job::socket_entry& entry, base::fd socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) < 0) {
    return not_the_entrys(entry);
  }
  outcome<address_list> wanted = addresses_of(entry);
  if (!wanted) return wanted.error();
  for (const addrinfo* one = wanted->get(); one != nullptr; one = one->ai_next) {
    if (!is_address(bound, *one)) continue;
    open_socket result;
    result.name = entry.name;
    result.address = text_of(reinterpret_cast<const sockaddr*>(&bound), size);
    result.fd = std::move(socket);
    return result;
  }
  return not_the_entrys(entry);
}

outcome<open_socket> adopt_path(const job::socket_entry& entry, base::fd socket, bool trusted) {
  open_socket result;
  result.name = entry.name;
  result.address = entry.path;
  outcome<base::fd> parent = open_parent(entry.path, trusted, &result.file);
  if (!parent) return parent.error();
  struct stat file;
  const std::optional<domain::socket_facts> facts = domain::ask_kernel(socket.get());
  if (!facts || ::fstatat(parent->get(), result.file.c_str(), &file, AT_SYMLINK_NOFOLLOW) < 0 ||
      !domain::is_bound_to(*facts, file)) {
    return not_the_entrys(entry);
  }
  result.directory = std::move(*parent);
  result.device = file.st_dev;
  result.inode = file.st_ino;
  result.fd = std::move(socket);
  return result;
}

}  // namespace

outcome<open_socket> adopt_socket(const job::socket_entry& entry, base::fd socket, bool trusted) {
  const bool is_right =
      option_of(socket.get(), SO_TYPE) == (entry.datagram ? SOCK_DGRAM : SOCK_STREAM) &&
      option_of(socket.get(), SO_ACCEPTCONN) == (entry.datagram ? 0 : 1);
  if (!is_right) return not_the_entrys(entry);
  return entry.how == job::socket_entry::family::unix_path
             ? adopt_path(entry, std::move(socket), trusted)
             : adopt_address(entry, std::move(socket));
}

/// All of them or none: those that lack some are bound anew after the run.
failure_of supervisor::hand_back_sockets(pid_t pid,
                                         std::vector<std::pair<std::string, base::fd>> sockets) {
  auto at = processes_.find(pid);
  job_ref job = at == processes_.end() ? nullptr : find(at->second);
  if (!job || !job->run || job->run->id.pid != pid || !job->sockets.empty()) return std::nullopt;
  std::vector<owned_socket> all;
  for (auto& [name, socket] : sockets) {
    failure_of wrong = trouble{trouble::kind::denied, "Sockets has no entry " + name};
    for (const job::socket_entry& entry : job->job.sockets) {
      if (entry.name != name || !wrong) continue;
      outcome<open_socket> adopted =
          adopt_socket(entry, base::fd::copy(socket.get()), directory_.is_system());
      wrong = adopted ? failure_of() : adopted.error();
      if (adopted) all.emplace_back(loop_, std::move(*adopted));
    }
    if (wrong) {
      wrong->text = job->job.label + ": " + wrong->text;
      return wrong;
    }
  }
  for (const job::socket_entry& entry : job->job.sockets) {
    bool found = false;
    for (const owned_socket& one : all) found = found || one.it.name == entry.name;
    if (!found) return std::nullopt;
  }
  job->sockets = std::move(all);
  say(job->job.label, "handed the sockets of Sockets back");
  update_watches(job);
  return std::nullopt;
}

}  // namespace openxpc::supervise
