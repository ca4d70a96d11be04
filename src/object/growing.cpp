// Most messages are made by setting plain values one after the other and sending them. Such a
// dictionary keeps no entries: each value is written behind the last as it will travel, so that
// sending copies the whole and freeing frees once. Whatever else is done to it (a value replaced or
// removed, an object set, something set after a pointer into it was lent) makes it native first.
#include "base/utf8.hpp"
#include "object/dictionary.hpp"

#include <cstring>
#include <new>

namespace openxpc::object {
namespace {

constexpr std::size_t first_room_bytes = 384, most_room_bytes = 16384;
/// Header, tag, length and count of an empty dictionary; the length stands at 12, the count at 16.
constexpr std::size_t empty_bytes = wire::header_bytes + 12, length_at = 12, count_at = 16;
constexpr std::size_t most_content_bytes = 2048;

/// Unlike bits: unlike keys.
std::uint64_t bit_of(std::string_view key) noexcept {
  if (key.empty()) return 1;
  const auto first = static_cast<unsigned char>(key.front());
  const auto last = static_cast<unsigned char>(key.back());
  return std::uint64_t{1} << ((first + 7u * last + 13u * key.size()) & 63);
}

}  // namespace

ref<source> source::growing(std::size_t room) {
  void* memory = ::operator new(sizeof(source) + room);
  auto made = ref<source>::adopt(new (memory) source(wire::mode::local));
  auto* at = static_cast<std::byte*>(memory) + sizeof(source);
  base::store(at, wire::magic_of(wire::mode::local));
  base::store(at + 4, wire::version);
  base::store(at + wire::header_bytes, wire::tag::dictionary);
  base::store<std::uint32_t>(at + length_at, 4);
  base::store<std::uint32_t>(at + count_at, 0);
  made->bytes_ = {at, empty_bytes};
  made->room_ = room;
  return made;
}

std::byte* source::extend(std::size_t more) noexcept {
  if (more > room_ - bytes_.size()) return nullptr;
  auto* first = const_cast<std::byte*>(bytes_.data());
  std::byte* end = first + bytes_.size();
  bytes_ = {first, bytes_.size() + more};
  return end;
}

/// Whether a new key can be written behind what is there.
bool dictionary::may_grow(std::string_view key, std::uint64_t key_bit) const {
  if (!is_view()) return entries_.empty();
  if (!growing_ || lent_.load(std::memory_order_relaxed) || has_children()) return false;
  if (!message()->unique() || view().count() >= indexed_above) return false;
  if (!(grown_keys_ & key_bit)) return true;
  for (const wire::entry& each : view().entries())
    if (each.key == key) return false;
  return true;
}

bool dictionary::grow(std::string_view key, wire::tag what, base::bytes content) {
  if (content.size() > most_content_bytes || key.size() > most_content_bytes) return false;
  const std::uint64_t key_bit = bit_of(key);
  if (!may_grow(key, key_bit) || !base::is_utf8(key)) return false;
  const bool text = what == wire::tag::string;
  const bool sized = text || what == wire::tag::data;
  const std::size_t key_size = wire::key_bytes(static_cast<std::uint32_t>(key.size()));
  const std::size_t content_size = content.size() + text;
  const std::size_t value_size = 4 + (sized ? 4 : 0) + base::round_up(content_size, 4);

  if (!is_view()) {
    become_view(source::growing(first_room_bytes));
    growing_ = true;
  }
  auto* into = message().get();
  std::byte* at = into->extend(key_size + value_size);
  if (!at) {
    base::bytes old = into->bytes();
    const std::size_t room = 2 * (old.size() + key_size + value_size);
    if (room > most_room_bytes) return false;
    auto larger = source::growing(room);
    std::byte* copy = larger->extend(old.size() - empty_bytes);
    std::memcpy(copy - empty_bytes, old.data(), old.size());
    at = larger->extend(key_size + value_size);
    become_view(std::move(larger));
    into = message().get();
  }
  base::store<std::uint32_t>(at + key_size - 4, 0);
  if (!key.empty()) std::memcpy(at, key.data(), key.size());
  at += key_size;
  base::store(at, what);
  at += 4;
  if (sized) {
    base::store(at, static_cast<std::uint32_t>(content_size));
    at += 4;
    if (content_size) base::store<std::uint32_t>(at + base::round_up(content_size, 4) - 4, 0);
  }
  if (!content.empty()) std::memcpy(at, content.data(), content.size());

  auto* first = const_cast<std::byte*>(into->bytes().data());
  grown_keys_ |= key_bit;
  base::store(first + count_at, view().count() + 1);
  base::store(first + length_at, static_cast<std::uint32_t>(into->bytes().size() - count_at));
  return true;
}

}  // namespace openxpc::object
