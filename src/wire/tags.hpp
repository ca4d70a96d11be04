#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace openxpc::wire {

/// The type word in front of every encoded value: Apple's ordinal of the type, shifted left by 12.
enum class tag : std::uint32_t {
  null = 0x01000,
  boolean = 0x02000,
  int64 = 0x03000,
  uint64 = 0x04000,
  real = 0x05000,  // Apple's "double"
  pointer = 0x06000,
  date = 0x07000,
  data = 0x08000,
  string = 0x09000,
  uuid = 0x0a000,
  fd = 0x0b000,
  shmem = 0x0c000,
  mach_send = 0x0d000,
  array = 0x0e000,
  dictionary = 0x0f000,
  error = 0x10000,
  connection = 0x11000,
  endpoint = 0x12000,
  serializer = 0x13000,
  pipe = 0x14000,
  mach_receive = 0x15000,
  bundle = 0x16000,
  service = 0x17000,
  service_instance = 0x18000,
  activity = 0x19000,
  file_transfer = 0x1a000,
};

/// Which variant of the encoding is spoken. Only the header and the permitted types differ.
enum class mode : std::uint8_t {
  file,   // portable header, file transfers allowed: files, and what the world outside sends
  local,  // native header, no file transfers: what channels carry
};

inline constexpr std::uint32_t portable_magic = 0x42133742;
inline constexpr std::uint32_t native_magic = 0x40585043;  // "CPX@"
inline constexpr std::uint32_t version = 5;
inline constexpr std::uint32_t header_bytes = 8;

constexpr std::uint32_t magic_of(mode spoken) noexcept {
  return spoken == mode::file ? portable_magic : native_magic;
}

/// True for the values whose content travels beside the bytes: the n-th of them in byte order takes
/// the n-th attachment.
constexpr bool is_out_of_line(tag type) noexcept {
  return type == tag::fd || type == tag::shmem || type == tag::endpoint;
}

/// The ordinal that a tag stands for. Wrong low bits give a number that no type has.
constexpr std::uint32_t ordinal(tag type) noexcept {
  return std::rotr(static_cast<std::uint32_t>(type), 12);
}
inline constexpr std::uint32_t last_ordinal = 26;

/// Size of the whole encoding by ordinal for types that always take the same, 0 for all others.
inline constexpr std::uint8_t fixed_bytes[last_ordinal + 1] = {
    0, 4, 8, 12, 12, 12, 0, 12, 0, 0, 20, 4, 12, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0};

/// The type's name for people: "int64", "file transfer"; "unknown type" for numbers without a name.
std::string_view name(tag type) noexcept;

}  // namespace openxpc::wire
