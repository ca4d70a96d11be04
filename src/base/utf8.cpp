#include "base/utf8.hpp"

#include "base/bytes.hpp"

#include <cstdint>

namespace openxpc::base {
namespace {

/// Size of the sequence that starts at `at`, or 0 when it is not valid or is cut by `end`. The lead
/// byte narrows what its first continuation may be (RFC 3629); that alone excludes overlong forms,
/// surrogates and what is too large.
std::size_t sequence(const unsigned char* at, const unsigned char* end) noexcept {
  unsigned char lead = at[0];
  std::size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (lead < 0xc2 || lead > 0xf4 || static_cast<std::size_t>(end - at) < size) return 0;
  unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (at[1] < low || at[1] > high) return 0;
  for (std::size_t i = 2; i < size; ++i)
    if ((at[i] & 0xc0) != 0x80) return 0;
  return size;
}

/// True when each byte is in 1..0x7f.
template <class Word>
bool plain(Word word) noexcept {
  constexpr Word ones = static_cast<Word>(0x0101010101010101u);
  return (((word - ones) | word) & (ones << 7)) == 0;
}

/// Whether all of it is plain, for texts of at least 4 bytes; the last words overlap.
bool all_plain(const std::byte* at, std::size_t size) noexcept {
  if (size < 8) return plain(load<std::uint32_t>(at)) && plain(load<std::uint32_t>(at + size - 4));
  for (std::size_t i = 0; i + 8 < size; i += 8)
    if (!plain(load<std::uint64_t>(at + i))) return false;
  return plain(load<std::uint64_t>(at + size - 8));
}

}  // namespace

std::size_t utf8_prefix(std::string_view text) noexcept {
  // Most texts are short and ASCII.
  if (text.size() >= 4 && all_plain(as_bytes(text).data(), text.size())) return text.size();
  auto* start = reinterpret_cast<const unsigned char*>(text.data());
  auto* at = start;
  auto* end = start + text.size();
  while (at < end) {
    if (end - at >= 8) {
      if (plain(load<std::uint64_t>(reinterpret_cast<const std::byte*>(at)))) {
        at += 8;
        continue;
      }
    }
    if (*at - 1u < 0x7f) {
      ++at;
      continue;
    }
    std::size_t size = *at < 0x80 ? 0 : sequence(at, end);
    if (size == 0) break;
    at += size;
  }
  return static_cast<std::size_t>(at - start);
}

}  // namespace openxpc::base
