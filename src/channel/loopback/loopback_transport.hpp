#pragma once

#include "channel/transport.hpp"

#include <memory>
#include <utility>

namespace openxpc::channel {

/// Two transports in one process, connected with each other: the same packets without a socket. For
/// tests, and for peers that happen to live in this process. `capacity_bytes` is what fits in each
/// direction before "full". Throws std::bad_alloc; gives nulls with errno set when there are no
/// descriptors left.
std::pair<std::unique_ptr<transport>, std::unique_ptr<transport>> loopback_pair(
    std::size_t capacity_bytes = 212992);

}  // namespace openxpc::channel
