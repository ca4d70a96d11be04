#pragma once

#include "base/fd.hpp"

#include <sys/types.h>

#include <cstdint>

/// Which version of an executable: what a process runs, told apart from what is at its path now.
namespace openxpc::supervise {

/// A file and its content, as far as a look at it without reading tells. Not its ctime: the
/// installation of a new version beside it, or its removal, changes that.
struct file_identity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;  // since 1970
  friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// All zero when the kernel does not tell.
file_identity identity_of(int borrowed_fd) noexcept;

/// What a process was started from.
struct program_image {
  base::fd file;  // for execveat; empty for a script, whose interpreter alone could be held
  file_identity what;
  bool on_trial = false;  // never checked in yet, while another one did
  bool held = false;      // not what is at the path: the one that checked in last
};

/// True if the file can be started again and is the same version still: nobody wrote into it.
bool is_intact(const program_image& image) noexcept;

/// The executable of a living process, if it is the file that `path` leads to or led to. Empty when
/// it is another one (the interpreter of a script), or may not be looked at.
/// @param borrowed_pidfd  the process must be alive after the look
program_image image_of_process(pid_t pid, int borrowed_pidfd, const char* path) noexcept;

}  // namespace openxpc::supervise
