#include "platform/log_sink.hpp"

#include "base/fd.hpp"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>

// journald takes one datagram a message: lines NAME=value; a value with a newline in it stands
// after its length, 64 bits, little-endian. A socket is opened for each message: daemons close all
// that they do not know, and messages are few.

namespace openxpc::platform {
namespace {

/// Up to so many fields; the values are lent until they are sent.
class datagram {
 public:
  void add(std::string_view name, std::string_view value) noexcept {
    if (used_ + 5 > parts_.size()) return;
    put(name);
    if (value.find('\n') == std::string_view::npos) {
      put("=");
    } else {
      auto& size = sizes_[used_sizes_++];
      for (unsigned i = 0; i < 8; ++i)
        size[i] = static_cast<char>((static_cast<std::uint64_t>(value.size()) >> (8 * i)) & 0xff);
      put("\n");
      put({size.data(), size.size()});
    }
    put(value);
    put("\n");
  }

  bool send(int socket, const sockaddr_un& to, socklen_t to_size) noexcept {
    msghdr header{};
    header.msg_name = const_cast<sockaddr_un*>(&to);
    header.msg_namelen = to_size;
    header.msg_iov = parts_.data();
    header.msg_iovlen = used_;
    ssize_t sent;
    do sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
  }

 private:
  void put(std::string_view bytes) noexcept {
    parts_[used_++] = {const_cast<char*>(bytes.data()), bytes.size()};
  }
  std::array<iovec, 40> parts_{};
  std::array<std::array<char, 8>, 8> sizes_{};
  std::size_t used_ = 0, used_sizes_ = 0;
};

}  // namespace

bool send_to_journal(const char* path, const log_message& what) noexcept {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof to.sun_path) return false;
  std::strcpy(to.sun_path, path);
  base::fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return false;
  const std::array<char, 2> priority{static_cast<char>('0' + what.priority), '\0'};
  char pid[16];
  const int pid_size = std::snprintf(pid, sizeof pid, "%d", ::getpid());
  datagram out;
  out.add("PRIORITY", {priority.data(), 1});
  out.add("SYSLOG_IDENTIFIER", program_invocation_short_name);
  out.add("SYSLOG_PID", {pid, static_cast<std::size_t>(pid_size)});
  if (!what.subsystem.empty()) out.add("OS_LOG_SUBSYSTEM", what.subsystem);
  if (!what.category.empty()) out.add("OS_LOG_CATEGORY", what.category);
  out.add("MESSAGE", what.text);
  return out.send(socket.get(), to, sizeof to);
}

void send_to_syslog(const log_message& what) noexcept {
  const int size = static_cast<int>(what.text.size());
  if (what.subsystem.empty())
    ::syslog(what.priority, "%.*s", size, what.text.data());
  else
    ::syslog(what.priority, "[%.*s:%.*s] %.*s", static_cast<int>(what.subsystem.size()),
             what.subsystem.data(), static_cast<int>(what.category.size()), what.category.data(),
             size, what.text.data());
}

void print_to_stderr(const log_message& what) noexcept {
  char head[512];
  int size =
      std::snprintf(head, sizeof head, "%s[%d] [%.*s:%.*s] ", program_invocation_short_name,
                    ::getpid(), static_cast<int>(what.subsystem.size()), what.subsystem.data(),
                    static_cast<int>(what.category.size()), what.category.data());
  if (size < 0) return;
  if (size > static_cast<int>(sizeof head) - 1) size = sizeof head - 1;
  // One write, so that lines of several threads do not mix.
  char newline = '\n';
  const std::array<iovec, 3> parts{{{head, static_cast<std::size_t>(size)},
                                    {const_cast<char*>(what.text.data()), what.text.size()},
                                    {&newline, 1}}};
  (void)!::writev(STDERR_FILENO, parts.data(), parts.size());
}

}  // namespace openxpc::platform
