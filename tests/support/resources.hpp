#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace xpc_testing {

struct open_descriptor {
  int number;
  std::string target;  ///< what /proc/PID/fd/NUMBER links to: "socket:[123]", a path, ...
  friend auto operator<=>(const open_descriptor&, const open_descriptor&) = default;
};

/// Every open descriptor of a process (0: ours), in order. Empty when it is gone or may not be
/// looked at.
std::vector<open_descriptor> open_descriptors(pid_t process = 0);
/// How many of them there are.
std::size_t descriptor_count(pid_t process = 0);
/// Memory that a process (0: ours) holds now, in bytes (VmRSS); 0 when it is gone.
std::size_t resident_bytes(pid_t process = 0);
/// Threads of a process (0: ours).
std::size_t thread_count(pid_t process = 0);

/// The harness compares the open descriptors before and after each test; more or fewer is a
/// failure. The three kinds an event loop keeps for the life of the process (epoll, eventfd,
/// timerfd) are left out, unless the test asks for them.
void count_event_descriptors_too();
/// Takes what is open now as what may be open at the end of the running test.
void accept_open_descriptors();

/// The running test's own directory, empty at its start, removed after it; also in XDG_RUNTIME_DIR.
/// Short enough for socket paths.
const std::string& runtime_directory();

}  // namespace xpc_testing
