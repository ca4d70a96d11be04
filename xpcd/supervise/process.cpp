#include "supervise/process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace openxpc::supervise {

std::optional<std::uint64_t> parse_start_ticks(const char* text, std::size_t size) noexcept {
  // The second field is the program's name in brackets and may hold anything, brackets and blanks
  // too: count from the last one.
  const char* end = text + size;
  const char* at = static_cast<const char*>(::memrchr(text, ')', size));
  if (at == nullptr) return std::nullopt;
  int field = 2;
  while (at < end && field < 22) {
    if (*at++ == ' ') ++field;
  }
  std::uint64_t value = 0;
  const char* first = at;
  while (at < end && *at >= '0' && *at <= '9')
    value = value * 10 + static_cast<unsigned>(*at++ - '0');
  if (at == first) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> start_ticks_of(pid_t pid) noexcept {
  char path[32] = "/proc/";
  char digits[16];
  int count = 0;
  for (pid_t rest = pid; rest > 0; rest /= 10) digits[count++] = static_cast<char>('0' + rest % 10);
  char* out = path + 6;
  while (count > 0) *out++ = digits[--count];
  std::memcpy(out, "/stat", 6);
  const int file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
  if (file < 0) return std::nullopt;
  char text[1024];
  const long got = ::syscall(SYS_read, file, text, sizeof text);
  ::syscall(SYS_close, file);
  if (got <= 0) return std::nullopt;
  return parse_start_ticks(text, static_cast<std::size_t>(got));
}

base::fd open_pidfd(pid_t pid) noexcept {
  return base::fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

std::uint64_t inode_of(int borrowed_pidfd) noexcept {
  struct stat status;
  return ::fstat(borrowed_pidfd, &status) == 0 ? status.st_ino : 0;
}

base::fd open_process(const process_id& who) noexcept {
  if (who.pid <= 0) return {};
  base::fd pidfd = open_pidfd(who.pid);
  if (!pidfd || inode_of(pidfd.get()) != who.pidfd_inode) return {};
  // Read after the pidfd was opened: had the process been replaced before that, the time differs
  // now.
  std::optional<std::uint64_t> start = start_ticks_of(who.pid);
  if (!start || *start != who.start_ticks) return {};
  return pidfd;
}

}  // namespace openxpc::supervise
