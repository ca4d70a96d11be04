#include "bundle/executable.hpp"

#include "base/poll_now.hpp"
#include "supervise/bounded_look.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string_view>

namespace openxpc::bundle {

namespace {

trouble denied(pid_t pid, const std::string& reason) {
  return {trouble::kind::denied, "process " + std::to_string(pid) + ": " + reason, EPERM};
}

/// What a link of /proc leads to, as text; empty with errno.
std::string read_link(const std::string& path) {
  std::string text(PATH_MAX, '\0');
  const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

outcome<executable> look_at(const caller& who) {
  const std::string root = "/proc/" + std::to_string(who.pid);
  executable result;
  result.process.pid = who.pid;
  result.process.pidfd_inode = supervise::inode_of(who.pidfd.get());
  const std::string ours = read_link("/proc/self/ns/mnt");
  const std::string theirs = read_link(root + "/ns/mnt");
  const int namespace_error = errno;
  result.path = read_link(root + "/exe");
  const base::fd file(::open((root + "/exe").c_str(), O_PATH | O_CLOEXEC));
  const int file_error = errno;
  const std::optional<std::uint64_t> started = supervise::start_ticks_of(who.pid);
  // From here on nothing is looked up by the number any more: what was read was this process's.
  if (base::has_ended(who.pidfd.get())) return denied(who.pid, "is gone");
  if (theirs.empty()) return system_trouble(namespace_error, root + "/ns/mnt");
  if (!file || !started) return system_trouble(file_error, root + "/exe");
  if (theirs != ours) {
    return denied(who.pid,
                  "lives in another mount namespace, where the paths of its files mean others");
  }
  struct stat opened, named;
  if (::fstat(file.get(), &opened) < 0) return system_trouble(errno, root + "/exe");
  constexpr std::string_view deleted = " (deleted)";  // what the kernel puts behind such a path
  const bool is_deleted =
      result.path.size() > deleted.size() &&
      result.path.compare(result.path.size() - deleted.size(), deleted.size(), deleted) == 0 &&
      ::access(result.path.c_str(), F_OK) != 0;
  if (opened.st_nlink == 0 || is_deleted) {
    return denied(who.pid, "its executable was deleted: what is beside it cannot be told");
  }
  if (::stat(result.path.c_str(), &named) < 0 || named.st_dev != opened.st_dev ||
      named.st_ino != opened.st_ino) {
    return denied(who.pid, "its executable was moved or replaced: another file is at " +
                               result.path + " now");
  }
  result.process.start_ticks = *started;
  result.device = opened.st_dev;
  result.inode = opened.st_ino;
  return result;
}

/// A look at a process, and what it is known by while it is under way: the link's text is the
/// kernel's, what it leads to may be a file system that never answers.
struct ordered_look {
  std::string path;
  std::function<outcome<executable>()> work;
};

outcome<ordered_look> order_look(const caller& who) {
  if (!who.pidfd || who.pid <= 0) {
    return denied(who.pid, "this kernel does not say for certain who has connected (Linux 6.5)");
  }
  auto copy = std::make_shared<caller>();
  copy->pid = who.pid;
  copy->user = who.user;
  copy->pidfd = base::fd::copy(who.pidfd.get());
  if (!copy->pidfd) return system_trouble(errno, "process " + std::to_string(who.pid));
  const std::string link = "/proc/" + std::to_string(who.pid) + "/exe";
  const std::string path = read_link(link);
  return ordered_look{path.empty() ? link : path, [copy] { return look_at(*copy); }};
}

}  // namespace

void seek_executable(const caller& who, base::function<void(outcome<executable>)> then) {
  outcome<ordered_look> order = order_look(who);
  if (!order) return then(order.error());
  supervise::looks().ask<executable>(order->path, std::move(order->work), std::move(then));
}

outcome<executable> executable_of(const caller& who) {
  outcome<ordered_look> order = order_look(who);
  if (!order) return order.error();
  return supervise::looks().look<executable>(order->path, std::move(order->work));
}

}  // namespace openxpc::bundle
