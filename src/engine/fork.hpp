#pragma once

#include <cstdint>

namespace openxpc::engine {

/// True in a child that was forked (without exec) after the engine had started. There it is dead
/// for good: no threads, no timers, and each registered descriptor was replaced by one end of a
/// socket pair without an other end, so that the peer sees the end of the stream when the parent
/// dies. Calls into the engine return at once and do nothing.
bool forked() noexcept;
/// Grows by one in each such child: what was made in one generation is unusable in another.
std::uint32_t generation() noexcept;

}  // namespace openxpc::engine
