#include "sockets.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "work.hpp"

namespace pair_bench {

void give_up(const char* what) {
  std::perror(what);
  std::exit(70);
}

void pass_descriptor(int socket, int what) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof what)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof what);
  std::memcpy(CMSG_DATA(head), &what, sizeof what);
  if (::sendmsg(socket, &message, MSG_NOSIGNAL) != 1) give_up("passing a descriptor");
}

int take_descriptor(int socket) {
  char byte;
  iovec part{&byte, 1};
  int what = -1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof what)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) give_up("taking a descriptor");
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (!head || head->cmsg_type != SCM_RIGHTS) give_up("no descriptor came");
  std::memcpy(&what, CMSG_DATA(head), sizeof what);
  return what;
}

door open_door() {
  char directory[] = "/tmp/pair-bench-XXXXXX";
  if (!::mkdtemp(directory)) give_up("mkdtemp");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s/s", directory);
  door made{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), -1};
  if (::bind(made.listening, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(made.listening, 1024) != 0)
    give_up("bind");
  made.path = ::open(address.sun_path, O_PATH | O_CLOEXEC);
  ::unlink(address.sun_path);
  ::rmdir(directory);
  return made;
}

int connect_through(int path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", path);
  int made = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (made < 0) give_up("socket");
  if (::connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    give_up("connect");
  return made;
}

}  // namespace pair_bench
