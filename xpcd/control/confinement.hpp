#pragma once

#include "job/outcome.hpp"

#include <sys/types.h>

namespace openxpc::control {

/// Whether a process is confined in a way that xpcd is not: behind more seccomp filters, or in
/// another user, pid, mount or network namespace. What such a process asks for must not be done for
/// it by somebody who is not confined (threat T56).
///
/// @param pid            as the kernel named it; 0 for one that has no number here.
/// @param borrowed_pidfd  of the same process: it is alive until all has been read. -1: unknown.
/// @return nothing for one that is as free as we are; else denied, with the reason.
failure_of confinement_of(pid_t pid, int borrowed_pidfd);

}  // namespace openxpc::control
