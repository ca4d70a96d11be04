#pragma once

#include "base/fd.hpp"
#include "domain/directory.hpp"

/// Started by a socket unit of systemd, xpcd finds its control socket made.
namespace openxpc::control {

/// What was given.
struct given_socket {
  domain::bound_name bound;  // no socket: nothing was given
  std::string unfit;         // why what was given is of no use; empty: nothing is wrong
};

/// Takes the descriptors that this process was started with (LISTEN_FDS, LISTEN_PID), and the
/// variables that tell of them away from whatever this process starts. One that is named "control"
/// counts if it is the socket behind the directory's `.control`; all others are closed.
given_socket take_given_socket(const domain::directory& directory);

}  // namespace openxpc::control
