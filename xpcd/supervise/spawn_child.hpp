#pragma once

#include "supervise/spawn.hpp"

#include <sys/un.h>

#include <cstdint>
#include <string>
#include <vector>

/// The part of a start that runs in the child. It shares our memory until it becomes the program,
/// while the thread that made it stands still (as after vfork). So it may read and write everything
/// prepared here, but must not allocate or lock: another thread of ours may hold the lock. It makes
/// system calls directly, since sanitizers keep books about the wrapped ones.
namespace openxpc::supervise {

enum class step {
  none,
  group,
  cgroup,
  descriptors,
  directory,
  run_state,
  limit,
  root,
  nice,
  io_priority,
  groups,
  gid,
  uid,
  keyring,
  privileges,
  debugger,
  execute
};

struct child_limit {
  int resource;
  const char* name;
  bool has_soft, has_hard;
  std::uint64_t soft, hard;
};

struct child_work {
  const spawn_plan* plan;
  char** arguments;
  char** environment;
  char* listen_pid;  // the digits behind LISTEN_PID=, blanks until the child knows them
  char* link_number;
  int program_fd, run_fd, cgroup_fd, root_fd, link_domain_fd;
  int above;  // the child needs no descriptor from this one on, and shares all of them; 0: it has
              // copies
  sockaddr_un link_address;  // seen from link_domain_fd
  std::vector<int> sources;  // what becomes descriptor 0, 1, 2, ...
  std::vector<child_limit> limits;
  bool must_enter_cgroup = false;  // it did not begin there
  int pidfd = -1;                  // of the child itself, among the descriptors that it shares
  const credentials* identity;     // nullptr: ours
  bool has_nice;
  int nice;
  bool batch;       // give way to everybody who is not so
  int io_priority;  // as ioprio_set(2) takes it; 0: as it is
  const char* run_file;
  const char* run_file_new;
  // What the child reports.
  step failed_at = step::none;
  const char* limit_at = "";
  int error = 0;
  bool linked = false;
  process_id id;
};

/// The child's main function; its argument is the child_work.
int run_child(void* work) noexcept;

}  // namespace openxpc::supervise
