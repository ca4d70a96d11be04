#include "domain/directory.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace openxpc::domain {

namespace {

constexpr const char* lock_name = ".lock";
constexpr const char* run_name = ".run";

/// The name while it is not yet seen. Names do not start with a dot, so nobody's name can be this
/// one.
std::string unseen(std::string_view name) {
  std::string file(name.front() == '.' ? "" : ".");
  file += name;
  return file + ".new";
}

/// The same for the next generation, which may stay unseen for a while.
std::string unseen_next(std::string_view name) { return "." + std::string(name) + ".next"; }

base::fd open_without_links(int at, const char* path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_NO_SYMLINKS;
  return base::fd(static_cast<int>(::syscall(SYS_openat2, at, path, &how, sizeof how)));
}

/// Who wrote his pid into the lock, as text; empty when unknown.
std::string holder_of(int lock) {
  char text[32];
  ssize_t got = ::pread(lock, text, sizeof text - 1, 0);
  if (got <= 0) return {};
  text[got] = 0;
  return std::string(text, std::strcspn(text, "\n"));
}

}  // namespace

outcome<directory> directory::open(const std::string& path, bool system) {
  directory result;
  result.path_ = path;
  result.system_ = system;
  if (::mkdir(path.c_str(), system ? 0755 : 0700) == 0) {
    result.made_it_ = true;
  } else if (errno != EEXIST) {
    return system_trouble(errno, path);
  }
  base::fd opened = open_without_links(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!opened) {
    if (errno == ELOOP) {
      return trouble{trouble::kind::denied,
                     path + ": the path goes through a symbolic link; give the real path", ELOOP};
    }
    return system_trouble(errno, path);
  }
  result.fd_ = std::move(opened);
  struct stat status;
  if (::fstat(result.fd_.get(), &status) < 0) return system_trouble(errno, path);
  if (status.st_uid != ::geteuid()) {
    return trouble{trouble::kind::denied, path + ": belongs to uid " +
                                              std::to_string(status.st_uid) + ", not to " +
                                              std::to_string(::geteuid())};
  }
  if (status.st_mode & 022) {
    return trouble{trouble::kind::denied,
                   path + ": others may write there; chmod go-w it, or name another directory"};
  }
  result.open_to_all_ = (status.st_mode & 011) != 0;

  result.lock_.reset(
      ::openat(result.fd_.get(), lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!result.lock_) return system_trouble(errno, path + "/" + lock_name);
  if (::flock(result.lock_.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK) return system_trouble(errno, path + "/" + lock_name);
    std::string who = holder_of(result.lock_.get());
    return trouble{trouble::kind::conflict, path + ": another xpcd serves this domain" +
                                                (who.empty() ? "" : " (pid " + who + ")")};
  }
  std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(result.lock_.get(), 0) < 0 ||
      ::pwrite(result.lock_.get(), pid.data(), pid.size(), 0) < 0) {
    return system_trouble(errno, path + "/" + lock_name);
  }
  if (::mkdirat(result.fd_.get(), run_name, 0700) < 0 && errno != EEXIST) {
    return system_trouble(errno, path + "/" + run_name);
  }
  result.run_fd_ = open_without_links(result.fd_.get(), run_name, O_RDONLY | O_DIRECTORY);
  if (!result.run_fd_) return system_trouble(errno, path + "/" + run_name);
  return result;
}

outcome<directory> directory::resume(const std::string& path, bool system, parts from) {
  directory result;
  result.path_ = path;
  result.system_ = system;
  result.made_it_ = from.made_it;
  result.fd_ = std::move(from.directory);
  result.lock_ = std::move(from.lock);
  result.run_fd_ = std::move(from.run);
  struct stat status;
  if (!result.fd_ || !result.lock_ || !result.run_fd_ || ::fstat(result.fd_.get(), &status) < 0) {
    return trouble{trouble::kind::bad_input,
                   path + ": the xpcd before this one did not hand it over"};
  }
  result.open_to_all_ = (status.st_mode & 011) != 0;
  return result;
}

std::string directory::socket_path(std::string_view file) const {
  return "/proc/self/fd/" + std::to_string(fd_.get()) + "/" + std::string(file);
}

outcome<bound_name> directory::bind_unseen(std::string_view name, const std::string& hidden) const {
  const std::string where = path_ + "/" + std::string(name);
  struct stat before;
  if (stat_name(name, &before) && !S_ISSOCK(before.st_mode)) {
    return trouble{trouble::kind::conflict, where + ": a file that is no socket has this name"};
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string bound_path = socket_path(hidden);
  if (bound_path.size() >= sizeof address.sun_path) {
    return trouble{trouble::kind::bad_input, where + ": the name is too long", ENAMETOOLONG};
  }
  std::memcpy(address.sun_path, bound_path.c_str(), bound_path.size() + 1);

  base::fd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!listener || ::setsockopt(listener.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) {
    return system_trouble(errno, where);
  }
  const auto bind = [&] {
    return ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  };
  // An xpcd that was killed may have left one.
  if (!bind() && (errno != EADDRINUSE || ::unlinkat(fd_.get(), hidden.c_str(), 0) < 0 || !bind())) {
    return system_trouble(errno, where);
  }
  // Whoever may enter the directory may connect to a service. The control interface is the owner's,
  // but that of the system everybody may ask, and jobs of other users check in there.
  struct stat file;
  const mode_t mode = open_to_all_ && (name != control_name || system_) ? 0666 : 0600;
  if (::fchmodat(fd_.get(), hidden.c_str(), mode, 0) < 0 || ::listen(listener.get(), backlog) < 0 ||
      !stat_name(hidden, &file)) {
    trouble why = system_trouble(errno, where);
    ::unlinkat(fd_.get(), hidden.c_str(), 0);
    return why;
  }
  return bound_name{std::move(listener), file.st_dev, file.st_ino};
}

failure_of directory::rename_over(std::string_view name, const std::string& hidden) const {
  const std::string seen(name);
  if (::renameat(fd_.get(), hidden.c_str(), fd_.get(), seen.c_str()) == 0) return std::nullopt;
  trouble why = system_trouble(errno, path_ + "/" + seen);
  ::unlinkat(fd_.get(), hidden.c_str(), 0);
  return why;
}

outcome<bound_name> directory::publish(std::string_view name) const {
  outcome<bound_name> bound = bind_unseen(name, unseen(name));
  if (!bound) return bound;
  if (failure_of why = rename_over(name, unseen(name))) return *why;
  return bound;
}

outcome<bound_name> directory::prepare(std::string_view name) const {
  return bind_unseen(name, unseen_next(name));
}

bool directory::rename(const std::string& from, const std::string& to,
                       unsigned flags) const noexcept {
  return ::renameat2(fd_.get(), from.c_str(), fd_.get(), to.c_str(), flags) == 0;
}

/// The two files change places, so that it can be taken back; a name without a file gets one. False
/// with errno.
bool directory::swap_in(const std::string& name) const noexcept {
  const std::string next = unseen_next(name);
  if (rename(next, name, RENAME_EXCHANGE)) return true;
  if (errno == ENOENT) return rename(next, name, RENAME_NOREPLACE);
  return errno == EINVAL && rename(next, name, 0);  // not every file system can do that
}

void directory::swap_out(const std::string& name) const noexcept {
  const std::string next = unseen_next(name);
  if (!rename(next, name, RENAME_EXCHANGE) && errno == ENOENT) rename(name, next, RENAME_NOREPLACE);
}

failure_of directory::reveal(const std::vector<std::string>& names) const {
  failure_of why;
  std::size_t done = 0;
  while (done < names.size() && swap_in(names[done])) ++done;
  if (done < names.size()) {
    why = system_trouble(errno, path_ + "/" + names[done]);
    while (done > 0) swap_out(names[--done]);
  }
  // What they led to before, or what has come to nothing.
  for (const std::string& name : names) discard(name);
  return why;
}

void directory::discard(std::string_view name) const noexcept {
  ::unlinkat(fd_.get(), unseen_next(name).c_str(), 0);
}

void directory::withdraw(std::string_view name, const bound_name& bound) const noexcept {
  struct stat file;
  const std::string where = file_of(name, bound.hidden);
  if (stat_name(where, &file) && file.st_dev == bound.device && file.st_ino == bound.inode) {
    ::unlinkat(fd_.get(), where.c_str(), 0);
  }
}

bool directory::stat_name(std::string_view name, struct stat* out) const noexcept {
  return ::fstatat(fd_.get(), std::string(name).c_str(), out, AT_SYMLINK_NOFOLLOW) == 0;
}

base::fd directory::connect(std::string_view name) const noexcept {
  base::fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket_path(name);
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return {};
  return socket;
}

bool directory::is_in_place() const noexcept {
  // A look that fails for another reason, such as want of memory, says nothing.
  const auto is_gone = [] { return errno == ENOENT || errno == ENOTDIR; };
  struct stat lock, file, here, there;
  if (::fstat(lock_.get(), &lock) != 0 || ::fstat(fd_.get(), &here) != 0) return true;
  if (lock.st_nlink == 0) return false;
  if (!stat_name(lock_name, &file)) return !is_gone();
  if (::lstat(path_.c_str(), &there) != 0) return !is_gone();
  return file.st_ino == lock.st_ino && file.st_dev == lock.st_dev && here.st_ino == there.st_ino &&
         here.st_dev == there.st_dev;
}

void directory::remove_traces() noexcept {
  ::unlinkat(fd_.get(), run_name, AT_REMOVEDIR);
  // The lock goes last and by name: who waits to open it afterwards makes a new one.
  if (is_in_place()) {
    ::unlinkat(fd_.get(), lock_name, 0);
    if (made_it_) ::rmdir(path_.c_str());
  }
}

}  // namespace openxpc::domain
