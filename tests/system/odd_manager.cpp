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

/// refuse, crash, hang, or be silent; vanish: promise to take over, and let nobody execute it;
/// pause: be an xpcd, but wait before it goes on (until whoever sees PROGRAM.waits writes to
/// PROGRAM.go).
int main(int argc, char** argv) {
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
  if (behaviour == "pause") {
    const std::string own = path;
    if (argc < 2 || std::string(argv[argc - 1]) == "3") ::execv(OPENXPC_XPCD, argv);
    const int told = ::open((own + ".waits").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const int gate = ::open((own + ".go").c_str(), O_RDONLY | O_CLOEXEC);
    char word;
    if (told < 0 || gate < 0 || ::read(gate, &word, 1) != 1) return 71;
    ::execv(OPENXPC_XPCD, argv);
    return 71;
  }
  return 0;
}
