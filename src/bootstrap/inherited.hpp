#pragma once

#include "base/fd.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openxpc::bootstrap {

/// A listening socket that this process was started with, for the service `name`: a new descriptor
/// for the same socket each time, so that the name outlives a listener that was cancelled. Empty
/// when the name is not this job's own. The convention is LISTEN_PID, LISTEN_FDS and
/// LISTEN_FDNAMES, which systemd's socket units speak too. Only AF_UNIX SOCK_SEQPACKET sockets that
/// listen are taken, never connected ones (threat T6), of those that the service manager gave only
/// the first ones, whose names OPENXPC_NAMES repeats (entries of Sockets follow), and nothing in a
/// set-uid program.
base::fd inherited_listener(const std::string& name);

/// All names this process may listen on, in the order they were given.
std::vector<std::string> inherited_names();

/// The sockets that this process was started with under one name and that are no listener of a
/// service: they are the program's, and go to it once.
struct inherited_sockets {
  int error;  ///< 0; ENOENT: none of that name; EALREADY: taken; ESRCH: started with no sockets
  std::vector<base::fd> sockets;
};
inherited_sockets take_inherited_sockets(std::string_view name);

/// Another descriptor for each of these sockets, taken or not, as far as there is a service manager
/// to hand them back to; with their names.
std::vector<std::pair<std::string, base::fd>> inherited_entries();

/// The descriptor that the variable names, once, if it is a connected socket: the service link.
base::fd take_inherited_link();
/// The domain's directory that the service manager passed, once.
base::fd take_inherited_domain();

}  // namespace openxpc::bootstrap
