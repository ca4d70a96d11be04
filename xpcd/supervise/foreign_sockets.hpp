#pragma once

#include "base/fd.hpp"
#include "job/outcome.hpp"

#include <sys/types.h>

#include <vector>

namespace openxpc::supervise {

/// Duplicates of the sockets that a process has, each once, in the order of its descriptors; the
/// first thousands, should it have more.
/// @param borrowed_pidfd  of that process: nothing of another one that has its number by now.
/// Errors: what the kernel says, as where tracing is restricted.
outcome<std::vector<base::fd>> sockets_of_process(pid_t pid, int borrowed_pidfd);

}  // namespace openxpc::supervise
