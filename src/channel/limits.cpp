#include "channel/outbox.hpp"

#include <algorithm>

// What the peer's limits allow, before anything is taken. Until its hello is here nothing is known;
// open() looks again.

namespace openxpc::channel {

unsigned outbox::piece_attachments(lane_kind of) const noexcept {
  if (of != lane_kind::calls || !open_) return packet_attachments;
  // A piece that cannot be split must fit three quarters of the credit: so much is free whenever
  // the peer holds nothing, since it announces by quarters. More could wait for ever.
  const std::uint64_t room = whole_most_bytes() - piece_least_bytes - frame_head_most_bytes;
  return static_cast<unsigned>(
      std::min<std::uint64_t>(packet_attachments, room / attachment_weight_bytes));
}

bool outbox::too_many(lane_kind of, std::size_t body, std::size_t attachments) const noexcept {
  if (attachments == 0) return false;
  if (open_ && attachments > peer_.attachments) return true;
  const std::size_t most = piece_attachments(of);
  const std::size_t pieces = (attachments + most - 1) / most;
  return body < (pieces - 1) * piece_least_bytes;
}

bool outbox::too_large(kind what, std::size_t body, std::size_t attachments) const noexcept {
  if (what == kind::failure || what == kind::progress)
    return body + frame_head_most_bytes > control_most_bytes;
  if (what == kind::accepted || what == kind::end) return body != 0;
  return open_ && body + attachments * attachment_weight_bytes > peer_.message_bytes;
}

/// Each at least 4096 bytes of body, with a head and up to 7 bytes of padding.
std::uint64_t outbox::bytes_in_pieces(const outgoing& what) const noexcept {
  const std::uint64_t descriptors = what.attachments.size() * attachment_weight_bytes;
  const std::uint64_t pieces = what.body.size() / piece_least_bytes + 1;
  return what.body.size() + descriptors + frame_head_most_bytes +
         pieces * (header_bytes + frame_alignment);
}

}  // namespace openxpc::channel
