// The one pass. It walks the bytes in wire order with the innermost container in hand and the ones
// around it on a stack of fixed size; every read is bounded by the innermost container's end, which
// lies inside its parent's. Since the header has 8 bytes and everything that is accepted takes a
// multiple of 4, whole words may be read where the room for them was checked.
//
// The common path (a short ASCII key, a scalar or an ASCII string) makes no call. Where its quick
// test fails, a second, slower look decides whether something is wrong, and what exactly.
#include "wire/validate.hpp"

#include "base/utf8.hpp"
#include "wire/cursor.hpp"
#include "wire/unique_keys.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace openxpc::wire {
namespace {

using base::load;
using byte_pointer = const std::byte*;

constexpr std::uint64_t ones = 0x0101010101010101u;
constexpr std::uint64_t tops = 0x8080808080808080u;
constexpr std::uint64_t odd = 0x9e3779b97f4a7c15u;

constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
  return (hash ^ word) * odd;
}

/// How a type is to be checked: by its size alone, by leaf(), or by descend().
enum class shape : std::uint8_t { scalar, leaf, container };
constexpr auto shapes = [] {
  std::array<shape, last_ordinal + 1> table{};
  table.fill(shape::leaf);
  for (tag type : {tag::null, tag::int64, tag::uint64, tag::real, tag::date, tag::uuid})
    table[ordinal(type)] = shape::scalar;
  for (tag type : {tag::array, tag::dictionary, tag::file_transfer})
    table[ordinal(type)] = shape::container;
  return table;
}();

/// A key of a small dictionary: half of its hash, and its offset in the lower half. The hash is not
/// keyed: a sender can make at most 16 keys meet.
using small_key = std::uint64_t;
constexpr std::uint64_t upper_half = 0xffffffff00000000u;

/// A container whose end has not been reached.
struct open_container {
  byte_pointer end;
  std::uint64_t seen;  // fingerprints of its keys so far, as a set of 64 bits
  small_key* keys;     // its keys so far, when compare is set
  std::uint32_t left;  // entries still to come
  std::uint32_t count;
  std::uint32_t first;  // offset of its first entry
  std::uint16_t level;
  bool is_dictionary;
  bool is_transfer;  // the dictionary that describes a file transfer
  bool compare;      // keys are compared as they are read
};

/// What a key comes to: where its value starts, and its fingerprint. No `next`: look again, slowly.
struct key_end {
  byte_pointer next;
  std::uint64_t hash;
};

/// ASCII keys. A key is followed by a value of at least 4 bytes, so whatever part of a valid key is
/// looked at, there are 8 bytes left.
inline key_end quick_key(byte_pointer at, byte_pointer end) noexcept {
  std::uint64_t hash = 0, text = 0, word, zeros;
  for (;; at += 8) {
    if (end - at < 8) return {nullptr, 0};
    word = load<std::uint64_t>(at);
    zeros = (word - ones) & ~word & tops;
    if (zeros) break;
    text |= word;
    hash = mix(hash, word);
  }
  // The lowest flag marks the first NUL, in front of which is text. The key ends with the 4-byte
  // word that has it.
  bool is_short = static_cast<std::uint32_t>(zeros) != 0;
  std::uint64_t rest = word & (zeros ^ (zeros - 1));
  std::uint64_t whole = is_short ? static_cast<std::uint32_t>(word) : word;
  if (((text | rest) & tops) | (whole ^ rest)) return {nullptr, 0};
  return {at + (is_short ? 4 : 8), mix(hash, rest)};
}

/// ASCII strings. `text` has round_up(length, 4) bytes; length is not 0.
inline bool is_plain_string(byte_pointer text, std::uint32_t length) noexcept {
  std::uint32_t size = length - 1;
  byte_pointer last = text + (size & ~3u);  // the word with the NUL
  std::uint64_t bad = 0;
  for (; last - text >= 8; text += 8) {
    auto word = load<std::uint64_t>(text);
    bad |= (word - ones) | word;
  }
  if (text != last) {
    std::uint64_t word = load<std::uint32_t>(text) | (ones << 32);
    bad |= (word - ones) | word;
  }
  unsigned used = 8 * (size & 3);
  std::uint64_t word = load<std::uint32_t>(last);
  if (word >> used) return false;
  word |= ones << used;
  bad |= (word - ones) | word;
  return (bad & tops) == 0;
}

bool all_zero(byte_pointer at, byte_pointer end) noexcept {
  return std::all_of(at, end, [](std::byte each) { return each == std::byte{}; });
}

class pass {
 public:
  pass(base::bytes message, mode spoken, std::size_t attachments, const limits& max) noexcept
      : start_(message.data()),
        stop_(message.data() + message.size()),
        attachments_(attachments),
        most_level_(std::min(max.depth, most_depth)),
        mode_(spoken) {}

  std::optional<malformed> run() noexcept {
    if (header() && reserve() && walk()) return std::nullopt;
    return problem_;
  }
  summary&& found() noexcept { return std::move(found_); }

 private:
  [[gnu::cold]] bool fail(fault what, byte_pointer where) noexcept {
    problem_ = {what, offset(where)};
    return false;
  }
  std::uint32_t offset(byte_pointer at) const noexcept {
    return static_cast<std::uint32_t>(at - start_);
  }

  bool header() noexcept;
  bool reserve() noexcept {
    return found_.out_of_line.reserve(attachments_) || fail(fault::out_of_memory, start_);
  }
  bool walk() noexcept;
  bool enter(byte_pointer at, byte_pointer end, unsigned level, open_container& inner) noexcept;
  bool leave(const open_container& now) noexcept;
  bool descend(tag type, byte_pointer& at, open_container& now, open_container& aside) noexcept;
  bool key(byte_pointer& at, open_container& now, small_key*& free_key) noexcept;
  bool leaf(tag type, byte_pointer at, std::size_t room, std::size_t& size) noexcept;
  bool all_attachments_used() noexcept {
    return found_.out_of_line.size() == attachments_ || fail(fault::attachment_unused, stop_);
  }
  [[gnu::noinline]] key_end slow_key(byte_pointer key, byte_pointer end) noexcept;
  [[gnu::noinline]] bool slow_string(byte_pointer text, std::uint32_t length) noexcept;
  [[gnu::noinline]] bool is_new(const small_key* from, const small_key* to) noexcept;
  bool out_of_line(byte_pointer at) noexcept;
  bool has_size(const open_container& transfer) noexcept;

  const byte_pointer start_;
  const byte_pointer stop_;
  const std::size_t attachments_;
  const std::uint16_t most_level_;
  const mode mode_;
  malformed problem_{};
  summary found_;
};

bool pass::header() noexcept {
  if (stop_ - start_ < header_bytes) return fail(fault::header_cut, start_);
  if (load<std::uint32_t>(start_) != magic_of(mode_))
    return fail(mode_ == mode::file ? fault::not_portable : fault::not_native, start_);
  if (load<std::uint32_t>(start_ + 4) != version) return fail(fault::wrong_version, start_ + 4);
  byte_pointer root = start_ + header_bytes;
  if (stop_ - root < 4) return fail(fault::value_missing, root);
  if (load<tag>(root) != tag::dictionary) return fail(fault::root_not_dictionary, root);
  return true;
}

/// Checks the head of the array or dictionary at `at` against what contains it, which ends at
/// `end`.
inline bool pass::enter(byte_pointer at, byte_pointer end, unsigned level,
                        open_container& inner) noexcept {
  if (end - at < 12) return fail(fault::value_cut, at);
  if (level > most_level_) return fail(fault::too_deep, at);
  auto length = load<std::uint32_t>(at + 4);
  auto count = load<std::uint32_t>(at + 8);
  bool is_dictionary = load<tag>(at) == tag::dictionary;
  if (length < 4) return fail(fault::length_too_small, at + 4);
  if (length & 3) return fail(fault::length_not_aligned, at + 4);
  if (length > static_cast<std::size_t>(end - at - 8)) return fail(fault::length_past_end, at + 4);
  if (count > (length - 4) >> (is_dictionary ? 3 : 2)) return fail(fault::count_too_large, at + 8);
  found_.entries += count;
  inner.end = at + 8 + length;
  inner.seen = 0;
  inner.left = inner.count = count;
  inner.first = offset(at) + 12;
  inner.level = static_cast<std::uint16_t>(level);
  inner.is_dictionary = is_dictionary;
  inner.is_transfer = false;
  inner.compare = is_dictionary && count - 2 <= few_keys - 2;
  return true;
}

/// All entries were read. What can only be said about the whole dictionary is said here.
inline bool pass::leave(const open_container& now) noexcept {
  if (now.is_dictionary && now.count > few_keys)
    if (auto repeated = find_repeated_key(start_, now.first, now.count)) {
      problem_ = *repeated;
      return false;
    }
  return !now.is_transfer || has_size(now);
}

/// Checks the key at `at` and moves behind it. Small dictionaries compare it with their others
/// here.
inline bool pass::key(byte_pointer& at, open_container& now, small_key*& free_key) noexcept {
  byte_pointer key = at;
  key_end scanned = quick_key(at, now.end);
  if (!scanned.next) [[unlikely]] {
    scanned = slow_key(at, now.end);
    if (!scanned.next) return false;
  }
  at = scanned.next;
  if (!now.compare) return true;
  *free_key++ = (scanned.hash & upper_half) | offset(key);
  std::uint64_t seen = std::uint64_t{1} << (scanned.hash >> 58);
  if ((now.seen & seen) && !is_new(now.keys, free_key)) return false;
  now.seen |= seen;
  return true;
}

/// Checks what values that contain no others must keep beyond their size, and finds the size of
/// strings and data.
inline bool pass::leaf(tag type, byte_pointer at, std::size_t room, std::size_t& size) noexcept {
  if (type == tag::boolean)
    return room < 8 || load<std::uint32_t>(at + 4) <= 1 || fail(fault::bool_neither, at + 4);
  if (is_out_of_line(type)) return out_of_line(at);
  if (type != tag::string && type != tag::data)
    return fail(type == tag{} ? fault::unknown_type : fault::type_not_sendable, at);
  if (room < 8) return fail(fault::value_cut, at);
  auto length = load<std::uint32_t>(at + 4);
  size = 8 + ((static_cast<std::size_t>(length) + 3) & ~std::size_t{3});
  if (type == tag::data) {
    if (size > room) return fail(fault::data_past_end, at + 4);
    return all_zero(at + 8 + length, at + size) || fail(fault::data_padding, at + 8 + length);
  }
  if (length == 0) return fail(fault::string_length_zero, at + 4);
  if (size > room) return fail(fault::string_past_end, at + 4);
  return is_plain_string(at + 8, length) || slow_string(at + 8, length);
}

/// Puts the container in hand aside, enters the one at `at` and moves to its first entry.
inline bool pass::descend(tag type, byte_pointer& at, open_container& now,
                          open_container& aside) noexcept {
  byte_pointer end = now.end;
  unsigned level = now.level + 1u;
  bool is_transfer = type == tag::file_transfer;
  if (is_transfer) {
    if (mode_ != mode::file) return fail(fault::type_in_files_only, at);
    if (end - at < 12) return fail(fault::value_cut, at);
    if (end - at < 16 || load<tag>(at + 12) != tag::dictionary)
      return fail(fault::transfer_not_dictionary, at + 12);
    at += 12;
    ++level;
  }
  aside = now;
  if (!enter(at, end, level, now)) return false;
  now.is_transfer = is_transfer;
  at += 12;
  return true;
}

bool pass::walk() noexcept {
  open_container around[most_depth];
  small_key keys[most_depth * few_keys];
  open_container now;
  std::uint32_t depth = 0;
  byte_pointer at = start_ + header_bytes;
  if (!enter(at, stop_, 1, now)) return false;
  if (now.end != stop_) return fail(fault::trailing_bytes, now.end);
  now.keys = keys;
  small_key* free_key = keys;
  at += 12;

  for (;;) {
    while (now.left == 0) {
      if (at != now.end) return fail(fault::content_too_short, at);
      if ((now.count > few_keys || now.is_transfer) && !leave(now)) return false;
      if (depth == 0) return all_attachments_used();
      free_key = now.keys;
      now = around[--depth];
    }
    --now.left;
    if (now.is_dictionary && !key(at, now, free_key)) return false;

    auto room = static_cast<std::size_t>(now.end - at);
    if (room < 4) return fail(fault::value_missing, at);
    auto type = load<tag>(at);
    std::uint32_t number = ordinal(type);
    if (number > last_ordinal) return fail(fault::unknown_type, at);
    std::size_t size = fixed_bytes[number];
    if (shapes[number] != shape::scalar) {
      if (shapes[number] == shape::container) {
        if (!descend(type, at, now, around[depth])) return false;
        ++depth;
        now.keys = free_key;
        continue;
      }
      if (!leaf(type, at, room, size)) return false;
    }
    if (size > room) return fail(fault::value_cut, at);
    at += size;
  }
}

/// Keys that are not plain ASCII, and all kinds of bad ones. Without `next` the problem was noted.
key_end pass::slow_key(byte_pointer key, byte_pointer end) noexcept {
  const key_end refused{nullptr, 0};
  if (key == end) return fail(fault::key_missing, key), refused;
  byte_pointer nul = std::find(key, end, std::byte{});
  if (nul == end) return fail(fault::key_unterminated, key), refused;
  std::string_view text = base::as_text({key, nul});
  std::size_t valid = base::utf8_prefix(text);
  if (valid != text.size()) return fail(fault::key_not_utf8, key + valid), refused;
  // The end is a multiple of 4 away from the start, so the padding is inside.
  byte_pointer next = key + base::round_up(text.size() + 1, 4);
  if (!all_zero(nul, next)) return fail(fault::key_padding, nul + 1), refused;
  std::uint64_t hash = 0;
  for (byte_pointer at = key; at < next; at += 8)
    hash = mix(hash, next - at >= 8 ? load<std::uint64_t>(at) : load<std::uint32_t>(at));
  return {next, hash};
}

/// Strings that are not plain ASCII, and all kinds of bad ones.
bool pass::slow_string(byte_pointer text, std::uint32_t length) noexcept {
  byte_pointer last = text + length - 1;
  byte_pointer nul = std::find(text, last, std::byte{});
  if (*last != std::byte{}) return fail(fault::string_unterminated, last);
  if (nul != last) return fail(fault::string_nul_inside, nul);
  std::size_t valid = base::utf8_prefix(base::as_text({text, last}));
  if (text + valid != last) return fail(fault::string_not_utf8, text + valid);
  if (!all_zero(last, text + base::round_up(length, 4)))
    return fail(fault::string_padding, last + 1);
  return true;
}

/// Whether the last of some keys differs from all before it.
bool pass::is_new(const small_key* from, const small_key* to) noexcept {
  small_key last = *--to;
  auto text = [&](small_key key) {
    return reinterpret_cast<const char*>(start_ + static_cast<std::uint32_t>(key));
  };
  for (; from != to; ++from)
    if (((*from ^ last) & upper_half) == 0 && std::strcmp(text(*from), text(last)) == 0)
      return fail(fault::key_repeated, start_ + static_cast<std::uint32_t>(last));
  return true;
}

bool pass::out_of_line(byte_pointer at) noexcept {
  if (found_.out_of_line.size() == attachments_) return fail(fault::attachment_missing, at);
  found_.out_of_line.push(offset(at));
  return true;
}

bool pass::has_size(const open_container& transfer) noexcept {
  for (const entry& each : entry_range(start_, transfer.first, transfer.count))
    if (each.key == "s" && each.content.type() == tag::uint64) return true;
  return fail(fault::transfer_without_size, start_ + transfer.first - 12);
}

}  // namespace

std::optional<malformed> validate(base::bytes message, mode spoken, std::size_t attachments,
                                  const limits& max, summary* found) noexcept {
  if (message.size() > max.bytes) return malformed{fault::message_too_large, max.bytes};
  if (attachments > max.attachments) return malformed{fault::attachments_too_many, 0};
  pass one(message, spoken, attachments, max);
  auto problem = one.run();
  if (!problem && found) *found = one.found();
  return problem;
}

}  // namespace openxpc::wire
