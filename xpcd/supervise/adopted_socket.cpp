// Sockets that come back from a process: believed only as far as the kernel confirms them.

#include "domain/socket_diag.hpp"
#include "supervise/foreign_sockets.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"
#include "supervise/trusted_path.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
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
  const bool is_right = option_of(socket.get(), SO_TYPE) == type_of(entry) &&
                        option_of(socket.get(), SO_ACCEPTCONN) == (is_listened_at(entry) ? 1 : 0);
  if (!is_right) return not_the_entrys(entry);
  return entry.how == job::socket_entry::family::unix_path
             ? adopt_path(entry, std::move(socket), trusted)
             : adopt_address(entry, std::move(socket));
}

namespace {

bool has_all(const std::vector<owned_socket>& all, const job::description& job) {
  return std::all_of(job.sockets.begin(), job.sockets.end(), [&](const job::socket_entry& entry) {
    return std::any_of(all.begin(), all.end(),
                       [&](const owned_socket& one) { return one.it.name == entry.name; });
  });
}

}  // namespace

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
  if (has_all(all, job->job))
    keep_sockets(job, std::move(all), "handed the sockets of Sockets back");
  return std::nullopt;
}

void supervisor::keep_sockets(const job_ref& job, std::vector<owned_socket> all, const char* how) {
  job->sockets = std::move(all);
  say(job->job.label, how);
  if (failure_of why = save(*job)) say(job->job.label, why->text);
  update_watches(job);
}

/// From a process that does not hand them back by itself: the one whose number, start and pidfd
/// were written down when it got them. Where the kernel does not let us, the process keeps them,
/// serves whoever connects, and they are bound anew when it has ended.
void supervisor::fetch_sockets(const job_ref& job) {
  if (!job->run || !job->sockets.empty() || job->job.sockets.empty()) return;
  const std::string& label = job->job.label;
  outcome<std::vector<base::fd>> theirs =
      sockets_of_process(job->run->id.pid, job->run->pidfd.get());
  if (!theirs) {
    return say(label, "its sockets of Sockets stay with it until it ends: " + theirs.error().text);
  }
  std::vector<owned_socket> all;
  for (const job::socket_entry& entry : job->job.sockets) {
    for (base::fd& one : *theirs) {
      if (!one) continue;
      outcome<open_socket> adopted =
          adopt_socket(entry, base::fd::copy(one.get()), directory_.is_system());
      if (!adopted) continue;
      all.emplace_back(loop_, std::move(*adopted));
      one.reset();
    }
  }
  if (has_all(all, job->job)) {
    keep_sockets(job, std::move(all), "its sockets of Sockets were fetched from its process");
  } else {
    say(label, "its process does not have all its sockets of Sockets; bound anew when it ends");
  }
}

}  // namespace openxpc::supervise
