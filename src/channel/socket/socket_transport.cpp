#include "channel/socket/socket_transport.hpp"

#include "base/uncancelled.hpp"
#include "channel/frame.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

// AF_UNIX SOCK_SEQPACKET. What is peculiar to it: closing with unread data makes the peer's next
// call fail once with ECONNRESET, before data that is still there; a receive of 0 is the end (an
// empty packet is never sent).

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace openxpc::channel {
namespace {

// Newer than the headers of Debian 12.
constexpr int so_passpidfd = 76, so_peerpidfd = 77, scm_pidfd = 0x04;
/// The kernel keeps so much of the send buffer for itself.
constexpr std::size_t kernel_share_bytes = 32;

constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(int) * (packet_attachments + 1)) +
                                      CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int));

class socket_wire final : public transport {
 public:
  explicit socket_wire(base::fd connected) noexcept : socket_(std::move(connected)) {
    const int on = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    ::fcntl(socket_.get(), F_SETFD, FD_CLOEXEC);
    // Only receive_patiently() may block, and no longer than this.
    const timeval moment{0, std::chrono::microseconds(patience_).count()};
    const int flags = ::fcntl(socket_.get(), F_GETFL);
    can_wait_ = flags >= 0 && ::fcntl(socket_.get(), F_SETFL, flags & ~O_NONBLOCK) == 0 &&
                ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment) == 0;
  }

  int borrowed_fd() const noexcept override { return socket_.get(); }
  std::uint32_t events(bool to_receive, bool to_send) const noexcept override {
    return (to_receive ? EPOLLIN : 0u) | (to_send ? EPOLLOUT : 0u);
  }
  std::size_t packet_most_bytes() const noexcept override {
    int size = 0;
    socklen_t length = sizeof size;
    if (::getsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &size, &length) != 0) return 65536;
    return static_cast<std::size_t>(size) - kernel_share_bytes;
  }

  send_result send(std::span<const iovec> parts, std::span<const int> borrowed_fds,
                   bool with_credentials) noexcept override;
  received receive(std::span<const iovec> into,
                   std::vector<base::fd>& attachments) noexcept override {
    return receive(into, attachments, MSG_DONTWAIT);
  }
  received receive_patiently(std::span<const iovec> into,
                             std::vector<base::fd>& attachments) noexcept override {
    return receive(into, attachments, can_wait_ ? 0 : MSG_DONTWAIT);
  }
  std::chrono::nanoseconds patience() const noexcept override {
    return can_wait_ ? patience_ : std::chrono::nanoseconds(0);
  }

  std::optional<credentials> peer(base::fd* pidfd) noexcept override {
    ucred who{};
    socklen_t length = sizeof who;
    if (::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &who, &length) != 0)
      return std::nullopt;
    if (pidfd) {
      int number = -1;
      length = sizeof number;
      std::lock_guard hold(reserve_in_use());
      if (::getsockopt(socket_.get(), SOL_SOCKET, so_peerpidfd, &number, &length) == 0)
        pidfd->reset(number);
    }
    return credentials{who.pid, who.uid, who.gid};
  }
  void want_sender(bool with_credentials, bool pidfd) noexcept override {
    const int credentials_on = with_credentials, pidfd_on = pidfd;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &credentials_on, sizeof credentials_on);
    if (pidfd == asks_pidfd_) return;
    ::setsockopt(socket_.get(), SOL_SOCKET, so_passpidfd, &pidfd_on, sizeof pidfd_on);
    asks_pidfd_ = pidfd;
  }
  void stop_receiving() noexcept override { ::shutdown(socket_.get(), SHUT_RD); }
  void hang_up() noexcept override { ::shutdown(socket_.get(), SHUT_RDWR); }

 private:
  static constexpr std::chrono::milliseconds patience_{4};
  received receive(std::span<const iovec> into, std::vector<base::fd>& attachments,
                   int flags) noexcept;
  void take_control(msghdr& message, received& out, std::vector<base::fd>& attachments) noexcept;

  base::fd socket_;
  bool asks_pidfd_ = false;
  bool can_wait_ = false;
};

send_result socket_wire::send(std::span<const iovec> parts, std::span<const int> borrowed_fds,
                              bool with_credentials) noexcept {
  alignas(cmsghdr) char control[control_bytes];
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  if (!borrowed_fds.empty() || with_credentials) {
    message.msg_control = control;
    std::size_t used = 0;
    auto add = [&](int type, const void* data, std::size_t size) {
      auto* header = reinterpret_cast<cmsghdr*>(control + used);
      std::memset(header, 0, CMSG_SPACE(size));
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = type;
      header->cmsg_len = CMSG_LEN(size);
      std::memcpy(CMSG_DATA(header), data, size);
      used += CMSG_SPACE(size);
    };
    if (!borrowed_fds.empty()) add(SCM_RIGHTS, borrowed_fds.data(), borrowed_fds.size_bytes());
    // The kernel would fill in the real ids; the effective ones are what a peer is judged by (F20).
    const ucred own{::getpid(), ::geteuid(), ::getegid()};
    if (with_credentials) add(SCM_CREDENTIALS, &own, sizeof own);
    message.msg_controllen = used;
  }
  // One plain piece is cheaper without a message header for the kernel to fetch.
  const bool plain = parts.size() == 1 && message.msg_control == nullptr;
  constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  for (;;) {
    const ssize_t sent =
        plain ? base::uncancelled_send(socket_.get(), parts[0].iov_base, parts[0].iov_len, flags)
              : base::uncancelled_sendmsg(socket_.get(), &message, flags);
    if (sent >= 0) return send_result::taken;
    switch (errno) {
      case EINTR:
        continue;
      case EAGAIN:
        return send_result::full;
      case ETOOMANYREFS:
      case ENOBUFS:
      case ENOMEM:
        return send_result::later;
      case EPIPE:
      case ECONNRESET:
      case ENOTCONN:
        return send_result::peer_stopped;
      default:
        return send_result::failed;
    }
  }
}

void socket_wire::take_control(msghdr& message, received& out,
                               std::vector<base::fd>& attachments) noexcept {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != SOL_SOCKET) continue;
    if (each->cmsg_type == SCM_RIGHTS) {
      const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int number;
        std::memcpy(&number, CMSG_DATA(each) + i * sizeof(int), sizeof number);
        attachments.emplace_back(number);
      }
    } else if (each->cmsg_type == SCM_CREDENTIALS && each->cmsg_len >= CMSG_LEN(sizeof(ucred))) {
      ucred who;
      std::memcpy(&who, CMSG_DATA(each), sizeof who);
      out.sender = credentials{who.pid, who.uid, who.gid};
    } else if (each->cmsg_type == scm_pidfd && each->cmsg_len >= CMSG_LEN(sizeof(int))) {
      int number;
      std::memcpy(&number, CMSG_DATA(each), sizeof number);
      if (number >= 0) out.sender_pidfd.reset(number);
    }
  }
}

received socket_wire::receive(std::span<const iovec> into, std::vector<base::fd>& attachments,
                              int flags) noexcept {
  alignas(cmsghdr) char control[control_bytes];
  msghdr message{};
  received out;
  for (;;) {
    message.msg_iov = const_cast<iovec*>(into.data());
    message.msg_iovlen = into.size();
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size =
        base::uncancelled_recvmsg(socket_.get(), &message, flags | MSG_CMSG_CLOEXEC);
    if (size > 0) {
      out.what = received::result::packet;
      out.size = static_cast<std::size_t>(size);
      break;
    }
    if (size == 0) {
      out.what = received::result::end;
      break;
    }
    if (errno == EINTR) continue;
    out.what = errno == EAGAIN       ? received::result::nothing
               : errno == ECONNRESET ? received::result::reset
                                     : received::result::failed;
    return out;
  }
  out.truncated = message.msg_flags & MSG_TRUNC;
  out.attachments_lost = message.msg_flags & MSG_CTRUNC;
  if (message.msg_controllen) take_control(message, out, attachments);
  return out;
}

}  // namespace

std::unique_ptr<transport> socket_transport(base::fd connected) {
  return std::make_unique<socket_wire>(std::move(connected));
}

std::mutex& reserve_in_use() noexcept {
  static std::mutex& only = *new std::mutex;  // outlives every thread
  return only;
}

base::fd new_socket() noexcept {
  base::fd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (made && ::setsockopt(made.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) made.reset();
  return made;
}

socket_pair new_socket_pair() noexcept {
  int both[2];
  socket_pair out;
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) != 0)
    return out;
  out.one.reset(both[0]);
  out.other.reset(both[1]);
  const int on = 1;
  for (int each : both) ::setsockopt(each, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  return out;
}

}  // namespace openxpc::channel
