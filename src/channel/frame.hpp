#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

// The codec of frames: docs/design/channel.md section 1. Bytes in, fields out; it holds no state
// and does nothing.
namespace openxpc::channel {

/// What a frame is; the numbers are the protocol's.
enum class kind : std::uint8_t {
  hello,
  refusal,
  message,
  request,
  reply,
  failure,
  progress,
  cancel,
  subscribe,
  row,
  end,
  credit,
  proven,
  close,
  ring,
  accepted,
  answer,
};
inline constexpr unsigned kind_count = 17;
const char* name_of(kind what) noexcept;

namespace flag {
inline constexpr std::uint8_t more = 1;
inline constexpr std::uint8_t deadline = 2;
inline constexpr std::uint8_t sequence = 4;
inline constexpr std::uint8_t flow = 8;
inline constexpr std::uint8_t row_credit = 16;
inline constexpr std::uint8_t all = 31;
}  // namespace flag

inline constexpr std::size_t header_bytes = 16;
inline constexpr std::size_t extension_bytes = 8;
inline constexpr std::size_t frame_alignment = 8;
/// A piece that is not the last has at least this much of the body.
inline constexpr std::size_t piece_least_bytes = 4096;
/// failure, progress, close, cancel and the hello packet are no longer than this.
inline constexpr std::size_t control_most_bytes = 65536;
/// More descriptors in one packet give EINVAL from the kernel.
inline constexpr unsigned packet_attachments = 253;
/// What one descriptor counts wherever bytes are counted.
inline constexpr std::uint64_t attachment_weight_bytes = 2048;

/// The 16 bytes before every body.
struct frame_header {
  std::uint32_t length = 0;
  std::uint8_t kind = 0;
  std::uint8_t flags = 0;
  std::uint16_t attachments = 0;
  std::uint64_t id = 0;
};
static_assert(sizeof(frame_header) == header_bytes);

/// The optional fields between header and body.
struct extensions {
  std::optional<std::uint64_t> deadline, sequence, flow, row_credit;

  std::uint8_t flags() const noexcept {
    return static_cast<std::uint8_t>((deadline ? flag::deadline : 0) |
                                     (sequence ? flag::sequence : 0) | (flow ? flag::flow : 0) |
                                     (row_credit ? flag::row_credit : 0));
  }
};

/// A frame as it stands in a packet. The body borrows the packet.
struct frame {
  kind what = kind::hello;
  bool more = false;
  std::uint16_t attachments = 0;
  std::uint64_t id = 0;
  extensions extra;
  base::bytes body;
  /// Header, extensions, body and padding: what the frame takes in the packet.
  std::size_t size = 0;

  std::uint64_t counted_bytes() const noexcept {
    return size + attachments * attachment_weight_bytes;
  }
};

/// Why a packet is not what the protocol allows. The text is for the error that the connection ends
/// with.
struct malformed_frame {
  std::size_t offset = 0;
  const char* text = nullptr;
};

/// Takes the frame at `offset` of `packet` apart and checks everything that one frame alone can
/// show to be wrong. What only the first piece of a message must or may have (extensions, row
/// credit, sequence) is the inbox's to check.
/// @return the fault, or nothing and `out` is filled.
std::optional<malformed_frame> parse_frame(base::bytes packet, std::size_t offset,
                                           frame& out) noexcept;

constexpr std::size_t extensions_size(std::uint8_t flags) noexcept {
  return extension_bytes *
         ((flags >> 1 & 1u) + (flags >> 2 & 1u) + (flags >> 3 & 1u) + (flags >> 4 & 1u));
}
constexpr std::size_t frame_size(std::uint8_t flags, std::size_t body_bytes) noexcept {
  return base::round_up(header_bytes + extensions_size(flags) + body_bytes, frame_alignment);
}
inline constexpr std::size_t frame_head_most_bytes = header_bytes + 4 * extension_bytes;

/// Writes header and extensions to `at` (frame_head_most_bytes of room).
/// @return how many bytes that were.
std::size_t write_head(std::byte* at, kind what, bool more, std::uint16_t attachments,
                       std::uint64_t id, const extensions& extra, std::size_t body_bytes) noexcept;

}  // namespace openxpc::channel
