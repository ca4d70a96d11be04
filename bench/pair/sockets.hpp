#pragma once

namespace pair_bench {

/// Passes a descriptor over a connected AF_UNIX socket and takes one; both end the process when
/// that fails.
void pass_descriptor(int socket, int what);
int take_descriptor(int socket);

/// A listening SOCK_SEQPACKET socket without a name, and the O_PATH descriptor to connect through.
struct door {
  int listening;
  int path;
};
door open_door();
int connect_through(int path);

}  // namespace pair_bench
