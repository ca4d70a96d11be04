#include "base/hash.hpp"

#include "object/array.hpp"
#include "object/dictionary.hpp"
#include "object/endpoint.hpp"
#include "object/file_transfer.hpp"
#include "object/value.hpp"

#include <bit>

namespace openxpc::object {
namespace {

/// Deeper values do not enter the hash: equal containers still hash alike, and cycles end.
constexpr unsigned deepest = 6;
/// Of a long array only so many elements enter.
constexpr std::size_t most_elements = 64;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t words[2] = {a, b};
  return base::keyed_hash(std::as_bytes(std::span(words)));
}

std::uint64_t hash_of(const item& of, unsigned depth);

std::uint64_t content_hash(const item& of, unsigned depth) {
  switch (of.what()) {
    case OPENXPC_TYPE_NULL:
      return 0;
    case OPENXPC_TYPE_BOOL:
      return of.to_bool();
    case OPENXPC_TYPE_INT64:
    case OPENXPC_TYPE_UINT64:
    case OPENXPC_TYPE_DATE:
      return of.to_bits();
    case OPENXPC_TYPE_DOUBLE:  // 0.0 equals -0.0
      return std::bit_cast<double>(of.to_bits()) == 0 ? 0 : of.to_bits();
    case OPENXPC_TYPE_STRING:
      return base::keyed_hash(base::as_bytes(of.to_string()));
    case OPENXPC_TYPE_DATA:
      return base::keyed_hash(of.to_data());
    case OPENXPC_TYPE_UUID:
      return base::keyed_hash({of.to_uuid(), 16});
    case OPENXPC_TYPE_ENDPOINT: {
      auto& to = *static_cast<endpoint*>(of.as_object());
      return mix(to.device(), to.inode());
    }
    case OPENXPC_TYPE_DICTIONARY: {
      auto& in = *static_cast<dictionary*>(of.as_object());
      std::uint64_t sum = in.count();  // a sum: the order of entries means nothing
      if (depth < deepest)
        in.each([&](std::string_view key, const item& value) {
          sum += mix(base::keyed_hash(base::as_bytes(key)), hash_of(value, depth + 1));
          return true;
        });
      return sum;
    }
    case OPENXPC_TYPE_ARRAY: {
      auto& in = *static_cast<array*>(of.as_object());
      std::uint64_t all = in.count();
      if (depth < deepest)
        in.each([&](std::size_t index, const item& value) {
          all = mix(all, hash_of(value, depth + 1));
          return index + 1 < most_elements;
        });
      return all;
    }
    case OPENXPC_TYPE_FILE_TRANSFER:
      return static_cast<file_transfer*>(of.as_object())->id();
    default:
      return reinterpret_cast<std::uintptr_t>(of.as_object());
  }
}

std::uint64_t hash_of(const item& of, unsigned depth) {
  return mix(of.what(), content_hash(of, depth));
}

}  // namespace

std::size_t hash(const item& of) { return hash_of(of, 0); }

}  // namespace openxpc::object
