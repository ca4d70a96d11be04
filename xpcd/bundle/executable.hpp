#pragma once

#include "base/fd.hpp"
#include "base/function.hpp"
#include "job/outcome.hpp"
#include "supervise/process.hpp"

#include <sys/types.h>

#include <string>

/// Which program a process is.
namespace openxpc::bundle {

/// A process as the kernel names it for a connection: at the moment it connected, whatever has
/// happened since.
struct caller {
  base::fd pidfd;  // SO_PEERPIDFD of its connection
  pid_t pid = 0;   // SO_PEERCRED of the same
  uid_t user = 0;
};

struct executable {
  supervise::process_id process;
  std::string path;  // where its file stands now
  dev_t device = 0;
  ino_t inode = 0;
};

/// Looks at the process while it is certainly alive, so that its number is certainly its own.
/// Errors (denied): there is no pidfd, it is gone, it lives in another mount namespace, its file
/// was deleted or replaced, or we may not look; each says so.
/// Calls `then`, perhaps before this returns (bounded_looks::ask()): what it runs may be on a file
/// system that does not answer.
void seek_executable(const caller& who, base::function<void(outcome<executable>)> then);
/// The same for who needs an answer at once (bounded_looks::look()).
outcome<executable> executable_of(const caller& who);

}  // namespace openxpc::bundle
