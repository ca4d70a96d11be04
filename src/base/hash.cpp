#include "base/hash.hpp"

#include "base/random.hpp"

#include <bit>

namespace openxpc::base {
namespace {

struct key {
  std::uint64_t k0 = random_u64(), k1 = random_u64();
};

struct sip {
  std::uint64_t v0, v1, v2, v3;
  void round() noexcept {
    v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
  }
};

/// The up to 7 bytes from `from` on, as a number. Reads overlapping words rather than single bytes.
std::uint64_t tail(bytes data, std::size_t from) noexcept {
  std::size_t count = data.size() - from;
  const std::byte* at = data.data() + from;
  if (count == 0) return 0;
  if (from) return load<std::uint64_t>(at + count - 8) >> (64 - 8 * count);
  if (count >= 4)
    return load<std::uint32_t>(at) | static_cast<std::uint64_t>(load<std::uint32_t>(at + count - 4))
                                         << (8 * count - 32);
  auto byte = [&](std::size_t i) { return std::to_integer<std::uint64_t>(at[i]) << (8 * i); };
  return byte(0) | byte(count / 2) | byte(count - 1);
}

}  // namespace

std::uint64_t keyed_hash(bytes data) noexcept {
  static const key secret;
  sip s{secret.k0 ^ 0x736f6d6570736575, secret.k1 ^ 0x646f72616e646f6d,
        secret.k0 ^ 0x6c7967656e657261, secret.k1 ^ 0x7465646279746573};
  std::size_t whole = data.size() & ~std::size_t{7};
  for (std::size_t at = 0; at < whole; at += 8) {
    auto word = load<std::uint64_t>(data.data() + at);
    s.v3 ^= word;
    s.round();
    s.v0 ^= word;
  }
  std::uint64_t last = static_cast<std::uint64_t>(data.size()) << 56 | tail(data, whole);
  s.v3 ^= last;
  s.round();
  s.v0 ^= last;
  s.v2 ^= 0xff;
  s.round(), s.round(), s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace openxpc::base
