#include "journal.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace openxpc::journal {

namespace {

/// Another place only for a program that brings no rights with it.
sockaddr_un address_of(const char* socket) {
  const char* elsewhere = ::secure_getenv("OPENXPC_JOURNAL_DIRECTORY");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s/%s",
                elsewhere != nullptr ? elsewhere : "/run/systemd/journal", socket);
  return address;
}

bool send_packet(int socket, msghdr packet) {
  sockaddr_un address = address_of("socket");
  packet.msg_name = &address;
  packet.msg_namelen = sizeof address;
  return ::sendmsg(socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/// An entry that fits into no datagram goes as a file that nobody can change any more.
bool send_file(int socket, const std::string& text) {
  const base::fd file(::memfd_create("journal-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  for (std::size_t at = 0; file && at < text.size();) {
    const ssize_t written = ::write(file.get(), text.data() + at, text.size() - at);
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) at += static_cast<std::size_t>(written);
  }
  if (!file || ::fcntl(file.get(), F_ADD_SEALS,
                       F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
    return false;
  }
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
  msghdr packet{};
  packet.msg_control = room;
  packet.msg_controllen = sizeof room;
  cmsghdr* head = CMSG_FIRSTHDR(&packet);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = file.get();
  std::memcpy(CMSG_DATA(head), &number, sizeof number);
  return send_packet(socket, packet);
}

}  // namespace

std::string stream_of(int borrowed_fd) {
  struct stat status;
  if (::fstat(borrowed_fd, &status) < 0) return {};
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

bool is_stream(const char* stream, int borrowed_fd) {
  return stream != nullptr && *stream != 0 && stream_of(borrowed_fd) == stream;
}

bool is_in_use() {
  static const bool in_use = is_stream(::secure_getenv("JOURNAL_STREAM"), 2);
  return in_use;
}

std::string encode(const std::vector<field>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    text += name;
    if (value.find('\n') == std::string_view::npos) {
      text += '=';
    } else {
      text += '\n';
      for (std::uint64_t size = value.size(), byte = 0; byte < 8; ++byte, size >>= 8) {
        text += static_cast<char>(size & 0xff);  // little-endian
      }
    }
    text += value;
    text += '\n';
  }
  return text;
}

bool send(const std::vector<field>& fields) {
  static const base::fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    errno = EBADF;
    return false;
  }
  std::string text = encode(fields);
  iovec whole{text.data(), text.size()};
  msghdr packet{};
  packet.msg_iov = &whole;
  packet.msg_iovlen = 1;
  if (send_packet(socket.get(), packet)) return true;
  return (errno == EMSGSIZE || errno == ENOBUFS) && send_file(socket.get(), text);
}

base::fd open_stream(const std::string& identifier) {
  base::fd stream(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_of("stdout");
  // Identifier, unit (nobody's but xpcd's own), priority, "<N>" counts, and no forwarding of it.
  const std::string head = identifier + "\n\n6\n1\n0\n0\n0\n";
  if (!stream ||
      ::connect(stream.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      ::send(stream.get(), head.data(), head.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(head.size())) {
    return {};
  }
  // Only xpcd does not wait.
  ::fcntl(stream.get(), F_SETFL, 0);
  ::shutdown(stream.get(), SHUT_RD);
  return stream;
}

}  // namespace openxpc::journal
