#include "supervise/image.hpp"

#include "base/poll_now.hpp"

#include <climits>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace openxpc::supervise {

file_identity identity_of(int borrowed_fd) noexcept {
  // What the kernel knows, without a word to a file system that may not answer: whoever opened the
  // file has asked.
  struct statx status;
  if (::statx(borrowed_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
              STATX_INO | STATX_SIZE | STATX_MTIME, &status) < 0) {
    return {};
  }
  return {makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino,
          static_cast<off_t>(status.stx_size),
          status.stx_mtime.tv_sec * 1'000'000'000 + status.stx_mtime.tv_nsec};
}

bool is_intact(const program_image& image) noexcept {
  return image.file && identity_of(image.file.get()) == image.what;
}

program_image image_of_process(pid_t pid, int borrowed_pidfd, const char* path) noexcept {
  char link[32];
  std::snprintf(link, sizeof link, "/proc/%d/exe", static_cast<int>(pid));
  program_image image;
  image.file.reset(::open(link, O_PATH | O_CLOEXEC));
  char target[PATH_MAX];
  const ssize_t size = image.file ? ::readlink(link, target, sizeof target - 1) : -1;
  if (size < 0 || base::has_ended(borrowed_pidfd)) return {};
  target[size] = 0;
  // The kernel's word for a file that was replaced since.
  if (char* gone = std::strstr(target, " (deleted)"); gone != nullptr && gone[10] == 0) *gone = 0;
  if (std::strcmp(target, path) != 0) return {};
  image.what = identity_of(image.file.get());
  return image;
}

}  // namespace openxpc::supervise
