#include "attack/faulty_kernel.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

using openxpc::base::fd;

namespace attack {
namespace {

/// What asks for a descriptor, a file, memory of the kernel or a place in a directory. Not what
/// only looks: such a call never fails for want of something.
constexpr std::uint32_t watched[] = {
    SYS_socket,   SYS_bind,      SYS_listen,  SYS_openat,     SYS_openat2, SYS_fchmodat,
    SYS_renameat, SYS_renameat2, SYS_mkdirat, SYS_setsockopt, SYS_dup3,    SYS_memfd_create,
    SYS_pipe2,    SYS_clone,     SYS_clone3,  SYS_pidfd_open,
};

}  // namespace

int confine() {
  std::vector<sock_filter> program;
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  constexpr auto count = static_cast<std::uint8_t>(std::size(watched));
  for (std::uint8_t at = 0; at < count; ++at) {
    program.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, watched[at], static_cast<std::uint8_t>(count - at), 0));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  const sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &whole));
}

faulty_kernel::faulty_kernel(fd listener)
    : listener_(std::move(listener)),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      answers_([this] { answer_all(); }) {}

faulty_kernel::~faulty_kernel() {
  const std::uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  answers_.join();
}

void faulty_kernel::arm(pid_t thread, int number, int error) {
  seen_ = 0;
  fails_ = number;
  error_ = error;
  thread_ = thread;
}

int faulty_kernel::disarm() {
  thread_ = 0;
  return seen_;
}

void faulty_kernel::answer_all() {
  for (;;) {
    pollfd look[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(look, 2, -1) < 0 && errno != EINTR) return;
    if (look[1].revents != 0 || (look[0].revents & POLLHUP) != 0) return;
    seccomp_notif asked{};
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) continue;
    seccomp_notif_resp answer{};
    answer.id = asked.id;
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    if (static_cast<pid_t>(asked.pid) == thread_ && seen_++ == fails_) {
      answer.flags = 0;
      answer.error = -error_;
    }
    // It may have been killed meanwhile.
    (void)::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

bool send_descriptor(int socket, int borrowed_fd) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof borrowed_fd)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof borrowed_fd);
  std::memcpy(CMSG_DATA(head), &borrowed_fd, sizeof borrowed_fd);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

fd take_descriptor(int socket) {
  char byte = 0;
  iovec part{&byte, 1};
  int what = -1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof what)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) return {};
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return {};
  std::memcpy(&what, CMSG_DATA(head), sizeof what);
  return fd(what);
}

}  // namespace attack
