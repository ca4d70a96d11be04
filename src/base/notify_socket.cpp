#include "base/notify_socket.hpp"

#include "base/fd.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace openxpc::base {
namespace {

std::uint64_t number_in(const char* variable) noexcept {
  const char* text = ::secure_getenv(variable);
  if (text == nullptr) return 0;
  std::uint64_t number = 0;
  const char* end = text + std::strlen(text);
  auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc() && stop == end ? number : 0;
}

}  // namespace

notify_socket::notify_socket() noexcept {
  const char* path = ::secure_getenv("NOTIFY_SOCKET");
  const std::size_t length = path == nullptr ? 0 : std::strlen(path);
  // A path, or a name in the abstract namespace, whose first byte is written as @.
  if (length < 2 || length >= sizeof address_.sun_path || (path[0] != '/' && path[0] != '@'))
    return;
  address_.sun_family = AF_UNIX;
  std::memcpy(address_.sun_path, path, length);
  if (path[0] == '@') address_.sun_path[0] = 0;
  size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  const std::uint64_t process = number_in("WATCHDOG_PID");
  if (process == 0 || process == static_cast<std::uint64_t>(::getpid())) {
    constexpr std::uint64_t a_year = 365ULL * 24 * 3600 * 1000000;
    sign_of_life_ = std::chrono::microseconds(std::min(number_in("WATCHDOG_USEC"), a_year) / 2);
  }
}

void notify_socket::tell(std::string_view what) const noexcept {
  if (size_ == 0) return;
  const fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const timeval most{patience.count(), 0};
  const bool comes_again = what == "WATCHDOG=1";
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most) != 0)
    return;
  while (::sendto(socket.get(), what.data(), what.size(),
                  MSG_NOSIGNAL | (comes_again ? MSG_DONTWAIT : 0),
                  reinterpret_cast<const sockaddr*>(&address_), size_) < 0 &&
         errno == EINTR) {
  }
}

}  // namespace openxpc::base
