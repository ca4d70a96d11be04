#pragma once

#include "base/fd.hpp"
#include "base/function.hpp"
#include "job/outcome.hpp"
#include "supervise/supervised.hpp"

#include <asio/io_context.hpp>

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Tells of changes at paths that need not exist yet, by inotify: no work while nothing changes.
namespace openxpc::supervise {

class path_watcher {
 public:
  /// One path that is watched.
  struct entry {
    std::string path;
    base::function<void()> changed;
    int self = -1;      // inotify's number for what is there; -1 while nothing is
    int above = -1;     // that of the nearest directory over it
    std::string child;  // what must appear there for the path to come nearer
    /// Of the last look: it goes when nobody waits for that any more.
    std::shared_ptr<bool> look = {};
  };
  using handle = std::list<entry>::iterator;

  /// Nothing is opened before the first path is added.
  explicit path_watcher(asio::io_context& loop)
      : watch_(loop), self_(std::make_shared<path_watcher*>(this)) {}
  ~path_watcher() {
    *self_ = nullptr;
    watch_.stop();
  }
  path_watcher(const path_watcher&) = delete;
  path_watcher& operator=(const path_watcher&) = delete;

  /// Calls `changed` on the loop after the file at `path` was made, written, given other
  /// attributes, replaced or removed; or after an entry of the directory at `path` came, went or
  /// was renamed. Several changes may be told as one. `changed` must not add or remove paths.
  handle add(const std::string& path, base::function<void()> changed);
  void remove(handle which);

  /// What tells of changes; -1 before the first path. An xpcd that becomes another one by exec
  /// keeps it open, and the next one takes it before it adds the same paths: what changes in
  /// between is told there.
  int borrowed_fd() const noexcept { return events_.get(); }
  void adopt(base::fd events);

 private:
  void open();
  void wait();
  void read();
  struct watched;
  void on_event(int number, const std::string& name, std::set<entry*>* changed);
  void tell(const std::set<entry*>& changed);
  void arm(entry& one);
  void take(entry& one, outcome<watched> found);
  void take_late(entry& one, outcome<watched> found, bool again);
  void drop(const outcome<watched>& found);
  void disarm(entry& one);
  void leave(int number, entry* user);

  std::list<entry> entries_;
  std::map<int, std::set<entry*>> users_;  // of each of inotify's numbers
  base::fd events_;
  watch watch_;
  std::size_t looks_ = 0;  // under way
  /// What was told meanwhile, by numbers that nobody knew yet.
  std::vector<std::pair<int, std::string>> early_;
  std::shared_ptr<path_watcher*> self_;  // empty when this is gone
};

}  // namespace openxpc::supervise
