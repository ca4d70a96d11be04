#include "channel/hello.hpp"

#include "channel/frame.hpp"

#include <unistd.h>

#include <algorithm>

namespace openxpc::channel {

hello hello_of(const settings& ours) {
  hello out;
  hello_fields& f = out.fields;
  f.message_bytes = std::max(ours.message_bytes, least::message_bytes);
  f.credit_bytes = std::max(ours.credit_bytes, least::credit_bytes);
  f.unanswered_count = std::max(ours.unanswered_count, least::unanswered_count);
  f.packet_bytes = std::max(ours.packet_bytes, least::packet_bytes);
  f.attachments = ours.attachments;
  f.euid = ::geteuid();
  f.egid = ::getegid();
  out.options = ours.options;
  return out;
}

void write_hello(base::buffer& to, const hello& what) {
  std::memcpy(to.extend(hello_fixed_bytes), &what.fields, hello_fixed_bytes);
  for (const hello_option& each : what.options) {
    const auto length =
        static_cast<std::uint16_t>(std::min<std::size_t>(each.value.size(), 0xffff));
    base::store(to.extend(2), each.type);
    base::store(to.extend(2), length);
    to.append(base::as_bytes(each.value).first(length));
    to.pad(4);
  }
}

namespace {

refusal refuse(std::uint32_t code, std::string text) {
  return {code, false, false, std::move(text)};
}

std::string range(std::uint16_t lowest, std::uint16_t highest) {
  return std::to_string(lowest) + " to " + std::to_string(highest);
}

std::optional<refusal> below(const char* name, std::uint64_t value, std::uint64_t minimum) {
  if (value >= minimum) return std::nullopt;
  return refuse(refusal_code::value, std::string("hello: ") + name + " is " +
                                         std::to_string(value) + ", the least is " +
                                         std::to_string(minimum));
}

}  // namespace

std::variant<hello, refusal> read_hello(base::bytes body, side ours) {
  hello out;
  hello_fields& f = out.fields;
  if (body.size() < sizeof f.magic || base::load<std::uint32_t>(body.data()) != hello_magic)
    return refuse(refusal_code::hello, "hello: the magic is missing, this is another protocol");
  if (body.size() < hello_fixed_bytes)
    return refuse(refusal_code::hello, "hello: " + std::to_string(body.size()) +
                                           " bytes, at least " + std::to_string(hello_fixed_bytes) +
                                           " are needed");
  std::memcpy(static_cast<void*>(&f), body.data(), hello_fixed_bytes);

  const bool common =
      f.lowest <= f.highest && f.lowest <= version_highest && f.highest >= version_lowest;
  if (!common)
    return refuse(refusal_code::versions, "hello: no protocol version in common: theirs " +
                                              range(f.lowest, f.highest) + ", ours " +
                                              range(version_lowest, version_highest));
  if (ours == side::accepting && f.lowest != f.highest)
    return refuse(refusal_code::versions,
                  "hello: the connecting side must choose one version, it said " +
                      range(f.lowest, f.highest));
  if (ours == side::accepting && (f.features & ~features_offered))
    return refuse(refusal_code::value,
                  "hello: the connecting side uses features that were not offered");
  if (auto r = below("message_bytes", f.message_bytes, least::message_bytes)) return *r;
  if (auto r = below("credit_bytes", f.credit_bytes, least::credit_bytes)) return *r;
  if (auto r = below("unanswered_count", f.unanswered_count, least::unanswered_count)) return *r;
  if (auto r = below("packet_bytes", f.packet_bytes, least::packet_bytes)) return *r;

  for (std::size_t at = hello_fixed_bytes; at < body.size();) {
    const std::size_t left = body.size() - at;
    if (left < 4) return refuse(refusal_code::hello, "hello: an option is cut short");
    const auto type = base::load<std::uint16_t>(body.data() + at);
    const std::size_t length = base::load<std::uint16_t>(body.data() + at + 2);
    if (base::round_up(length, 4) > left - 4)
      return refuse(refusal_code::hello, "hello: an option is longer than the hello");
    if (type >= 0x8000)
      return refuse(refusal_code::option,
                    "hello: option " + std::to_string(type) + " must be understood and is not");
    out.options.push_back({type, std::string(base::as_text(body.subspan(at + 4, length)))});
    at += 4 + base::round_up(length, 4);
  }
  return out;
}

std::uint16_t choose_version(const hello_fields& theirs) noexcept {
  return std::min(theirs.highest, version_highest);
}

void write_refusal(base::buffer& to, const refusal& what) {
  base::store(to.extend(4), what.code);
  base::store(to.extend(4),
              static_cast<std::uint32_t>((what.may_retry ? 1 : 0) | (what.moved ? 2 : 0)));
  to.append(base::as_bytes(std::string_view(what.text).substr(0, 4096)));
}

std::optional<refusal> read_refusal(base::bytes body) {
  if (body.size() < 8) return std::nullopt;
  const auto flags = base::load<std::uint32_t>(body.data() + 4);
  return refusal{base::load<std::uint32_t>(body.data()), (flags & 1) != 0, (flags & 2) != 0,
                 std::string(base::as_text(body.subspan(8)))};
}

}  // namespace openxpc::channel
