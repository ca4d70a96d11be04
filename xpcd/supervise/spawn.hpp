#pragma once

#include "base/fd.hpp"
#include "job/description.hpp"
#include "job/outcome.hpp"
#include "supervise/cgroup.hpp"
#include "supervise/credentials.hpp"
#include "supervise/low_descriptors.hpp"
#include "supervise/process.hpp"
#include "supervise/program.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Starts a service's process: a clean one, which has nothing of ours but what is declared here.
namespace openxpc::supervise {

/// All descriptors are lent; they are duplicated into the child.
struct spawn_plan {
  program* what = nullptr;
  std::vector<std::string> environment;  // NAME=value, LISTEN_* and OPENXPC_* excepted
  std::vector<std::pair<std::string, int>> listeners;  // name and socket: 3, 4, ... in the child
  std::size_t service_names = 0;  // how many of them are for names of services; they come first
  std::string domain_path;
  int domain_fd = -1;       // the descriptor behind the listeners; -1: none
  int link_domain_fd = -1;  // the directory that the link is connected in
  std::string link_socket;  // file in there that the child connects to for its service link;
                            // empty: none
  int root_fd = -1;         // a directory that becomes the child's "/"; -1: ours stays
  std::string working_directory = "/";
  int stdin_fd = -1, stdout_fd = -1, stderr_fd = -1;  // -1: /dev/null
  /// Where the child writes who it is before it becomes the program, so that a new xpcd finds it
  /// whenever this one dies: directory and file name; "PID START_TICKS PIDFD_INODE GENERATION\n".
  /// Empty name: nowhere.
  int run_fd = -1;
  std::string run_file;
  std::uint64_t generation = 0;
  std::uint64_t descriptor_limit = 0;  // soft RLIMIT_NOFILE; 0: as it is
  low_descriptors* room = nullptr;     // for a start that copies no others; nullptr: copies all
  /// The signals that are ignored here, as ignored_signals() has them. Nothing: that is not known,
  /// and each is set right.
  std::optional<std::uint64_t> ignored;
  bool own_session = false;  // setsid(2)
  /// Whose service it is; -1: nobody's in particular. The descriptor, a pidfd, goes with it.
  int application_fd = -1;
  pid_t application_pid = 0;
  int cgroup_fd = -1;          // the group that it begins in, a directory; -1: ours
  job::process_setup process;  // its user and group excepted: that is `identity`
  std::optional<credentials> identity;
  /// Where the child writes its number as soon as it is there, for other threads; 0 when it is gone
  /// again. nullptr: nowhere.
  std::atomic<pid_t>* born = nullptr;
  bool own_keyring = false;  // a new session keyring; one of another user gets one anyway
};

struct spawned {
  process_id id;
  base::fd pidfd;
  job_cgroup group;  // of whoever made the plan
};

/// Which signals this process ignores now: bit N - 1 for signal N.
std::uint64_t ignored_signals() noexcept;

/// When this returns the child has become the program, or there is no child: where a file system
/// does not answer the child, this thread waits. Several may do so at once. It leads a process
/// group of its own, ignores and blocks no signal. A process that waits for a debugger is stopped
/// before its first instruction, until SIGCONT. Errors name the step ("working directory /x: No
/// such file or directory", "Nice: Permission denied"); kind unavailable means that it may work
/// later.
outcome<spawned> spawn(const spawn_plan& plan);

}  // namespace openxpc::supervise
