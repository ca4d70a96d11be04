#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

// Everything on the wire is little-endian and at best 4-byte aligned, so it is read and written by
// copying.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "big-endian machines need byte swaps here");

namespace openxpc::base {

using bytes = std::span<const std::byte>;

template <class T>
T load(const std::byte* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
void store(std::byte* at, T value) noexcept {
  std::memcpy(at, &value, sizeof value);
}

/// memcpy() for what is mostly short, without a call then.
inline void copy_short(std::byte* to, const void* from, std::size_t size) noexcept {
  auto* at = static_cast<const std::byte*>(from);
  if (size > 16) {
    std::memcpy(to, at, size);
  } else if (size >= 8) {  // the two words overlap where it is not 16
    const auto first = load<std::uint64_t>(at), last = load<std::uint64_t>(at + size - 8);
    store(to, first);
    store(to + size - 8, last);
  } else if (size >= 4) {
    const auto first = load<std::uint32_t>(at), last = load<std::uint32_t>(at + size - 4);
    store(to, first);
    store(to + size - 4, last);
  } else if (size > 0) {
    to[size / 2] = at[size / 2];
    to[size - 1] = at[size - 1];
    to[0] = at[0];
  }
}

constexpr std::size_t round_up(std::size_t size, std::size_t to_power_of_two) noexcept {
  return (size + to_power_of_two - 1) & ~(to_power_of_two - 1);
}

inline bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(bytes data) noexcept {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

}  // namespace openxpc::base
