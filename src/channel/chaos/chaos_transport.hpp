#pragma once

#include "channel/transport_around.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace openxpc::channel {

/// What a bad day does to a wire. Numbers count packets; 0: never. Deterministic, so that a failure
/// can be repeated.
struct chaos {
  unsigned full_every = 0;   ///< every n-th attempt to send finds the wire full
  unsigned later_every = 0;  ///< every n-th attempt to send finds no memory (as ETOOMANYREFS does)
  unsigned nothing_every = 0;    ///< every n-th attempt to receive finds nothing yet
  unsigned cut_after = 0;        ///< the wire is cut after so many packets were sent
  unsigned corrupt_at = 0;       ///< one bit of this packet is turned
  std::size_t corrupt_byte = 0;  ///< which byte of it (modulo its size)
};

/// A transport that misbehaves on purpose around another one. For tests.
class chaos_transport final : public transport_around {
 public:
  chaos_transport(std::unique_ptr<transport> inner, chaos how) noexcept
      : transport_around(std::move(inner)), how_(how) {}

  send_result send(std::span<const iovec> parts, std::span<const int> borrowed_fds,
                   bool with_credentials) noexcept override;
  received receive(std::span<const iovec> into,
                   std::vector<base::fd>& attachments) noexcept override;

 private:
  static bool due(unsigned every, unsigned count) noexcept {
    return every != 0 && count % every == 0;
  }

  const chaos how_;
  unsigned attempts_ = 0, sent_ = 0, receives_ = 0;
};

}  // namespace openxpc::channel
