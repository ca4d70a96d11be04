#pragma once

#include <xpc/xpc.hpp>

#include <string>

namespace fswatch {

/// Plays the history back and compares what should be there with a walk of the tree, by the
/// service's rules. Prints what disagrees. @return 0 when they agree, 1 when not, else a sysexits
/// code.
int check_tree(const xpc::connection& service, const std::string& tree);

}  // namespace fswatch
