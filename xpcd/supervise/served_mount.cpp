#include "supervise/served_mount.hpp"

#include "supervise/mount_table.hpp"

#include <limits.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace openxpc::supervise {

namespace {

bool is_served(std::string_view type) {
  for (std::string_view one :
       {"fuse", "nfs", "cifs", "smb", "9p", "virtiofs", "ceph", "afs", "autofs"})
    if (type.substr(0, one.size()) == one) return true;
  return false;
}

/// Not those that lie over others (overlay), nor devices: to open one may take as long as it likes.
bool is_own(std::string_view type) {
  for (std::string_view one : {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "zfs",
                               "squashfs", "erofs", "tmpfs", "ramfs"})
    if (type == one) return true;
  return false;
}

std::string mounted_now() {
  std::stringstream table;
  table << std::ifstream("/proc/self/mountinfo").rdbuf();
  return table.str();
}

}  // namespace

std::string served_mount_of(std::string_view mountinfo, const std::string& path) {
  std::string found;
  bool served = false;
  for (const mounted& one : mount_table(mountinfo)) {
    // A later one at the same place lies above the one before it.
    if (one.point.size() < found.size() || !is_below(path, one.point == "/" ? "" : one.point))
      continue;
    found = one.point;
    served = is_served(one.type);
  }
  return served ? found : std::string();
}

std::string served_mount_of(const std::string& path) {
  return served_mount_of(mounted_now(), path);
}

bool is_own_mount(std::string_view mountinfo, const std::string& path) {
  bool found = false;
  for (const mounted& one : mount_table(mountinfo)) {
    if (one.point != path) continue;
    if (!is_own(one.type)) return false;  // the way to one above it leads past it
    found = true;
  }
  return found;
}

bool is_own_mount(const std::string& path) { return is_own_mount(mounted_now(), path); }

std::string served_mount_of(int borrowed_file) {
  char path[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(borrowed_file);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  if (size <= 0 || path[0] != '/') return {};
  return served_mount_of(std::string(path, static_cast<std::size_t>(size)));
}

}  // namespace openxpc::supervise
