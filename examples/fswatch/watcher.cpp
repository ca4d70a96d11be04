#include "watcher.hpp"

#include <dirent.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

// inotify reports directories one by one. A directory that appears is watched first and read
// second, so that what is made in it meanwhile is seen twice rather than not at all; `known_` makes
// the second sight silent. A rename is two records with one cookie, nearly always side by side; the
// first half waits for the second until the kernel has nothing more to say.
namespace fswatch {
namespace {

constexpr std::uint32_t wanted = IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM |
                                 IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR | IN_DONT_FOLLOW |
                                 IN_EXCL_UNLINK;
constexpr int wait_for_second_half_ms = 20;

std::string clean(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool is_below(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.compare(0, directory.size(), directory) == 0 &&
         path[directory.size()] == '/';
}

/// The first path behind `directory` and everything below it, in the order of a std::map or
/// std::set.
std::string end_of(const std::string& directory) { return directory + char('/' + 1); }

}  // namespace

watcher::watcher(std::function<void(event)> seen)
    : seen_(std::move(seen)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      wake_(::eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this] { run(); });
}

watcher::~watcher() {
  std::uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
  thread_.join();
  ::close(inotify_);
  ::close(wake_);
}

xpc::result<void> watcher::add(const std::string& tree) {
  std::string path = clean(tree);
  if (path.empty() || path.front() != '/')
    return xpc::failure(xpc::errc::invalid_argument, "\"" + tree + "\" is no absolute path");
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0)
    return xpc::failure(std::error_code(errno, std::generic_category()), "cannot watch " + path);
  if (!S_ISDIR(found.st_mode))
    return xpc::failure(xpc::errc::invalid_argument, path + " is no directory");
  std::lock_guard lock(mutex_);
  for (const std::string& each : trees_)
    if (each == path || is_below(path, each)) return {};
  if (!watch(path))
    return xpc::failure(
        std::error_code(errno, std::generic_category()),
        "cannot watch " + path + " (the limit is in /proc/sys/fs/inotify/max_user_watches)");
  trees_.insert(path);
  take_in(path, kind::found);
  return {};
}

xpc::result<void> watcher::remove(const std::string& tree) {
  std::string path = clean(tree);
  std::lock_guard lock(mutex_);
  if (trees_.erase(path) == 0) return xpc::failure(xpc::errc::not_found, path + " is not watched");
  forget_below(path);
  return {};
}

std::vector<std::string> watcher::trees() const {
  std::lock_guard lock(mutex_);
  return {trees_.begin(), trees_.end()};
}

std::uint64_t watcher::overflows() const {
  std::lock_guard lock(mutex_);
  return overflows_;
}

void watcher::run() {
  std::vector<char> buffer(256 << 10);
  for (;;) {
    pollfd waits[2] = {{inotify_, POLLIN, 0}, {wake_, POLLIN, 0}};
    bool half_open;
    {
      std::lock_guard lock(mutex_);
      half_open = !moves_.empty();
    }
    int ready = ::poll(waits, 2, half_open ? wait_for_second_half_ms : -1);
    if (waits[1].revents) return;
    std::lock_guard lock(mutex_);
    if (ready == 0) {
      settle_moves();
      continue;
    }
    // It does not block, and the tables must not change between an event and its handling.
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection)
    ssize_t size = ::read(inotify_, buffer.data(), buffer.size());
    if (size > 0) handle(buffer.data(), static_cast<std::size_t>(size));
  }
}

void watcher::handle(const char* buffer, std::size_t size) {
  for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
    inotify_event record;
    std::memcpy(&record, buffer + at, sizeof record);
    handle_one(record.wd, record.mask, record.cookie,
               record.len ? buffer + at + sizeof record : "");
    at += sizeof record + record.len;
  }
}

void watcher::handle_one(int watch_number, std::uint32_t mask, std::uint32_t cookie,
                         const char* name) {
  if (mask & IN_Q_OVERFLOW) {
    ++overflows_;
    tell(kind::overflow, {}, false);
    settle_moves();
    return look_again();
  }
  auto place = directory_of_.find(watch_number);
  if (place == directory_of_.end()) return;
  if (mask & IN_IGNORED) {
    auto back = watch_of_.find(place->second);
    if (back != watch_of_.end() && back->second == watch_number) watch_of_.erase(back);
    directory_of_.erase(place);
    return;
  }
  if (!*name) return;  // about the directory itself: its parent tells it too
  std::string path = place->second + "/" + name;
  bool directory = mask & IN_ISDIR;

  if (mask & IN_MOVED_FROM) {
    moves_[cookie] = {path, directory};
    return;
  }
  if (mask & IN_MOVED_TO) {
    auto from = moves_.find(cookie);
    if (from == moves_.end()) {  // from outside the trees
      known_.insert(path);
      tell(kind::created, path, directory);
      if (directory && watch(path)) take_in(path, kind::created);
      return;
    }
    moved_away gone = std::move(from->second);
    moves_.erase(from);
    known_.erase(gone.path);
    known_.insert(path);
    if (directory) rename_below(gone.path, path);
    tell(kind::renamed, path, directory, gone.path);
    return;
  }
  if (mask & IN_CREATE) {
    if (known_.insert(path).second) tell(kind::created, path, directory);
    if (directory && !watch_of_.contains(path) && watch(path)) take_in(path, kind::created);
  } else if (mask & IN_DELETE) {
    if (known_.erase(path) == 0) return;
    if (directory) forget_below(path);
    tell(kind::deleted, path, directory);
  } else if (mask & IN_CLOSE_WRITE) {
    if (known_.insert(path).second) tell(kind::created, path, directory);
    tell(kind::modified, path, directory);
  } else if (mask & IN_ATTRIB) {
    if (known_.contains(path)) tell(kind::attributes, path, directory);
  }
}

/// Halves without a second half left the trees.
void watcher::settle_moves() {
  for (auto& [cookie, gone] : moves_) {
    known_.erase(gone.path);
    if (gone.directory) forget_below(gone.path);
    tell(kind::deleted, gone.path, gone.directory);
  }
  moves_.clear();
}

bool watcher::watch(const std::string& directory) {
  int number = ::inotify_add_watch(inotify_, directory.c_str(), wanted);
  if (number < 0) return false;
  directory_of_[number] = directory;
  watch_of_[directory] = number;
  return true;
}

void watcher::take_in(const std::string& directory, kind as) {
  DIR* open = ::opendir(directory.c_str());
  if (!open) return;  // gone again, which an event of its own tells, or not ours to read
  while (dirent* entry = ::readdir(open)) {
    std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    std::string path = directory + "/" + entry->d_name;
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) continue;
    bool is_directory = S_ISDIR(found.st_mode);
    if (known_.insert(path).second) tell(as, path, is_directory);
    if (is_directory && !watch_of_.contains(path) && watch(path)) take_in(path, as);
  }
  ::closedir(open);
}

void watcher::forget_below(const std::string& directory) {
  for (auto at = watch_of_.lower_bound(directory);
       at != watch_of_.end() && at->first < end_of(directory);) {
    if (at->first != directory && !is_below(at->first, directory)) {
      ++at;
      continue;
    }
    ::inotify_rm_watch(inotify_, at->second);
    directory_of_.erase(at->second);
    at = watch_of_.erase(at);
  }
  known_.erase(known_.lower_bound(directory + "/"), known_.lower_bound(end_of(directory)));
}

void watcher::rename_below(const std::string& from, const std::string& to) {
  std::vector<std::pair<std::string, int>> moved;
  for (auto at = watch_of_.lower_bound(from); at != watch_of_.end() && at->first < end_of(from);) {
    if (at->first != from && !is_below(at->first, from)) {
      ++at;
      continue;
    }
    moved.emplace_back(to + at->first.substr(from.size()), at->second);
    at = watch_of_.erase(at);
  }
  for (auto& [path, number] : moved) {
    directory_of_[number] = path;
    watch_of_[path] = number;
  }
  std::vector<std::string> paths(known_.lower_bound(from + "/"), known_.lower_bound(end_of(from)));
  for (const std::string& each : paths) {
    known_.erase(each);
    known_.insert(to + each.substr(from.size()));
  }
}

/// After an overflow: what vanished is deleted, what is new was created.
void watcher::look_again() {
  std::vector<std::string> gone;
  for (const std::string& path : known_) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) gone.push_back(path);
  }
  for (const std::string& path : gone) {
    if (known_.erase(path) == 0) continue;
    bool directory = watch_of_.contains(path);
    if (directory) forget_below(path);
    tell(kind::deleted, path, directory);
  }
  for (const std::string& tree : trees_) take_in(tree, kind::found);
}

void watcher::tell(kind what, const std::string& path, bool directory, const std::string& from) {
  seen_({0, what, path, from, directory, std::chrono::system_clock::now()});
}

}  // namespace fswatch
