#pragma once

#include "channel/transport.hpp"

#include <memory>

namespace openxpc::channel {

/// A socket that a pair of rings joins once both sides agreed to it and one of them finds it worth
/// the memory: packets then go through shared memory, without a system call each. Packets with
/// descriptors and long ones still go over the socket and keep their place in the order.
/// docs/design/channel.md section 5 has the protocol.
std::unique_ptr<transport> ring_transport(std::unique_ptr<transport> socket);

}  // namespace openxpc::channel
