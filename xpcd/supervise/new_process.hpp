#pragma once

#include <sys/types.h>

#include <cstddef>

namespace openxpc::supervise {

/// A process that shares our memory, as after vfork(2), but has a stack of its own.
struct birth {
  int (*run)(void*);  ///< its first function; it never returns, but exits or becomes a program
  void* argument;
  const pid_t* began;  ///< where `run` puts its number, which is not 0, before anything else
  void* stack;         ///< its lowest address
  std::size_t stack_bytes;
  bool shares_descriptors;
  int borrowed_cgroup;   ///< the directory of the cgroup that it begins in; -1: ours
  int* pidfd = nullptr;  ///< where born::pidfd is before it begins; nullptr: nowhere
};

struct born {
  pid_t pid = -1;  ///< negative: there is none, errno says why
  int pidfd = -1;
  bool in_cgroup = false;  ///< it did begin in that cgroup; otherwise it is in ours
};

/// Returns when the process has become a program or is gone.
///
/// Being born in a cgroup costs nothing, while entering one later makes the kernel wait until every
/// processor has passed through a quiet state: 1 to 10 ms, more than the rest of a launch. Where
/// the kernel (before 5.7, or a filter of system calls) has no such birth, `run` is told by
/// `must_enter` before it begins that it has to enter by itself. So it is where the newborn was
/// killed before it began: kernels do that to whoever is born in a cgroup that was killed more
/// often, or less often, than that of its parent.
///
/// Whoever was born in its cgroup has no handlers of signals: what is not ignored has its default.
born make_process(const birth& how, bool* must_enter);

}  // namespace openxpc::supervise
