// Most messages are made by setting plain values one after the other and sending them. Such a
// dictionary keeps no entries: each value is written behind the last as it will travel, so that
// sending copies the whole and freeing frees once. Whatever else is done to it (a value replaced or
// removed, an object set, something set after a pointer into it was lent) makes it native first.
#include "base/utf8.hpp"
#include "object/dictionary.hpp"

#include <cstring>

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

bool is_sized(wire::tag what) noexcept {
  return what == wire::tag::string || what == wire::tag::data;
}
/// Of a string with its NUL.
std::size_t content_bytes(const plain_entry& of) noexcept {
  return of.content.size() + (of.what == wire::tag::string);
}
std::size_t encoded_bytes(const plain_entry& of) noexcept {
  return wire::key_bytes(static_cast<std::uint32_t>(of.key.size())) + 4 +
         (is_sized(of.what) ? 4 : 0) + base::round_up(content_bytes(of), 4);
}
bool is_small(const plain_entry& one) noexcept {
  return one.content.size() <= most_content_bytes && one.key.size() <= most_content_bytes &&
         base::is_utf8(one.key);
}

/// @return where the next one begins.
std::byte* write(std::byte* at, const plain_entry& one) noexcept {
  const std::size_t key_size = wire::key_bytes(static_cast<std::uint32_t>(one.key.size()));
  base::store<std::uint32_t>(at + key_size - 4, 0);
  base::copy_short(at, one.key.data(), one.key.size());
  at += key_size;
  base::store(at, one.what);
  at += 4;
  const std::size_t size = content_bytes(one), padded = base::round_up(size, 4);
  if (is_sized(one.what)) {
    base::store(at, static_cast<std::uint32_t>(size));
    at += 4;
    if (size) base::store<std::uint32_t>(at + padded - 4, 0);
  }
  base::copy_short(at, one.content.data(), one.content.size());
  return at + padded;
}

}  // namespace

ref<source> source::growing(std::size_t room) {
  auto made = with_room(wire::mode::local, room);
  std::byte* at = made->behind();
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

/// The header and the heads of the dictionary, over what was written behind them.
void dictionary::count_grown(std::uint32_t count, std::uint64_t keys) noexcept {
  const base::bytes whole = message()->bytes();
  auto* first = const_cast<std::byte*>(whole.data());
  grown_keys_ = keys;
  base::store(first + count_at, count);
  base::store(first + length_at, static_cast<std::uint32_t>(whole.size() - count_at));
}

bool dictionary::grow(const plain_entry& added) {
  const std::uint64_t key_bit = bit_of(added.key);
  if (!is_small(added) || !may_grow(added.key, key_bit)) return false;
  if (!is_view()) {
    become_view(source::growing(first_room_bytes));
    growing_ = true;
  }
  const std::size_t more = encoded_bytes(added);
  std::byte* at = message()->extend(more);
  if (!at) {
    base::bytes old = message()->bytes();
    const std::size_t room = 2 * (old.size() + more);
    if (room > most_room_bytes) return false;
    auto larger = source::growing(room);
    std::byte* copy = larger->extend(old.size() - empty_bytes);
    std::memcpy(copy - empty_bytes, old.data(), old.size());
    at = larger->extend(more);
    become_view(std::move(larger));
  }
  write(at, added);
  count_grown(view().count() + 1, grown_keys_ | key_bit);
  return true;
}

ref<dictionary> dictionary::filled(std::span<const plain_entry> entries) {
  if (entries.size() > indexed_above) return nullptr;
  std::uint64_t keys = 0;
  std::size_t size = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const plain_entry& each = entries[i];
    if (!is_small(each)) return nullptr;
    const std::uint64_t key_bit = bit_of(each.key);
    if (keys & key_bit)
      for (const plain_entry& before : entries.first(i))
        if (before.key == each.key) return nullptr;
    keys |= key_bit;
    size += encoded_bytes(each);
  }
  if (empty_bytes + size > most_room_bytes) return nullptr;
  auto made = create();
  made->become_view(source::growing(empty_bytes + size));
  made->growing_ = true;
  std::byte* at = made->message()->extend(size);
  for (const plain_entry& each : entries) at = write(at, each);
  made->count_grown(static_cast<std::uint32_t>(entries.size()), keys);
  return made;
}

}  // namespace openxpc::object
