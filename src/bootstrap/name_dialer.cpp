#include "bootstrap/name_dialer.hpp"

#include "bootstrap/name.hpp"
#include "bootstrap/unserved.hpp"
#include "channel/socket/socket_transport.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace openxpc::bootstrap {

/// The directory that has the name.
base::fd name_dialer::find(connection::error_ref& why) const {
  if ((why = check_name(name_))) return {};
  auto directories = domain_directories(where_, why);
  if (directories.empty()) return {};
  connection::error_ref first;
  std::string word, guess;
  bool any_domain = false;
  for (const std::string& each : directories) {
    connection::error_ref reason;
    base::fd directory = open_domain(each, reason);
    // A socket unit of systemd needs no service manager of ours behind it.
    if (!directory) directory = open_directory_with(each, name_);
    if (directory) {
      any_domain = true;
      struct stat found{};
      const bool there =
          ::fstatat(directory.get(), name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
      if (there && S_ISSOCK(found.st_mode)) return directory;
      if (!there && errno == EACCES)
        reason = connection::make_error(
            OPENXPC_ERROR_DENIED, "the name " + name_ + " in " + each + " is not for this user");
      else if (word.empty())
        word = why_unserved(directory.get(), name_);
      if (!there && guess.empty()) guess = why_perhaps_unserved(directory.get());
    }
    if (reason && !first) first = reason;
  }
  if (any_domain) {
    std::string searched;
    for (const std::string& each : directories) searched += (searched.empty() ? "" : " or ") + each;
    const std::string text = "there is no service " + name_ + " in " + searched;
    if (word.empty()) word = std::move(guess);
    why = word.empty() ? connection::make_error(OPENXPC_ERROR_NOT_FOUND, text,
                                                "load its job description: xpcctl bootstrap FILE")
                       : connection::make_error(OPENXPC_ERROR_NOT_FOUND, text + ": " + word,
                                                "xpcctl why-not " + name_ + " says more");
  } else {
    why = first;
  }
  return {};
}

void name_dialer::look_beside() {
  if (!where_.own_services_first || beside_ || check_name(name_)) return;
  if (stands_beside(name_) == standing::none) return;
  beside_ = base::make_ref<private_way>(name_);
  beside_->choose_instance(instance_);
}

void name_dialer::of_instance(const unsigned char* uuid) {
  constexpr const char* digits = "0123456789abcdef";
  instance_.clear();
  for (int at = 0; at < 16; ++at) {
    if (at == 4 || at == 6 || at == 8 || at == 10) instance_ += '-';
    instance_ += digits[uuid[at] >> 4];
    instance_ += digits[uuid[at] & 15];
  }
}

/// What stands beside this program is found whatever domain there is; whether it is right is for
/// the service manager to say, with the first message.
connection::error_ref name_dialer::look_up() {
  look_beside();
  if (beside_) return nullptr;
  connection::error_ref why;
  find(why);
  return why;
}

connection::dialer::answer name_dialer::dial(base::instant since) {
  if (beside_) {
    private_way::answer found = beside_->dial(since);
    if (!found.elsewhere) return {std::move(found.socket), std::move(found.failure)};
    beside_ = nullptr;
    where_.own_services_first = false;
  }
  connection::error_ref why;
  base::fd directory = find(why);
  if (!directory) return {{}, std::move(why)};
  base::fd socket = channel::new_socket();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory.get(),
                name_.c_str());
  int result = -1;
  if (socket) do
      result = ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    while (result != 0 && errno == EINTR);
  if (result == 0) return {std::move(socket), nullptr};
  switch (errno) {
    case EAGAIN:
    case ENOENT:
      return {};  // The queue is full; or the name was just replaced: look it up again.
    case ECONNREFUSED:
      if (base::boot_clock::now() - since < patience) return {};
      return {{},
              connection::make_error(
                  OPENXPC_ERROR_NO_DOMAIN,
                  "nobody answers for the service " + name_ + ": its service manager is gone",
                  "start it again: xpcd --domain DIR")};
    case EACCES:
    case EPERM:
      return {{},
              connection::make_error(OPENXPC_ERROR_DENIED,
                                     "the name " + name_ + " is not for this user")};
    case EMFILE:
    case ENFILE:
      return {{},
              connection::make_error(OPENXPC_ERROR_NO_RESOURCES,
                                     "no descriptor is free for a connection",
                                     "raise the limit: ulimit -n")};
    default:
      return {
          {},
          connection::make_error(OPENXPC_ERROR_NO_RESOURCES,
                                 "connecting to " + name_ + " failed: " + std::strerror(errno))};
  }
}

}  // namespace openxpc::bootstrap
