#pragma once

#include "connection/failure.hpp"

namespace openxpc::connection {

/// Who may come in at a listening socket, beyond what its file says. Threads: any.
class admission : public base::counted {
 public:
  /// Null, or why whoever connected this socket is turned away before a word is exchanged.
  virtual error_ref judge(int borrowed_client) = 0;
};

/// From now on every door that is made of this socket, or of a duplicate, asks `rule`. The rule
/// goes with the socket, whichever way a program comes to listen on it.
void admit_by(int borrowed_listening_socket, base::ref<admission> rule);
/// Null: everybody may.
base::ref<admission> admission_of(int borrowed_listening_socket);

}  // namespace openxpc::connection
