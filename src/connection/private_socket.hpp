#pragma once

#include "base/fd.hpp"

namespace openxpc::connection {

/// A listening socket that has no name, and the O_PATH descriptor through which alone it can be
/// reached.
struct private_socket {
  base::fd listening;
  base::fd path;
};

/// Binds in a directory of its own, listens and unlinks. Both empty with errno when the system has
/// no socket, descriptor or writable directory for temporary files.
private_socket make_private_socket() noexcept;

/// Connects a new socket to whoever listens behind an O_PATH descriptor. Empty with errno:
/// ECONNREFUSED (nobody listens any more), EAGAIN (its queue is full), ENOTSOCK and the like.
base::fd connect_to_path(int borrowed_path_fd) noexcept;

}  // namespace openxpc::connection
