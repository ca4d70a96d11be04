#pragma once

#include "base/fd.hpp"
#include "domain/directory.hpp"

#include <sys/types.h>

/// What sets a job apart whose name nobody can look up in the domain's directory.
namespace openxpc::supervise {

struct private_place {
  /// Whoever is given it can connect, and nobody else: O_PATH of the socket's file, which was
  /// unlinked as soon as it was bound.
  base::fd endpoint;
  /// The process that the job belongs to, the only one that the service lets in. None: whoever was
  /// given the endpoint.
  base::fd application;
  pid_t application_pid = 0;
  /// Starts a session of its own (setsid(2), and a session keyring), as Apple's services do.
  bool own_session = true;
};

/// Binds a listening socket beside the run state, unlinks its file and keeps a descriptor of that
/// in the place.
outcome<domain::bound_name> publish_private(const domain::directory& in, private_place* place);

}  // namespace openxpc::supervise
