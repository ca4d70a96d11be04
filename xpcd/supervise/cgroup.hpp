#pragma once

#include "base/fd.hpp"
#include "job/group_limit.hpp"
#include "job/outcome.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Control groups: each job has one of its own where the machine lets us make them, so that what it
/// started is found whatever it did to get away, and limits hold for all of it together.
namespace openxpc::supervise {

/// Where a group of the cgroup v2 hierarchy is in the file system.
/// @param mountinfo the text of /proc/self/mountinfo
/// @param groups    the text of /proc/PID/cgroup of a process that is in the group
/// Errors (not_found): no cgroup v2 is mounted, or the group is outside what is mounted.
outcome<std::string> cgroup_directory(std::string_view mountinfo, std::string_view groups);
/// The same for a process of this machine, by its number in our /proc.
outcome<std::string> cgroup_directory_of(const std::string& process);

/// A group that one process of a job is started in. Empty: there is none.
class job_cgroup {
 public:
  job_cgroup() = default;
  job_cgroup(base::fd directory, std::string path)
      : directory_(std::move(directory)), path_(std::move(path)) {}

  explicit operator bool() const noexcept { return static_cast<bool>(directory_); }
  int borrowed_fd() const noexcept { return directory_.get(); }
  const std::string& path() const noexcept { return path_; }
  /// Some process is in it. False for an empty one, and where the kernel does not say.
  bool is_populated() const noexcept;
  /// SIGKILL to all that is in it, also to what is being started there at this moment.
  void kill() const noexcept;

 private:
  base::fd directory_;
  std::string path_;
};

/// The groups of a domain's jobs: OWN/NAME/LABEL@0, OWN being xpcd's own group, or the one above
/// where xpcd is alone in one whose name ends in ".manager". A job's group is
/// kept from one run to the next; while something is left in it the next run gets LABEL@1.
class cgroups {
 public:
  /// @param own  xpcd's group, or why it cannot be found. @param name  of the domain's group.
  /// Nothing is made before the first job starts.
  cgroups(outcome<std::string> own, std::string name);
  ~cgroups() { remove(); }
  cgroups(const cgroups&) = delete;
  cgroups& operator=(const cgroups&) = delete;

  /// Removes the domain's group, unless something was left running in it. Nothing can be made
  /// afterwards.
  void remove() noexcept;

  /// A group for a run of this job, with its limits in force: written, and read back. Empty where
  /// groups cannot be made; then a job that declares limits is refused (bad_input: the limit, and
  /// what it would take).
  outcome<job_cgroup> make(const std::string& label, const std::vector<job::group_limit>& limits);
  /// The group that a running process was started in by an xpcd before this one; empty when it is
  /// in none of this job's.
  job_cgroup find(pid_t pid, const std::string& label);
  /// The job is gone, and so are its groups as soon as nothing is left in them.
  void forget(const std::string& label);
  /// Groups of jobs that are gone in which something is left, for an xpcd after this one; and
  /// there, one of them.
  const std::set<std::string>& forgotten() const noexcept { return forgotten_; }
  void forget_group(const std::string& name);
  /// A job was taken over with its group.
  void adopt() { (void)open(); }
  /// Removes groups of forgotten jobs that have become empty. Call when processes have ended.
  void sweep();

 private:
  bool open();
  bool take_domain_group();
  failure_of enable(const char* controller);
  failure_of leave_own_group();
  void remove_abandoned() const;

  std::string own_, name_, why_not_;
  bool tried_ = false;
  base::fd own_fd_, domain_fd_;
  std::set<std::string> used_;       // groups that there may be
  std::set<std::string> forgotten_;  // of jobs that are gone
};

/// The name of a domain's group, by its directory.
std::string cgroup_name(int borrowed_domain_directory);

}  // namespace openxpc::supervise
