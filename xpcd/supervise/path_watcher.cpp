#include "supervise/path_watcher.hpp"

#include "supervise/bounded_look.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "log.hpp"

namespace openxpc::supervise {

/// What a path is watched by; see entry.
struct path_watcher::watched {
  int self = -1, above = -1;
  std::string child;
  std::vector<std::string> failed;
};

namespace {

constexpr std::uint32_t directory_mask =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t file_mask =
    IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Slashes at the end and twice in a row are no parts of a path.
std::string tidy(const std::string& path) {
  std::string result;
  for (const char c : path) {
    if (c != '/' || result.empty() || result.back() != '/') result += c;
  }
  while (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

/// @return inotify's number; -1 when nothing is there.
int watch_one(int borrowed_events, const std::string& path, bool must_be_directory,
              std::vector<std::string>* failed) {
  struct stat status;
  if (::stat(path.c_str(), &status) < 0) return -1;
  const bool is_directory = S_ISDIR(status.st_mode);
  if (must_be_directory && !is_directory) return -1;
  const int number = ::inotify_add_watch(borrowed_events, path.c_str(),
                                         is_directory ? directory_mask | IN_ONLYDIR : file_mask);
  if (number < 0 && errno != ENOENT && errno != ENOTDIR) {
    failed->push_back(path + " cannot be watched: " + std::strerror(errno));
  }
  return number;
}

template <class Watched>
Watched look_at(int borrowed_events, const std::string& path) {
  Watched result;
  // First what is above: what appears before the second look is seen by it, what appears later is
  // told of.
  std::string at = path;
  while (result.above < 0 && at != "/") {
    result.child = last_of(at);
    at = parent_of(at);
    result.above = watch_one(borrowed_events, at, true, &result.failed);
  }
  result.self = watch_one(borrowed_events, path, false, &result.failed);
  return result;
}

}  // namespace

path_watcher::handle path_watcher::add(const std::string& path, base::function<void()> changed) {
  open();
  handle one = entries_.emplace(entries_.end());
  one->path = tidy(path);
  one->changed = std::move(changed);
  arm(*one);
  return one;
}

void path_watcher::remove(handle which) {
  disarm(*which);
  entries_.erase(which);
}

void path_watcher::open() {
  if (events_) return;
  events_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!events_) {
    log_line(weight::error, std::string("paths cannot be watched: ") + std::strerror(errno));
    return;
  }
  wait();
}

void path_watcher::adopt(base::fd events) {
  if (!events || events_) return;
  events_ = std::move(events);
  wait();
}

void path_watcher::wait() {
  watch_.start(events_.get(), [this] {
    read();
    wait();
  });
}

void path_watcher::leave(int number, entry* user) {
  auto at = users_.find(number);
  if (at == users_.end()) return;
  at->second.erase(user);
  if (!at->second.empty()) return;
  users_.erase(at);
  ::inotify_rm_watch(events_.get(), number);
}

void path_watcher::disarm(entry& one) {
  const int self = one.self, above = one.above;
  one.self = one.above = -1;
  // A directory may be both: the path of one entry and the parent of another.
  if (self >= 0) leave(self, &one);
  if (above >= 0) leave(above, &one);
}

void path_watcher::arm(entry& one) {
  disarm(one);
  const bool again = one.look != nullptr;
  one.look = std::make_shared<bool>(true);
  if (!events_) return;
  auto events = std::make_shared<base::fd>(base::fd::copy(events_.get()));
  auto at_once = std::make_shared<bool>(true);
  ++looks_;
  looks().ask<watched>(
      one.path,
      [path = one.path, events] { return outcome<watched>(look_at<watched>(events->get(), path)); },
      [self = self_, &one, again, at_once,
       wanted = std::weak_ptr(one.look)](outcome<watched> found) {
        if (*self == nullptr) return;
        path_watcher& here = **self;
        --here.looks_;
        if (wanted.expired()) {
          here.drop(found);
        } else if (*at_once) {
          here.take(one, std::move(found));
        } else {
          here.take_late(one, std::move(found), again);
        }
        if (here.looks_ == 0) here.early_.clear();
      });
  *at_once = false;
}

void path_watcher::take(entry& one, outcome<watched> found) {
  if (!found) return log_line(weight::error, "cannot be watched: " + found.error().text);
  for (const std::string& line : found->failed) log_line(weight::error, line);
  one.self = found->self;
  one.above = found->above;
  one.child = std::move(found->child);
  for (const int number : {one.self, one.above}) {
    if (number >= 0) users_[number].insert(&one);
  }
}

/// Others were served since the look began, and changes were told.
/// @param again  it was watched before, so what is there now may be new
void path_watcher::take_late(entry& one, outcome<watched> found, bool again) {
  take(one, std::move(found));
  std::set<entry*> changed;
  if (again && one.self >= 0) changed.insert(&one);
  const std::set<int> mine{one.self, one.above};
  const auto told = early_;
  for (const auto& [number, name] : told) {
    if (mine.count(number) != 0) on_event(number, name, &changed);
  }
  tell(changed);
}

/// Nobody waits for what a look found.
void path_watcher::drop(const outcome<watched>& found) {
  if (!found) return;
  for (const int number : {found->self, found->above}) {
    if (number >= 0 && users_.count(number) == 0) ::inotify_rm_watch(events_.get(), number);
  }
}

void path_watcher::tell(const std::set<entry*>& changed) {
  for (entry& one : entries_) {
    if (changed.count(&one) != 0) one.changed();
  }
}

void path_watcher::on_event(int number, const std::string& name, std::set<entry*>* changed) {
  auto at = users_.find(number);
  if (at == users_.end()) {
    if (looks_ > 0) early_.emplace_back(number, name);
    return;
  }
  const std::set<entry*> users = at->second;
  for (entry* one : users) {
    if (one->self == number) changed->insert(one);
    if (one->above == number && (name.empty() || name == one->child)) {
      const bool was_there = one->self >= 0;
      arm(*one);
      // A path that only came nearer has not changed.
      if (was_there || one->self >= 0) changed->insert(one);
    }
  }
}

void path_watcher::read() {
  std::set<entry*> changed;
  alignas(inotify_event) char buffer[8192];
  ssize_t size = 0;
  while ((size = ::read(events_.get(), buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof *event) + event->len;
      if (event->mask & IN_Q_OVERFLOW) {
        for (entry& one : entries_) {
          arm(one);
          changed.insert(&one);
        }
      } else if (event->mask & (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)) {
        auto users = users_.find(event->wd);
        if (users == users_.end()) {
          if (looks_ > 0) early_.emplace_back(event->wd, "");
          continue;
        }
        const std::set<entry*> lost = users->second;
        for (entry* one : lost) {
          // A directory that moves takes what is below it out of its path.
          const bool was_there = one->self >= 0;
          if (one->self == event->wd) changed.insert(one);
          arm(*one);
          if (was_there != (one->self >= 0)) changed.insert(one);
        }
      } else {
        on_event(event->wd, event->len > 0 ? event->name : "", &changed);
      }
    }
  }
  tell(changed);
}

}  // namespace openxpc::supervise
