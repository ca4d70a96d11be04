#pragma once

#include "base/bytes.hpp"
#include "wire/tags.hpp"

#include <bit>
#include <cassert>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

namespace openxpc::wire {

class element_range;
class entry_range;

/// The length of the key at `at` in validated bytes, its NUL not counted. A key is padded and a
/// value of at least 4 bytes follows it, so 8 bytes may be read wherever a part of it starts.
inline std::uint32_t key_length(const std::byte* at) noexcept {
  for (std::uint32_t length = 0;; length += 8) {
    auto word = base::load<std::uint64_t>(at + length);
    std::uint64_t zeros = (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
    if (zeros) return length + (static_cast<std::uint32_t>(std::countr_zero(zeros)) >> 3);
  }
}

/// The bytes that a key takes: text, NUL, padding.
constexpr std::uint32_t key_bytes(std::uint32_t length) noexcept { return (length + 4) & ~3u; }

/// A view of one encoded value inside a message that validate() accepted; nothing is checked again,
/// and the getter must fit type(). Two words, to be copied freely; it lives no longer than the
/// message's bytes. Threads: any, the bytes are constant.
class value {
 public:
  value() noexcept = default;
  /// @param message  start of a validated message.
  /// @param offset   where in it a value starts, e.g. an earlier value's offset().
  value(const std::byte* message, std::uint32_t offset) noexcept
      : message_(message), offset_(offset) {}

  explicit operator bool() const noexcept { return message_ != nullptr; }
  tag type() const noexcept { return static_cast<tag>(word(0)); }
  /// From the start of the message: identifies the value within it.
  std::uint32_t offset() const noexcept { return offset_; }

  bool to_bool() const noexcept { return expect(tag::boolean), word(4) != 0; }
  std::int64_t to_int64() const noexcept { return expect(tag::int64), load<std::int64_t>(4); }
  std::uint64_t to_uint64() const noexcept { return expect(tag::uint64), load<std::uint64_t>(4); }
  double to_double() const noexcept { return expect(tag::real), load<double>(4); }
  /// Nanoseconds since 1970-01-01 UTC.
  std::int64_t to_date() const noexcept { return expect(tag::date), load<std::int64_t>(4); }
  /// Without the NUL, which follows it in memory: data() of it is a C string.
  std::string_view string() const noexcept {
    return expect(tag::string), base::as_text({at(8), word(4) - 1});
  }
  base::bytes data() const noexcept { return expect(tag::data), base::bytes{at(8), word(4)}; }
  /// The 16 bytes in text order.
  std::span<const std::byte, 16> uuid() const noexcept {
    return expect(tag::uuid), std::span<const std::byte, 16>{at(4), 16};
  }
  /// Size of the shared memory in bytes.
  std::uint64_t shmem_bytes() const noexcept { return expect(tag::shmem), load<std::uint64_t>(4); }
  std::uint64_t transfer_id() const noexcept {
    return expect(tag::file_transfer), load<std::uint64_t>(4);
  }
  /// The dictionary that describes a file transfer; its "s" is the size.
  value transfer_object() const noexcept {
    return expect(tag::file_transfer), value(message_, offset_ + 12);
  }

  /// Elements or key-value pairs. Array or dictionary only.
  std::uint32_t count() const noexcept { return word(8); }
  /// Array only.
  element_range elements() const noexcept;
  /// Dictionary only; in wire order.
  entry_range entries() const noexcept;
  /// The value of a key, or an empty value. Dictionary only. Linear: index large dictionaries
  /// instead.
  value find(std::string_view key) const noexcept;
  /// The element at `index`, which must be below count(). Array only. Walks from the start.
  value element(std::uint32_t index) const noexcept;

  /// Size of the whole encoding: tag, lengths, content and padding. Constant time.
  std::uint32_t encoded_bytes() const noexcept {
    tag is = type();
    if (std::uint32_t fixed = fixed_bytes[ordinal(is)]) return fixed;
    if (is == tag::string || is == tag::data) return 8 + ((word(4) + 3) & ~3u);
    if (is == tag::file_transfer) return 20 + word(16);
    return 8 + word(4);
  }
  /// The bytes of the whole value; they may be spliced into another message as they are.
  base::bytes encoded() const noexcept { return {at(0), encoded_bytes()}; }
  /// Where the encoding ends, as an offset in the message.
  std::uint32_t end_offset() const noexcept { return offset_ + encoded_bytes(); }

 private:
  const std::byte* at(std::uint32_t more) const noexcept { return message_ + offset_ + more; }
  std::uint32_t word(std::uint32_t more) const noexcept { return load<std::uint32_t>(more); }
  template <class T>
  T load(std::uint32_t more) const noexcept {
    return base::load<T>(at(more));
  }
  void expect([[maybe_unused]] tag wanted) const noexcept { assert(type() == wanted); }

  const std::byte* message_ = nullptr;
  std::uint32_t offset_ = 0;
};

/// One key and its value.
struct entry {
  std::string_view key;  // a NUL follows it in memory
  value content;
};

/// The entry that starts at `offset` of a validated message.
inline entry entry_at(const std::byte* message, std::uint32_t offset) noexcept {
  const std::uint32_t length = key_length(message + offset);
  return {base::as_text({message + offset, length}), value(message, offset + key_bytes(length))};
}

/// The elements of an array, as a forward range.
class element_range {
 public:
  class iterator {
   public:
    using value_type = value;
    using difference_type = std::ptrdiff_t;
    iterator() noexcept = default;
    iterator(const std::byte* message, std::uint32_t offset, std::uint32_t left) noexcept
        : at_(message, offset), message_(message), left_(left) {}
    value operator*() const noexcept { return at_; }
    iterator& operator++() noexcept {
      if (--left_) at_ = value(message_, at_.end_offset());
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator old = *this;
      ++*this;
      return old;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.left_ == b.left_;
    }
    friend bool operator==(const iterator& a, std::default_sentinel_t) noexcept {
      return a.left_ == 0;
    }

   private:
    value at_;
    const std::byte* message_ = nullptr;
    std::uint32_t left_ = 0;
  };

  element_range(const std::byte* message, std::uint32_t first, std::uint32_t count) noexcept
      : message_(message), first_(first), count_(count) {}
  iterator begin() const noexcept { return {message_, first_, count_}; }
  std::default_sentinel_t end() const noexcept { return {}; }
  std::uint32_t size() const noexcept { return count_; }

 private:
  const std::byte* message_;
  std::uint32_t first_, count_;
};

/// The key-value pairs of a dictionary in wire order, as a forward range.
class entry_range {
 public:
  class iterator {
   public:
    using value_type = entry;
    using difference_type = std::ptrdiff_t;
    iterator() noexcept = default;
    iterator(const std::byte* message, std::uint32_t offset, std::uint32_t left) noexcept
        : message_(message), left_(left) {
      if (left_) read(offset);
    }
    const entry& operator*() const noexcept { return at_; }
    const entry* operator->() const noexcept { return &at_; }
    iterator& operator++() noexcept {
      if (--left_) read(at_.content.end_offset());
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator old = *this;
      ++*this;
      return old;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.left_ == b.left_;
    }
    friend bool operator==(const iterator& a, std::default_sentinel_t) noexcept {
      return a.left_ == 0;
    }

   private:
    void read(std::uint32_t offset) noexcept { at_ = entry_at(message_, offset); }
    const std::byte* message_ = nullptr;
    entry at_;
    std::uint32_t left_ = 0;
  };

  entry_range(const std::byte* message, std::uint32_t first, std::uint32_t count) noexcept
      : message_(message), first_(first), count_(count) {}
  iterator begin() const noexcept { return {message_, first_, count_}; }
  std::default_sentinel_t end() const noexcept { return {}; }
  std::uint32_t size() const noexcept { return count_; }

 private:
  const std::byte* message_;
  std::uint32_t first_, count_;
};

inline element_range value::elements() const noexcept {
  return expect(tag::array), element_range(message_, offset_ + 12, count());
}

inline entry_range value::entries() const noexcept {
  return expect(tag::dictionary), entry_range(message_, offset_ + 12, count());
}

inline value value::find(std::string_view key) const noexcept {
  for (const entry& each : entries())
    if (each.key == key) return each.content;
  return {};
}

inline value value::element(std::uint32_t index) const noexcept {
  auto at = elements().begin();
  while (index--) ++at;
  return *at;
}

/// The root dictionary of a validated message.
inline value root(base::bytes message) noexcept { return {message.data(), header_bytes}; }

}  // namespace openxpc::wire
