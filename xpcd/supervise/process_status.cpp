#include "supervise/process_status.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace openxpc::supervise {

std::string read_proc_file(int borrowed_directory, const char* name) {
  constexpr std::size_t most_bytes = 1 << 20, at_once = 4096;
  const base::fd file(::openat(borrowed_directory, name, O_RDONLY | O_CLOEXEC));
  std::string all;
  while (file && all.size() < most_bytes) {
    const std::size_t size = all.size();
    all.resize(size + at_once);
    const ssize_t got = ::read(file.get(), all.data() + size, at_once);
    all.resize(size + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got <= 0) break;
  }
  return all;
}

std::string_view status_line(std::string_view status, std::string_view key) {
  for (std::size_t at = 0; at < status.size();) {
    const std::size_t end = std::min(status.find('\n', at), status.size());
    const std::string_view line = status.substr(at, end - at);
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':')
      return line.substr(key.size() + 1);
    at = end + 1;
  }
  return {};
}

}  // namespace openxpc::supervise
