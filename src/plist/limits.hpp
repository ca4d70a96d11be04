#pragma once

#include <cstddef>

namespace openxpc::plist {

/// What a text may cost at most (threat T63). Each bound names the attack that it stops.
struct limits {
  std::size_t bytes = std::size_t{64} << 20;  ///< input: a file that fills memory
  std::size_t depth = 64;  ///< containers in containers: the stack; what the wire allows, too
  std::size_t nodes = std::size_t{1}
                      << 20;  ///< values: "[0,0,0...", shared objects of a binary property list
  std::size_t payload = std::size_t{128}
                        << 20;  ///< text and data together after expansion; no message is longer
};

}  // namespace openxpc::plist
