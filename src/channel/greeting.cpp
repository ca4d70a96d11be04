#include "channel/greeting.hpp"

#include "channel/frame.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace openxpc::channel {
namespace {

base::buffer packet_of(kind what, const base::buffer& body) {
  base::buffer out;
  std::byte* at = out.extend(frame_head_most_bytes);
  const std::size_t head = write_head(at, what, false, 0, 0, {}, body.size());
  out.resize(head);
  out.append(body.view());
  out.pad(frame_alignment);
  return out;
}

}  // namespace

std::uint64_t time_namespace() noexcept {
  static const std::uint64_t inode = [] {
    struct stat what{};
    return ::stat("/proc/self/ns/time", &what) == 0 ? std::uint64_t{what.st_ino} : 0;
  }();
  return inode;
}

base::buffer hello_packet(const settings& ours, side which, const hello* theirs) {
  hello own = hello_of(ours);
  if (which == side::connecting && theirs) {
    own.fields.lowest = own.fields.highest = choose_version(theirs->fields);
    own.fields.features = theirs->fields.features & features_offered;
  }
  if (const std::uint64_t inode = time_namespace()) {
    std::string value(sizeof inode, '\0');
    std::memcpy(value.data(), &inode, sizeof inode);
    own.options.push_back({option::time_namespace, std::move(value)});
  }
  base::buffer body;
  write_hello(body, own);
  return packet_of(kind::hello, body);
}

base::buffer refusal_packet(const refusal& what) {
  base::buffer body;
  write_refusal(body, what);
  return packet_of(kind::refusal, body);
}

greeting read_greeting(base::bytes packet, side ours) {
  greeting out;
  auto object = [&](std::string text) {
    out.objection = refusal{refusal_code::hello, false, false, std::move(text)};
  };
  frame first;
  if (packet.size() > control_most_bytes) {
    object("hello: the first packet is longer than 65536 bytes");
  } else if (auto malformed = parse_frame(packet, 0, first)) {
    object(std::string("hello: ") + malformed->text);
  } else if (first.size != packet.size()) {
    object("hello: it is not alone in its packet");
  } else if (first.what == kind::refusal) {
    out.refused = read_refusal(first.body);
    if (!out.refused) object("hello: a refusal that breaks its layout");
  } else if (first.what != kind::hello) {
    object(std::string("hello: ") + name_of(first.what) + " came in its place");
  } else {
    auto said = read_hello(first.body, ours);
    if (auto* objection = std::get_if<refusal>(&said))
      out.objection = std::move(*objection);
    else
      out.said = std::move(std::get<hello>(said));
  }
  return out;
}

void describe(const hello& said, peer_info& out) {
  const hello_fields& f = said.fields;
  out.version = std::min(f.highest, version_highest);
  out.features = f.features & features_offered;
  out.message_bytes = f.message_bytes;
  out.credit_bytes = f.credit_bytes;
  out.unanswered_count = f.unanswered_count;
  out.packet_bytes = f.packet_bytes;
  out.attachments = f.attachments;
  out.options = said.options;
  out.same_clock = false;
  const std::string* theirs = out.find(option::time_namespace);
  if (theirs && theirs->size() == sizeof(std::uint64_t)) {
    std::uint64_t inode;
    std::memcpy(&inode, theirs->data(), sizeof inode);
    out.same_clock = inode != 0 && inode == time_namespace();
  }
}

peer_limits limits_of(const hello& said, std::size_t wire_packet_bytes) noexcept {
  const hello_fields& f = said.fields;
  peer_limits out;
  out.message_bytes = f.message_bytes;
  out.credit_bytes = f.credit_bytes;
  out.unanswered_count = f.unanswered_count;
  out.packet_bytes =
      static_cast<std::uint32_t>(std::min<std::size_t>(f.packet_bytes, wire_packet_bytes));
  out.attachments = f.attachments;
  return out;
}

}  // namespace openxpc::channel
