#include "supervise/job_root.hpp"

#include "supervise/trusted_path.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace openxpc::supervise {

outcome<base::fd> open_job_root(const std::string& path) {
  outcome<base::fd> root = open_trusted(path);
  struct stat status;
  if (root && (::fstat(root->get(), &status) < 0 || !S_ISDIR(status.st_mode)))
    root = system_trouble(ENOTDIR, path);
  if (root) return root;
  trouble why = root.error();
  why.text = "RootDirectory " + why.text;
  return why;
}

base::fd enclosed_directory(int borrowed_directory) noexcept {
  return base::fd(static_cast<int>(::syscall(SYS_open_tree, borrowed_directory, "",
                                             OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)));
}

}  // namespace openxpc::supervise
