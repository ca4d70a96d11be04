#include "base/fd.hpp"

#include <fcntl.h>
#include <libproc.h>
#include <limits.h>
#include <mach-o/dyld.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace {

using path_buffer = std::array<char, PATH_MAX>;

/// What a link of /proc says; empty with errno set when it says nothing, or too much.
std::string_view read_link(const char* link, path_buffer& path) noexcept {
  const ssize_t length = ::readlink(link, path.data(), path.size());
  if (length >= 0 && static_cast<std::size_t>(length) < path.size())
    return {path.data(), static_cast<std::size_t>(length)};
  if (length >= 0) errno = ENAMETOOLONG;
  return {};
}

/// A path below /proc/PID.
struct of_process {
  of_process(int pid, const char* what) noexcept {
    std::snprintf(text, sizeof text, "/proc/%d/%s", pid, what);
  }
  char text[32];
};

void store(std::string_view text, void* buffer) noexcept {
  std::memcpy(buffer, text.data(), text.size());
  static_cast<char*>(buffer)[text.size()] = '\0';
}

}  // namespace

int _NSGetExecutablePath(char* buffer, uint32_t* size) {
  path_buffer path;
  const std::string_view found = read_link("/proc/self/exe", path);
  if (found.empty()) return -1;
  const auto needed = static_cast<std::uint32_t>(found.size()) + 1;
  if (needed > *size) {
    *size = needed;
    return -1;
  }
  store(found, buffer);
  return 0;
}

int proc_pidpath(int pid, void* buffer, uint32_t size) {
  path_buffer path;
  const std::string_view found = read_link(of_process(pid, "exe").text, path);
  if (found.empty()) {
    if (errno == ENOENT) errno = ESRCH;
    return 0;
  }
  if (found.size() >= size) {
    errno = ENOMEM;
    return 0;
  }
  store(found, buffer);
  return static_cast<int>(found.size());
}

int proc_name(int pid, void* buffer, uint32_t size) {
  openxpc::base::fd file(::open(of_process(pid, "comm").text, O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text;
  const ssize_t length = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (length < 0 || size == 0) {
    if (length < 0 && errno == ENOENT) errno = ESRCH;
    if (length >= 0) errno = ENOMEM;
    return 0;
  }
  std::string_view name(text.data(), static_cast<std::size_t>(length));
  if (!name.empty() && name.back() == '\n') name.remove_suffix(1);
  if (name.size() >= size) name = name.substr(0, size - 1);
  store(name, buffer);
  return static_cast<int>(name.size());
}
