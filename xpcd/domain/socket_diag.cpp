#include "domain/socket_diag.hpp"

#include "base/fd.hpp"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>

namespace openxpc::domain {

namespace {

constexpr std::uint8_t tcp_listen =
    10;  // TCP_LISTEN, which AF_UNIX sockets use for their state too

struct request_packet {
  nlmsghdr header;
  unix_diag_req request;
};

/// A device number as stat() gives it, in the kernel's encoding (12 bits of major above 20 of
/// minor).
std::uint32_t kernel_device(dev_t device) { return (major(device) << 20) | minor(device); }

void read_attributes(const char* data, std::size_t size, socket_facts* facts) {
  while (size >= sizeof(nlattr)) {
    nlattr attribute;
    std::memcpy(&attribute, data, sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > size) return;
    const char* body = data + NLA_HDRLEN;
    const std::size_t body_size = attribute.nla_len - NLA_HDRLEN;
    if (attribute.nla_type == UNIX_DIAG_VFS && body_size >= sizeof(unix_diag_vfs)) {
      unix_diag_vfs vfs;
      std::memcpy(&vfs, body, sizeof vfs);
      facts->file_inode = vfs.udiag_vfs_ino;
      facts->file_device = vfs.udiag_vfs_dev;
      facts->has_file = true;
    } else if (attribute.nla_type == UNIX_DIAG_RQLEN && body_size >= sizeof(unix_diag_rqlen)) {
      unix_diag_rqlen length;
      std::memcpy(&length, body, sizeof length);
      facts->waiting = length.udiag_rqueue;
      facts->backlog = length.udiag_wqueue;
    }
    const std::size_t step = NLA_ALIGN(attribute.nla_len);
    if (step >= size) return;
    data += step;
    size -= step;
  }
}

}  // namespace

std::optional<socket_facts> ask_kernel(int borrowed_socket_fd) {
  struct stat socket_status;
  if (::fstat(borrowed_socket_fd, &socket_status) < 0 || !S_ISSOCK(socket_status.st_mode)) {
    return std::nullopt;
  }
  base::fd netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink) return std::nullopt;
  request_packet packet{};
  packet.header.nlmsg_len = sizeof packet;
  packet.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  packet.header.nlmsg_flags = NLM_F_REQUEST;
  packet.request.sdiag_family = AF_UNIX;
  packet.request.udiag_states = ~0u;
  packet.request.udiag_ino = static_cast<std::uint32_t>(socket_status.st_ino);
  packet.request.udiag_show = UDIAG_SHOW_VFS | UDIAG_SHOW_RQLEN;
  packet.request.udiag_cookie[0] = packet.request.udiag_cookie[1] = ~0u;  // any
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(netlink.get(), &packet, sizeof packet, MSG_NOSIGNAL,
               reinterpret_cast<sockaddr*>(&kernel), sizeof kernel) < 0) {
    return std::nullopt;
  }
  alignas(nlmsghdr) char answer[1024];
  const ssize_t got = ::recv(netlink.get(), answer, sizeof answer, 0);
  if (got < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(unix_diag_msg))) return std::nullopt;
  nlmsghdr header;
  std::memcpy(&header, answer, sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
      header.nlmsg_len > static_cast<std::size_t>(got)) {
    return std::nullopt;
  }
  unix_diag_msg message;
  std::memcpy(&message, answer + NLMSG_HDRLEN, sizeof message);
  if (message.udiag_ino != packet.request.udiag_ino) return std::nullopt;
  socket_facts facts;
  facts.listening = message.udiag_state == tcp_listen;
  facts.seqpacket = message.udiag_type == SOCK_SEQPACKET;
  const std::size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof message);
  if (header.nlmsg_len > head) read_attributes(answer + head, header.nlmsg_len - head, &facts);
  return facts;
}

bool is_bound_to(const socket_facts& facts, const struct stat& file) {
  return facts.has_file && S_ISSOCK(file.st_mode) &&
         facts.file_inode == static_cast<std::uint32_t>(file.st_ino) &&
         facts.file_device == kernel_device(file.st_dev);
}

bool is_listener_of_file(int borrowed_socket_fd, const struct stat& file) {
  std::optional<socket_facts> facts = ask_kernel(borrowed_socket_fd);
  return facts && facts->listening && facts->seqpacket && is_bound_to(*facts, file);
}

std::uint32_t waiting_connections(int borrowed_listener_fd) {
  std::optional<socket_facts> facts = ask_kernel(borrowed_listener_fd);
  return facts && facts->listening ? facts->waiting : 0;
}

}  // namespace openxpc::domain
