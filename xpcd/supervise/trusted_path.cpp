#include "supervise/trusted_path.hpp"

#include "supervise/served_mount.hpp"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <vector>

namespace openxpc::supervise {

namespace {

constexpr int most_links = 40;  // as many as the kernel follows

/// The parts of a path in front of those that are left.
void prepend(const std::string& path, std::deque<std::string>* left) {
  std::deque<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, end - at);
    if (!part.empty() && part != ".") parts.push_back(part);
    at = end + 1;
  }
  left->insert(left->begin(), parts.begin(), parts.end());
}

failure_of judge(const struct stat& status, const std::string& path, uid_t owner) {
  if (status.st_uid != 0 && status.st_uid != owner) {
    return trouble{trouble::kind::denied,
                   path + ": belongs to uid " + std::to_string(status.st_uid) +
                       (owner == 0 ? ", in the system domain it must be root's"
                                   : ", it must be root's or that of uid " + std::to_string(owner)),
                   EPERM};
  }
  const bool sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  if (!S_ISLNK(status.st_mode) && (status.st_mode & 022) != 0 && !sticky) {
    return trouble{
        trouble::kind::denied,
        path + (owner == 0 ? ": others than root may write there, in the system domain nobody may"
                           : ": others than root and uid " + std::to_string(owner) +
                                 " may write there, nobody may"),
        EPERM};
  }
  return std::nullopt;
}

outcome<std::string> target_of(int borrowed_link, const std::string& path) {
  std::string text(PATH_MAX, '\0');
  const ssize_t size = ::readlinkat(borrowed_link, "", text.data(), text.size());
  if (size < 0) return system_trouble(errno, path);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

outcome<base::fd> open_root() {
  base::fd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return system_trouble(errno, "/");
  return root;
}

/// A directory on the way, or what the way leads to.
struct place {
  base::fd at;
  std::string path;  // for messages
  bool is_directory = true;
};

base::fd open_how_given(int borrowed_directory, const std::string& path, std::uint64_t flags,
                        std::uint64_t resolve) {
  open_how how{};
  how.flags = flags | O_PATH | O_CLOEXEC;
  how.resolve = resolve;
  return base::fd(
      static_cast<int>(::syscall(SYS_openat2, borrowed_directory, path.c_str(), &how, sizeof how)));
}

/// @param here  the whole path of the step
base::fd open_step(int borrowed_directory, const std::string& name, const std::string& here,
                   reach how_far) {
  if (how_far == reach::anywhere)
    return base::fd(::openat(borrowed_directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  base::fd next = open_how_given(borrowed_directory, name, O_NOFOLLOW, RESOLVE_NO_XDEV);
  if (next || errno != EXDEV) return next;
  if (is_own_mount(here)) return open_how_given(borrowed_directory, name, O_NOFOLLOW, 0);
  errno = EXDEV;
  return next;
}

/// The places since the root are kept, so that ".." goes back to what was looked at.
outcome<base::fd> walk(outcome<base::fd> root, const std::string& path, uid_t owner,
                       reach how_far = reach::anywhere) {
  if (path.empty() || path.front() != '/') {
    return trouble{trouble::kind::bad_input, path + ": is not an absolute path", EINVAL};
  }
  if (!root) return root.error();
  std::vector<place> way;
  way.push_back({std::move(*root), {}});
  std::deque<std::string> left;
  prepend(path, &left);
  int links = 0;
  while (!left.empty()) {
    const std::string part = left.front();
    left.pop_front();
    const std::string here = way.back().path + "/" + part;
    if (!way.back().is_directory) return system_trouble(ENOTDIR, here);
    if (part == "..") {
      if (way.size() > 1) way.pop_back();
      continue;
    }
    base::fd next = open_step(way.back().at.get(), part, here, how_far);
    struct stat status;
    if (!next || ::fstat(next.get(), &status) < 0) return system_trouble(errno, here);
    if (failure_of why = judge(status, here, owner)) return *why;
    if (!S_ISLNK(status.st_mode)) {
      way.push_back({std::move(next), here, S_ISDIR(status.st_mode)});
      continue;
    }
    if (++links > most_links) return system_trouble(ELOOP, path);
    outcome<std::string> target = target_of(next.get(), here);
    if (!target) return target.error();
    prepend(*target, &left);
    if (!target->empty() && target->front() == '/') way.resize(1);
  }
  return std::move(way.back().at);
}

}  // namespace

outcome<base::fd> open_trusted(const std::string& path, reach how_far) {
  return walk(open_root(), path, 0, how_far);
}

outcome<base::fd> open_owned(const std::string& path, uid_t owner) {
  return walk(open_root(), path, owner);
}

bool is_near(const std::string& path) {
  return static_cast<bool>(walk(open_root(), path, ::geteuid(), reach::near));
}

base::fd open_near(const std::string& path) {
  // RESOLVE_CACHED: what is not in memory is not asked for, so that no automounter is, either.
  // Relative, it would begin where xpcd happens to be.
  if (!path.empty() && path.front() == '/') {
    base::fd found = open_how_given(AT_FDCWD, path, 0, RESOLVE_CACHED | RESOLVE_NO_XDEV);
    if (found) return found;
  }
  outcome<base::fd> walked = walk(open_root(), path, ::geteuid(), reach::near);
  return walked ? std::move(*walked) : base::fd();
}

outcome<base::fd> open_trusted_in(int borrowed_root, const std::string& path) {
  base::fd root = base::fd::copy(borrowed_root);
  if (!root) return system_trouble(errno, "/");
  return walk(std::move(root), path, 0);
}

outcome<base::fd> open_trusted_parent(const std::string& path, std::string* name) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return trouble{trouble::kind::bad_input, path + ": is not an absolute path", EINVAL};
  }
  *name = path.substr(slash + 1);
  return open_trusted(slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace openxpc::supervise
