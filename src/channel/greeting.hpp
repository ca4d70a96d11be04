#pragma once

#include "base/buffer.hpp"
#include "channel/hello.hpp"
#include "channel/outbox.hpp"
#include "channel/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>

// The exchange of hellos, as far as it can be decided without a wire. docs/design/channel.md
// section 2.
namespace openxpc::channel {

/// The packet with our hello: the accepting side's first word, or the connecting side's answer.
base::buffer hello_packet(const settings& ours, side which, const hello* theirs);
/// The packet with a refusal.
base::buffer refusal_packet(const refusal& what);

/// What the first packet of the peer says.
struct greeting {
  std::optional<hello> said;         ///< all is well
  std::optional<refusal> refused;    ///< it refuses us
  std::optional<refusal> objection;  ///< we refuse it, with this
};
greeting read_greeting(base::bytes packet, side ours);

/// What of it the layers above see. Process and credentials are the wire's to tell.
void describe(const hello& said, peer_info& out);
peer_limits limits_of(const hello& said, std::size_t wire_packet_bytes) noexcept;

/// The inode of our time namespace, or 0 if it cannot be seen.
std::uint64_t time_namespace() noexcept;

}  // namespace openxpc::channel
