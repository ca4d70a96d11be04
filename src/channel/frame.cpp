#include "channel/frame.hpp"

// One table says what each kind may carry; the parser is a walk over it. Everything here is decided
// by the bytes of one frame: whether the frame makes sense where it stands in the conversation is
// decided by the inbox.

namespace openxpc::channel {
namespace {

struct kind_rule {
  const char* name;
  bool continued;  // may have the "more" flag, descriptors and any length
  bool has_id;
  std::int32_t body_bytes;  // exact length, or -1
};

constexpr kind_rule rules[kind_count] = {
    {"hello", false, false, -1},   {"refusal", false, false, -1}, {"message", true, false, -1},
    {"request", true, true, -1},   {"reply", true, true, -1},     {"failure", false, true, -1},
    {"progress", false, true, -1}, {"cancel", false, true, 4},    {"subscribe", true, true, -1},
    {"row", true, true, -1},       {"end", false, true, 0},       {"credit", false, true, 8},
    {"proven", false, false, 0},   {"close", false, false, -1},   {"ring", false, false, -1},
    {"accepted", false, true, 0},  {"answer", false, false, -1},
};

}  // namespace

const char* name_of(kind what) noexcept {
  auto number = static_cast<unsigned>(what);
  return number < kind_count ? rules[number].name : "unknown";
}

std::optional<malformed_frame> parse_frame(base::bytes packet, std::size_t offset,
                                           frame& out) noexcept {
  auto fault = [offset](const char* text) { return malformed_frame{offset, text}; };
  if (packet.size() - offset < header_bytes) return fault("the packet ends inside a frame header");
  const auto header = base::load<frame_header>(packet.data() + offset);
  if (header.kind >= kind_count) return fault("unknown frame kind");
  if (header.flags & ~flag::all) return fault("a reserved frame flag is set");
  const kind_rule& rule = rules[header.kind];
  const bool more = header.flags & flag::more;
  const std::size_t head = header_bytes + extensions_size(header.flags);
  const std::size_t room = packet.size() - offset;
  if (head > room || header.length > room - head)
    return fault("the frame is longer than its packet");
  const std::size_t size = base::round_up(head + header.length, frame_alignment);
  if (size > room) return fault("the padding of a frame is missing");
  const std::byte* at = packet.data() + offset;
  for (std::size_t i = head + header.length; i < size; ++i)
    if (at[i] != std::byte{0}) return fault("the padding of a frame is not zero");

  if (!rule.continued) {
    if (more) return fault("this kind of frame cannot be continued");
    if (header.attachments) return fault("this kind of frame carries no descriptors");
    if (header.length > control_most_bytes)
      return fault("a control frame is longer than 65536 bytes");
    if (rule.body_bytes >= 0 && header.length != static_cast<std::uint32_t>(rule.body_bytes))
      return fault("a control frame has a body of the wrong length");
  }
  if (more && header.length < piece_least_bytes)
    return fault("a continued frame has less than 4096 bytes of body");
  if (header.attachments > packet_attachments)
    return fault("more than 253 descriptors in one frame");
  const auto what = static_cast<kind>(header.kind);
  if (rule.has_id ? header.id == 0 && what != kind::credit : header.id != 0)
    return fault(rule.has_id ? "the frame lacks an id" : "this kind of frame has no id");
  if ((header.flags & flag::row_credit) && what != kind::subscribe)
    return fault("row credit stands on a frame other than subscribe");

  out.what = what;
  out.more = more;
  out.attachments = header.attachments;
  out.id = header.id;
  const std::byte* extension = at + header_bytes;
  auto next = [&](std::uint8_t which, std::optional<std::uint64_t>& field) {
    field.reset();
    if (!(header.flags & which)) return;
    field = base::load<std::uint64_t>(extension);
    extension += extension_bytes;
  };
  next(flag::deadline, out.extra.deadline);
  next(flag::sequence, out.extra.sequence);
  next(flag::flow, out.extra.flow);
  next(flag::row_credit, out.extra.row_credit);
  out.body = {at + head, header.length};
  out.size = size;
  return std::nullopt;
}

std::size_t write_head(std::byte* at, kind what, bool more, std::uint16_t attachments,
                       std::uint64_t id, const extensions& extra, std::size_t body_bytes) noexcept {
  const auto flags = static_cast<std::uint8_t>((more ? flag::more : 0) | extra.flags());
  base::store(at, frame_header{static_cast<std::uint32_t>(body_bytes),
                               static_cast<std::uint8_t>(what), flags, attachments, id});
  std::byte* to = at + header_bytes;
  for (const auto* field : {&extra.deadline, &extra.sequence, &extra.flow, &extra.row_credit}) {
    if (!*field) continue;
    base::store(to, **field);
    to += extension_bytes;
  }
  return static_cast<std::size_t>(to - at);
}

}  // namespace openxpc::channel
