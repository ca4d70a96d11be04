#pragma once

#include "channel/frame.hpp"
#include "object/dictionary.hpp"

namespace openxpc::connection {

class conversation;

/// OPENXPC_TRACE: prints each message that crosses a connection, one entry each, to standard error
/// or, when its value is a path, to the end of that file. Ignored in set-uid programs.
namespace trace {

enum class direction : std::uint8_t { in, out };

/// Costs a load and a branch while tracing is off.
void message(const conversation& over, direction which, channel::kind what,
             const object::dictionary& content);

}  // namespace trace
}  // namespace openxpc::connection
