// A program that is no xpcd, for whoever would become it: what it does stands behind the last '@'
// of its own file.

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

std::string own_behaviour(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (file < 0 || ::fstat(file, &status) < 0) return {};
  char text[64];
  const ssize_t got =
      ::pread(file, text, sizeof text, status.st_size - static_cast<off_t>(sizeof text));
  ::close(file);
  const std::string tail(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t at = tail.rfind('@');
  return at == std::string::npos ? "" : tail.substr(at + 1);
}

}  // namespace

/// refuse, crash, hang, or be silent; vanish: promise to take over, and let nobody execute it.
int main() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path - 1);
  if (size < 0) return 71;
  path[size] = 0;
  const std::string behaviour = own_behaviour(path);
  if (behaviour == "refuse") {
    std::fprintf(stderr, "xpcd: cannot read format 1\n");
    return 65;
  }
  if (behaviour == "crash") std::abort();
  while (behaviour == "hang") ::pause();
  if (behaviour == "vanish") {
    if (::chmod(path, 0) < 0) return 71;
    std::puts("xpcd 9.9 can take 1 jobs over");
  }
  return 0;
}
