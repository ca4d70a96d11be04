#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace openxpc::base {

/// SipHash-1-3 under a key of this process: a peer cannot choose keys that collide (threat T42).
std::uint64_t keyed_hash(bytes data) noexcept;

}  // namespace openxpc::base
