#pragma once

#include "base/fd.hpp"
#include "job/outcome.hpp"

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

/// The directory of a domain: who owns it, and the sockets of its names.
///
/// Layout: NAME is the socket file of a service, `.NAME.hidden` one that is not to be found yet,
/// `.control` that of the control interface, `.lock` says who serves the domain,
/// `.run/` holds the run state. A name becomes visible by rename, listening already, so a client
/// never meets half a name. All files are reached through the directory's descriptor: a path that
/// is moved or replaced leads nobody astray.
namespace openxpc::domain {

/// The control interface's socket file.
inline constexpr std::string_view control_name = ".control";
/// The kernel cuts it to net.core.somaxconn.
inline constexpr int backlog = 4096;

/// A listening socket and the file that leads to it.
struct bound_name {
  base::fd socket;
  dev_t device = 0;
  ino_t inode = 0;
  bool hidden = false;  // its file has a name that nobody looks for
};

class directory {
 public:
  /// Opens (makes it if need be: one level, 0700, or 0755 for the system domain) and locks.
  /// Errors, naming the path: it or a part of it is a symbolic link, belongs to somebody else,
  /// others may write there, somebody else serves it (conflict, with the pid), or the system's
  /// word.
  static outcome<directory> open(const std::string& path, bool system);

  /// What one that was open() consists of, for an xpcd that becomes another one by exec.
  struct parts {
    base::fd directory, lock, run;
    bool made_it = false;
  };
  /// The same again; the lock was held all the time. Errors: bad_input, a part is missing.
  static outcome<directory> resume(const std::string& path, bool system, parts from);

  directory(directory&&) noexcept = default;
  directory& operator=(directory&&) noexcept = default;

  const std::string& path() const noexcept { return path_; }
  /// The domain of the whole machine: root's, for everybody to use.
  bool is_system() const noexcept { return system_; }
  int borrowed_fd() const noexcept { return fd_.get(); }
  /// The directory of the run state.
  int borrowed_run_fd() const noexcept { return run_fd_.get(); }
  int borrowed_lock_fd() const noexcept { return lock_.get(); }
  /// It was not there before this xpcd, or what this one was before an exec.
  bool made_it() const noexcept { return made_it_; }

  /// Binds a listening socket (close-on-exec, non-blocking, credentials with each packet) and
  /// renames it over whatever socket had the name. `name` was checked by its owner. Errors: a file
  /// that is no socket has the name, or the system's word.
  outcome<bound_name> publish(std::string_view name) const;
  /// The same, but hidden: `.NAME.hidden`, which is no name, so nobody who looks the name up finds
  /// it. A socket that had the name is removed.
  outcome<bound_name> publish_hidden(std::string_view name) const;
  /// Lets a hidden name be found, over whatever socket has the name; takes it out of sight again,
  /// connections that wait included. Without effect on one that is so already. Errors: the file is
  /// not the name's own any more, a file that is no socket has the name, or the system's word.
  failure_of show(std::string_view name, bound_name& bound) const;
  failure_of hide(std::string_view name, bound_name& bound) const;
  /// The file of a name that is or is not hidden.
  static std::string file_of(std::string_view name, bool hidden);
  /// The same in two steps: a socket that nobody can reach yet, `.NAME.next`, at most one a name.
  outcome<bound_name> prepare(std::string_view name) const;
  /// The files of all these take the places of the names', or, where one cannot, none does: then
  /// each name leads where it led before.
  failure_of reveal(const std::vector<std::string>& names) const;
  /// Nobody will ever reach it.
  void discard(std::string_view name) const noexcept;
  /// Removes a name's file; one that somebody put in its place is left alone.
  void withdraw(std::string_view name, const bound_name& bound) const noexcept;
  /// The file of a name, without following links. False when there is none.
  bool stat_name(std::string_view name, struct stat* out) const noexcept;
  /// A new connection to a name, non-blocking. Empty with errno set.
  base::fd connect(std::string_view name) const noexcept;

  /// True while the directory and its lock are where they were, as far as can be seen: false means
  /// that the domain was deleted or moved, or that another xpcd can serve it.
  bool is_in_place() const noexcept;

  /// Removes what this xpcd put there, names excepted (withdraw them first), and the directory
  /// itself when it made it and nothing is left in it.
  void remove_traces() noexcept;

 private:
  directory() = default;
  std::string socket_path(std::string_view file) const;
  outcome<bound_name> bind_unseen(std::string_view name, const std::string& hidden) const;
  failure_of move_name(std::string_view name, bound_name& bound, bool hidden) const;
  failure_of rename_over(std::string_view name, const std::string& hidden) const;
  bool swap_in(const std::string& name) const noexcept;
  void swap_out(const std::string& name) const noexcept;
  bool rename(const std::string& from, const std::string& to, unsigned flags) const noexcept;

  std::string path_;
  base::fd fd_;
  base::fd lock_;
  base::fd run_fd_;
  bool open_to_all_ = false;  // others may enter: then they may connect
  bool system_ = false;
  bool made_it_ = false;
};

}  // namespace openxpc::domain
