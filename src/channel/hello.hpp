#pragma once

#include "base/buffer.hpp"
#include "base/bytes.hpp"
#include "channel/settings.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// The codec of hello and refusal: docs/design/channel.md section 2. Their layout is the same in
// every version.
namespace openxpc::channel {

inline constexpr std::uint32_t hello_magic = 0x4c435058;  // "XPCL"
inline constexpr std::uint16_t version_lowest = 1, version_highest = 1;
/// Feature bits.
namespace feature {
inline constexpr std::uint64_t ring = 1;
}  // namespace feature
inline constexpr std::uint64_t features_offered = feature::ring;

/// The fixed part, as it lies on the wire.
struct hello_fields {
  std::uint32_t magic = hello_magic;
  std::uint16_t lowest = version_lowest, highest = version_highest;
  std::uint64_t features = features_offered;
  std::uint64_t message_bytes = 0, credit_bytes = 0;
  std::uint32_t unanswered_count = 0, packet_bytes = 0, attachments = 0;
  std::uint32_t euid = 0, egid = 0;
  /// The challenge to the receiver; all zeros for none. Proof of a peer fills it (threat-model.md
  /// section 3).
  std::array<std::byte, 32> nonce{};
  std::uint32_t padding = 0;  // memory only

  bool has_nonce() const noexcept {
    for (std::byte each : nonce)
      if (each != std::byte{0}) return true;
    return false;
  }
};
inline constexpr std::size_t hello_fixed_bytes = 84;
static_assert(sizeof(hello_fields) == 88 && offsetof(hello_fields, features) == 8 &&
              offsetof(hello_fields, message_bytes) == 16 &&
              offsetof(hello_fields, unanswered_count) == 32 &&
              offsetof(hello_fields, euid) == 44 && offsetof(hello_fields, nonce) == 52 &&
              offsetof(hello_fields, padding) == hello_fixed_bytes);

struct hello {
  hello_fields fields;
  std::vector<hello_option> options;
};

namespace least {
inline constexpr std::uint64_t message_bytes = 65536, credit_bytes = 65536;
inline constexpr std::uint32_t unanswered_count = 1, packet_bytes = 65536;
}  // namespace least

/// Codes of a refusal that the channel itself sends or understands. The layers above have the rest
/// of the space.
namespace refusal_code {
inline constexpr std::uint32_t versions = 1;  ///< no version in common
inline constexpr std::uint32_t hello = 2;     ///< not a hello, or one that breaks its layout
inline constexpr std::uint32_t value = 3;     ///< a limit below its minimum
inline constexpr std::uint32_t option = 4;    ///< an option that must be understood and is not
inline constexpr std::uint32_t first_free = 64;
}  // namespace refusal_code

struct refusal {
  std::uint32_t code = 0;
  bool may_retry = false, moved = false;
  std::string text;
};

/// What we say about ourselves.
hello hello_of(const settings& ours);
/// Appends the body of a hello frame.
void write_hello(base::buffer& to, const hello& what);
/// Reads a hello and judges it. The accepting side calls it for the client's answer, which must
/// choose one version.
/// @return the hello, or the refusal to answer with.
std::variant<hello, refusal> read_hello(base::bytes body, side ours);
/// The version the connecting side chooses: the highest that both speak.
std::uint16_t choose_version(const hello_fields& theirs) noexcept;

/// Appends the body of a refusal frame; the text is cut at what fits in one.
void write_refusal(base::buffer& to, const refusal& what);
/// Nothing if it breaks its layout.
std::optional<refusal> read_refusal(base::bytes body);

}  // namespace openxpc::channel
