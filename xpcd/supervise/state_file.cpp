#include "supervise/state_file.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace openxpc::supervise {

namespace {

constexpr off_t most_file_bytes = 4 << 20;

}  // namespace

failure_of write_whole(int directory, const std::string& name, const void* bytes, std::size_t size,
                       const std::string& what) {
  const std::string fresh = "." + name + ".new";
  base::fd file(::openat(directory, fresh.c_str(),
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return system_trouble(errno, what + " " + name);
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t done = ::write(file.get(), at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      trouble why = system_trouble(errno, what + " " + name);
      ::unlinkat(directory, fresh.c_str(), 0);
      return why;
    }
    at += done;
    size -= static_cast<std::size_t>(done);
  }
  if (::renameat(directory, fresh.c_str(), directory, name.c_str()) < 0) {
    trouble why = system_trouble(errno, what + " " + name);
    ::unlinkat(directory, fresh.c_str(), 0);
    return why;
  }
  return std::nullopt;
}

std::optional<std::string> read_whole(int directory, const std::string& name) {
  base::fd file(::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status;
  if (!file || ::fstat(file.get(), &status) < 0 || !S_ISREG(status.st_mode) ||
      status.st_size > most_file_bytes) {
    return std::nullopt;
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

}  // namespace openxpc::supervise
