#include "control/given_socket.hpp"

#include "domain/socket_diag.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace openxpc::control {

namespace {

constexpr int first_given = 3;  // sd_listen_fds(3)
constexpr std::string_view descriptor_name = "control";

int take_number(const char* variable) {
  const char* text = std::getenv(variable);
  int number = -1;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), number);
  ::unsetenv(variable);
  return number;
}

}  // namespace

given_socket take_given_socket(const domain::directory& directory) {
  const bool ours = take_number("LISTEN_PID") == ::getpid();
  const int count = take_number("LISTEN_FDS");
  const char* text = std::getenv("LISTEN_FDNAMES");
  const std::string all_names = text == nullptr ? "" : text;
  ::unsetenv("LISTEN_FDNAMES");
  given_socket result;
  if (!ours) return result;
  std::string_view names = all_names;
  for (int number = first_given; number < first_given + count; ++number) {
    base::fd given(number);
    const std::size_t colon = names.find(':');
    const std::string_view name = names.substr(0, colon);
    names = colon == std::string_view::npos ? std::string_view() : names.substr(colon + 1);
    struct stat file;
    if (name != descriptor_name) {
      result.unfit = "the socket " + std::string(name) + " is not for xpcd; its name is " +
                     std::string(descriptor_name);
    } else if (!directory.stat_name(domain::control_name, &file) ||
               !domain::is_listener_of_file(given.get(), file)) {
      result.unfit = "the socket " + std::string(name) + " is not that of " + directory.path() +
                     "/" + std::string(domain::control_name);
    } else {
      // Of a socket unit; what was sent before carries no credentials otherwise.
      const int on = 1;
      ::setsockopt(given.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
      ::fcntl(given.get(), F_SETFD, FD_CLOEXEC);
      ::fcntl(given.get(), F_SETFL, ::fcntl(given.get(), F_GETFL) | O_NONBLOCK);
      result.bound.socket = std::move(given);
      // Whoever made the file removes it: it is not known by its inode here.
    }
  }
  return result;
}

}  // namespace openxpc::control
