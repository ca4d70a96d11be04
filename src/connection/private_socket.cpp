#include "connection/private_socket.hpp"

#include "base/same_errno.hpp"
#include "channel/socket/socket_transport.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace openxpc::connection {
namespace {

constexpr int waiting_clients_most = 4096;  // the kernel lowers it to net.core.somaxconn

sockaddr_un address_below(int directory_fd, const char* name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // Through the descriptor, so that neither a long path nor a renamed directory matters.
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory_fd,
                name);
  return address;
}

bool bind_in(const char* parent, private_socket& made) noexcept {
  char path[128];
  if (std::snprintf(path, sizeof path, "%s/xpc-XXXXXX", parent) >= static_cast<int>(sizeof path))
    return false;
  if (!::mkdtemp(path)) return false;
  base::fd directory(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  base::fd socket = channel::new_socket();
  sockaddr_un address = address_below(directory.get(), "s");
  bool bound = directory && socket &&
               ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (bound && ::listen(socket.get(), waiting_clients_most) == 0) {
    made.path = base::fd(::openat(directory.get(), "s", O_PATH | O_CLOEXEC | O_NOFOLLOW));
    if (made.path) made.listening = std::move(socket);
  }
  const base::same_errno kept;
  if (bound) ::unlinkat(directory.get(), "s", 0);
  ::rmdir(path);
  return static_cast<bool>(made.listening);
}

}  // namespace

private_socket make_private_socket() noexcept {
  private_socket made;
  const char* preferred = ::secure_getenv("TMPDIR");
  for (const char* parent : {preferred, "/tmp", "/var/tmp", "/dev/shm", "/run"})
    if (parent && *parent && bind_in(parent, made)) break;
  return made;
}

base::fd connect_to_path(int borrowed_path_fd) noexcept {
  base::fd socket = channel::new_socket();
  if (!socket) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", borrowed_path_fd);
  int result;
  do result = ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  while (result != 0 && errno == EINTR);
  if (result != 0) return {};
  return socket;
}

}  // namespace openxpc::connection
