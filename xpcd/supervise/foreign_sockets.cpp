#include "supervise/foreign_sockets.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>

namespace openxpc::supervise {

namespace {

constexpr std::size_t most_sockets = 4096;

struct close_list {
  void operator()(DIR* list) const noexcept { ::closedir(list); }
};

}  // namespace

outcome<std::vector<base::fd>> sockets_of_process(pid_t pid, int borrowed_pidfd) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd";
  const std::unique_ptr<DIR, close_list> list(::opendir(path.c_str()));
  if (!list) return system_trouble(errno, path);
  std::vector<base::fd> result;
  std::set<ino_t> seen;
  while (const dirent* entry = ::readdir(list.get())) {
    char target[64] = {};
    if (::readlinkat(::dirfd(list.get()), entry->d_name, target, sizeof target - 1) < 0 ||
        std::strncmp(target, "socket:", 7) != 0) {
      continue;
    }
    base::fd copy(
        static_cast<int>(::syscall(SYS_pidfd_getfd, borrowed_pidfd, std::atoi(entry->d_name), 0)));
    if (!copy && errno == EBADF) continue;  // closed meanwhile
    if (!copy) return system_trouble(errno, "descriptors of process " + std::to_string(pid));
    struct stat status;
    if (::fstat(copy.get(), &status) < 0 || !S_ISSOCK(status.st_mode)) continue;
    if (!seen.insert(status.st_ino).second) continue;
    result.push_back(std::move(copy));
    if (result.size() == most_sockets) break;
  }
  return result;
}

}  // namespace openxpc::supervise
