#include "bootstrap/unserved.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace openxpc::bootstrap {
namespace {

constexpr std::size_t most_bytes = 1024;

/// What the file in `.why` says behind its first line, which is for the service manager itself.
/// Only what whoever has the directory, or root, has written.
std::string left_word(int borrowed_directory, const std::string& name) {
  const base::fd directory(
      ::openat(borrowed_directory, ".why", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory) return {};
  const base::fd file(::openat(directory.get(), name.c_str(),
                               O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat domain{}, found{};
  if (!file || ::fstat(borrowed_directory, &domain) != 0 || ::fstat(file.get(), &found) != 0 ||
      !S_ISREG(found.st_mode) || (found.st_uid != 0 && found.st_uid != domain.st_uid)) {
    return {};
  }
  std::string text(most_bytes, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t first = text.find('\n');
  if (first == std::string::npos) return {};
  text = text.substr(first + 1, text.find('\n', first + 1) - first - 1);
  for (char& each : text) {
    if (static_cast<unsigned char>(each) < 0x20 || each == 0x7f) each = '?';
  }
  return text;
}

}  // namespace

std::string why_unserved(int borrowed_directory, const std::string& name) {
  struct stat found{};
  if (::fstatat(borrowed_directory, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
    return "another file took the place of its socket";
  }
  if (::fstatat(borrowed_directory, ("." + name + ".hidden").c_str(), &found,
                AT_SYMLINK_NOFOLLOW) == 0) {
    return "it is hidden until its service checks in";
  }
  return left_word(borrowed_directory, name);
}

std::string why_perhaps_unserved(int borrowed_directory) {
  return left_word(borrowed_directory, ".any");
}

}  // namespace openxpc::bootstrap
