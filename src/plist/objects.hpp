#pragma once

#include "plist/limits.hpp"
#include "plist/node.hpp"

#include <xpc/openxpc/types.h>

#include <optional>

namespace openxpc::plist {

/// The object that a tree describes, owned by the caller. The tree comes from a reader, so it keeps
/// that one's promises: depth, UTF-8 without NUL, no key twice, no kind::other.
xpc_object_t make_object(const node& tree);

/// The tree that describes an object. Returns why there is none: nested deeper than the limit (or
/// containing itself), or more values than the limit, which shared children can mean.
[[nodiscard]] std::optional<fault> describe_object(xpc_object_t object, node& out,
                                                   const limits& most = {});

}  // namespace openxpc::plist
