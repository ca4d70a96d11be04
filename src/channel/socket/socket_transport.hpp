#pragma once

#include "base/fd.hpp"
#include "channel/transport.hpp"

#include <memory>
#include <mutex>

namespace openxpc::channel {

/// A connected AF_UNIX SOCK_SEQPACKET socket as a transport. Makes it non-blocking and
/// close-on-exec and sets SO_PASSCRED (which a socket from a socket unit does not have; on the
/// connecting side set it before connect(), prepare_socket()).
std::unique_ptr<transport> socket_transport(base::fd connected);

/// A new close-on-exec, non-blocking SOCK_SEQPACKET socket with SO_PASSCRED set: what to bind and
/// listen on, or to connect. Empty with errno set on failure.
base::fd new_socket() noexcept;

/// Held while a descriptor kept in reserve is free for a moment, and wherever the library takes a
/// descriptor that it can do without: or that one would be taken, for good.
std::mutex& reserve_in_use() noexcept;

/// Both ends of a connected pair, ready for socket_transport(). Empty with errno set on failure.
struct socket_pair {
  base::fd one, other;
};
socket_pair new_socket_pair() noexcept;

}  // namespace openxpc::channel
