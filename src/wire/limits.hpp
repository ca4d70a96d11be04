#pragma once

#include <cstdint>

namespace openxpc::wire {

/// What a receiver puts up with. Each bound is checked before anything is done that its attack
/// needs.
struct limits {
  /// Size of a whole message. Stops: memory taken, and time spent, at the sender's choice (threat
  /// T42).
  std::uint32_t bytes = 128u << 20;
  /// Nesting of arrays, dictionaries and file transfers, the root counted as 1; above `most_depth`
  /// it means `most_depth`. Stops: deep values that overflow the stack of whoever walks them by
  /// recursion (threat T42).
  std::uint16_t depth = 64;
  /// Descriptors beside one message; 253 is what one packet can carry. Stops: filling the
  /// receiver's descriptor table (threat T45).
  std::uint16_t attachments = 253;
};

/// No setting of limits::depth goes beyond this: the validator's own stack is fixed.
inline constexpr std::uint16_t most_depth = 128;

}  // namespace openxpc::wire
