#include "supervise/sockets.hpp"

#include "supervise/bounded_look.hpp"
#include "supervise/trusted_path.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace openxpc::supervise {

using family = job::socket_entry::family;

namespace {

int family_of(family how) {
  switch (how) {
    case family::ipv4:
      return AF_INET;
    case family::ipv6:
    case family::both_in_one:
      return AF_INET6;
    default:
      return AF_UNSPEC;
  }
}

}  // namespace

int type_of(const job::socket_entry& entry) noexcept {
  switch (entry.type) {
    case job::socket_entry::kind::datagram:
      return SOCK_DGRAM;
    case job::socket_entry::kind::seqpacket:
      return SOCK_SEQPACKET;
    case job::socket_entry::kind::stream:
      break;
  }
  return SOCK_STREAM;
}

bool is_listened_at(const job::socket_entry& entry) noexcept {
  return entry.type != job::socket_entry::kind::datagram;
}

std::string text_of(const sockaddr* address, socklen_t size) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (::getnameinfo(address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "unknown address";
  }
  const bool is_v6 = address->sa_family == AF_INET6;
  return (is_v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
}

outcome<address_list> addresses_of(const job::socket_entry& entry) {
  addrinfo wanted{};
  wanted.ai_family = family_of(entry.how);
  wanted.ai_socktype = type_of(entry);
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(entry.node.empty() ? nullptr : entry.node.c_str(),
                                  entry.service.c_str(), &wanted, &found);
  if (error != 0) {
    return trouble{trouble::kind::not_found, "Sockets " + entry.name + " " + entry.node + ":" +
                                                 entry.service + ": " + ::gai_strerror(error)};
  }
  return address_list(found);
}

namespace {

outcome<base::fd> find_parent(const std::string& path, bool trusted, std::string* file) {
  if (trusted) return open_trusted_parent(path, file);
  const std::size_t slash = path.rfind('/');
  *file = path.substr(slash + 1);
  const std::string parent = slash == 0 ? "/" : path.substr(0, slash);
  base::fd directory(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_trouble(errno, parent);
  return directory;
}

outcome<base::fd> look_at_parent(const std::string& path, bool trusted) {
  std::string name;
  outcome<base::fd> directory = find_parent(path, trusted, &name);
  // What is done there next asks for that name, too.
  struct stat ignored;
  if (directory) (void)::fstatat(directory->get(), name.c_str(), &ignored, AT_SYMLINK_NOFOLLOW);
  return directory;
}

}  // namespace

outcome<base::fd> open_parent(const std::string& path, bool trusted, std::string* file) {
  *file = path.substr(path.rfind('/') + 1);
  return looks().look<base::fd>(path, [path, trusted] { return look_at_parent(path, trusted); });
}

void look_ahead(const std::vector<job::socket_entry>& sockets, std::size_t first, bool trusted,
                base::function<void()> then) {
  while (first < sockets.size() && sockets[first].how != family::unix_path) ++first;
  if (first == sockets.size()) return then();
  const std::string path = sockets[first].path;
  looks().ask<base::fd>(
      path, [path, trusted] { return look_at_parent(path, trusted); },
      [sockets, first, trusted, then = std::move(then)](const outcome<base::fd>&) mutable {
        look_ahead(sockets, first + 1, trusted, std::move(then));
      });
}

namespace {

trouble about(const job::socket_entry& entry, int number, const std::string& address) {
  trouble why = system_trouble(number, "Sockets " + entry.name + " " + address);
  if (number == EADDRINUSE) why.what = trouble::kind::conflict;
  return why;
}

outcome<open_socket> open_address(const job::socket_entry& entry, const addrinfo& address) {
  open_socket result;
  result.name = entry.name;
  result.address = text_of(address.ai_addr, address.ai_addrlen);
  result.fd.reset(::socket(address.ai_family, type_of(entry) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1, only_v6 = entry.how == family::both_in_one ? 0 : 1;
  if (!result.fd || ::setsockopt(result.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
      (address.ai_family == AF_INET6 &&
       ::setsockopt(result.fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6) < 0) ||
      ::bind(result.fd.get(), address.ai_addr, address.ai_addrlen) < 0 ||
      (is_listened_at(entry) && ::listen(result.fd.get(), domain::backlog) < 0)) {
    return about(entry, errno, result.address);
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  // A port of 0 was made one by the kernel.
  if (::getsockname(result.fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0) {
    result.address = text_of(reinterpret_cast<sockaddr*>(&bound), size);
  }
  return result;
}

outcome<std::vector<open_socket>> open_addresses(const job::socket_entry& entry) {
  outcome<address_list> found = addresses_of(entry);
  if (!found) return found.error();
  std::vector<open_socket> result;
  for (const addrinfo* one = found->get(); one != nullptr; one = one->ai_next) {
    outcome<open_socket> opened = open_address(entry, *one);
    if (opened) {
      result.push_back(std::move(*opened));
    } else if (opened.error().number != EAFNOSUPPORT) {
      return opened.error();
    }
  }
  if (result.empty()) return about(entry, EAFNOSUPPORT, entry.node + ":" + entry.service);
  return result;
}

/// True if a socket is bound to the file, whoever has it. Nobody is connected to: no listener takes
/// datagrams, and asking those that do changes nothing.
bool is_in_use(const sockaddr_un& address) {
  const base::fd probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         (errno != ECONNREFUSED && errno != ENOENT);
}

bool is_one_of(const std::vector<socket_file>& files, const std::string& path,
               const struct stat& found) {
  return std::any_of(files.begin(), files.end(), [&](const socket_file& one) {
    return one.path == path && one.device == found.st_dev && one.inode == found.st_ino;
  });
}

outcome<std::vector<open_socket>> open_path(const job::socket_entry& entry, bool trusted,
                                            const std::vector<socket_file>& own) {
  open_socket result;
  result.name = entry.name;
  result.address = entry.path;
  outcome<base::fd> parent = open_parent(entry.path, trusted, &result.file);
  if (!parent) {
    trouble why = parent.error();
    why.text = "Sockets " + entry.name + " " + why.text;
    return why;
  }
  result.directory = std::move(*parent);
  const int at = result.directory.get();
  struct stat before, after;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const int length = std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s",
                                   at, result.file.c_str());
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof address.sun_path) {
    return about(entry, ENAMETOOLONG, entry.path);
  }
  if (::fstatat(at, result.file.c_str(), &before, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISSOCK(before.st_mode)) return about(entry, EEXIST, entry.path);
    if (!is_one_of(own, entry.path, before) && is_in_use(address)) {
      return about(entry, EADDRINUSE, entry.path);
    }
    ::unlinkat(at, result.file.c_str(), 0);
  }
  result.fd.reset(::socket(AF_UNIX, type_of(entry) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Nobody gets in before the mode and the owner are those of the entry.
  const mode_t mask = ::umask(0777);
  const bool bound = result.fd && ::bind(result.fd.get(), reinterpret_cast<sockaddr*>(&address),
                                         sizeof address) == 0;
  const int bind_error = errno;
  ::umask(mask);
  if (!bound) return about(entry, bind_error, entry.path);
  const uid_t owner = entry.path_owner.value_or(static_cast<uid_t>(-1));
  const gid_t group = entry.path_group.value_or(static_cast<gid_t>(-1));
  const bool has_owner = entry.path_owner || entry.path_group;
  if ((has_owner && ::fchownat(at, result.file.c_str(), owner, group, AT_SYMLINK_NOFOLLOW) < 0) ||
      (is_listened_at(entry) && ::listen(result.fd.get(), domain::backlog) < 0) ||
      ::fchmodat(at, result.file.c_str(), entry.path_mode, 0) < 0 ||
      ::fstatat(at, result.file.c_str(), &after, AT_SYMLINK_NOFOLLOW) < 0) {
    const int error = errno;
    ::unlinkat(at, result.file.c_str(), 0);
    return about(entry, error, entry.path);
  }
  result.device = after.st_dev;
  result.inode = after.st_ino;
  std::vector<open_socket> all;
  all.push_back(std::move(result));
  return all;
}

}  // namespace

outcome<std::vector<open_socket>> open_sockets(const job::socket_entry& entry, bool trusted,
                                               const std::vector<socket_file>& own) {
  return entry.how == family::unix_path ? open_path(entry, trusted, own) : open_addresses(entry);
}

void remove_file(const open_socket& socket) noexcept {
  struct stat now;
  if (socket.directory &&
      ::fstatat(socket.directory.get(), socket.file.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
      now.st_dev == socket.device && now.st_ino == socket.inode) {
    ::unlinkat(socket.directory.get(), socket.file.c_str(), 0);
  }
}

}  // namespace openxpc::supervise
