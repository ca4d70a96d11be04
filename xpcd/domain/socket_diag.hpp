#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>

/// What the kernel says about a socket when asked by its inode. The word of whoever handed the
/// socket over counts for nothing.
namespace openxpc::domain {

struct socket_facts {
  bool listening = false;
  bool seqpacket = false;
  std::uint32_t file_inode = 0;   // of the socket file it was bound to (the kernel tells 32 bits)
  std::uint32_t file_device = 0;  // in the kernel's own encoding
  bool has_file = false;
  std::uint32_t waiting = 0;  // listening: connections that nobody accepted yet
  std::uint32_t backlog = 0;  // listening: how many may wait
};

/// Nothing when it is no AF_UNIX socket of this network namespace, or the kernel was built without
/// UNIX_DIAG.
std::optional<socket_facts> ask_kernel(int borrowed_socket_fd);

/// True only if `file` is what the kernel says that the socket was bound to.
bool is_bound_to(const socket_facts& facts, const struct stat& file);

/// True only if the socket listens, is SOCK_SEQPACKET, and the kernel names `file` as what it was
/// bound to.
bool is_listener_of_file(int borrowed_socket_fd, const struct stat& file);

/// How many connections wait to be accepted; 0 when it cannot be learnt.
std::uint32_t waiting_connections(int borrowed_listener_fd);

}  // namespace openxpc::domain
