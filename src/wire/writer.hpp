#pragma once

#include "base/buffer.hpp"
#include "base/bytes.hpp"
#include "wire/tags.hpp"

#include <cassert>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace openxpc::wire {

/// Appends encoded values to a buffer in one pass; lengths and counts are filled in when a
/// container ends. Whatever is in the buffer already stays in front. Text must be UTF-8 without
/// NUL, keys unlike within a dictionary, containers balanced: a program's own duties, which the
/// object layer keeps; breaking them gives a message that receivers refuse, never a bad memory
/// access. While containers are open nothing else may be appended to the buffer. Throws bad_alloc
/// only.
class writer {
 public:
  /// @param out  borrowed; must outlive the writer.
  explicit writer(base::buffer& out) noexcept : out_(out), start_(out.size()) {}
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  /// False once a length did not fit in 32 bits; what was written is then to be thrown away.
  [[nodiscard]] bool ok() const noexcept { return !too_large_; }
  /// What this writer has appended so far.
  std::size_t written_bytes() const noexcept { return out_.size() - start_; }

  /// The 8 bytes in front of the root.
  void header(mode spoken) {
    std::byte* at = out_.extend(header_bytes);
    base::store(at, magic_of(spoken));
    base::store(at + 4, version);
  }

  void null() { put(tag::null, 4); }
  void boolean(bool content) { base::store<std::uint32_t>(put(tag::boolean, 8) + 4, content); }
  void int64(std::int64_t content) { base::store(put(tag::int64, 12) + 4, content); }
  void uint64(std::uint64_t content) { base::store(put(tag::uint64, 12) + 4, content); }
  void real(double content) { base::store(put(tag::real, 12) + 4, content); }
  /// @param nanoseconds  since 1970-01-01 UTC.
  void date(std::int64_t nanoseconds) { base::store(put(tag::date, 12) + 4, nanoseconds); }
  void uuid(std::span<const std::byte, 16> text_order) {
    std::memcpy(put(tag::uuid, 20) + 4, text_order.data(), 16);
  }
  void data(base::bytes content) {
    std::byte* at = data_in_place(content.size());
    if (at && !content.empty()) std::memcpy(at, content.data(), content.size());
  }
  /// A data value whose bytes the caller fills in.
  /// @return where they go, uninitialised, valid until the next write; null when `size` is too
  /// large to encode.
  std::byte* data_in_place(std::size_t size) { return put_sized(tag::data, size); }
  void string(std::string_view text) {
    std::byte* at = put_sized(tag::string, text.size() + 1);
    if (!at) return;
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    at[text.size()] = std::byte{};
  }
  /// A tag whose content travels as the next attachment: fd or endpoint.
  void out_of_line(tag type) {
    assert(type == tag::fd || type == tag::endpoint);
    put(type, 4);
  }
  /// Shared memory, which travels as the next attachment.
  void shmem(std::uint64_t size_bytes) { base::store(put(tag::shmem, 12) + 4, size_bytes); }
  /// A file transfer; the next value must be the dictionary that describes it ({"s": uint64 size}).
  /// Files only.
  void file_transfer(std::uint64_t id) {
    base::store(put(tag::file_transfer, 12) + 4, id);
    --count_;
  }

  void begin_array() { begin(tag::array); }
  void begin_dictionary() { begin(tag::dictionary); }
  /// Ends the innermost container.
  void end() noexcept;

  /// The key of the value that is written next; inside a dictionary only.
  void key(std::string_view text) {
    std::size_t size = base::round_up(text.size() + 1, 4);
    std::byte* at = out_.extend(size);
    base::store<std::uint32_t>(at + size - 4, 0);
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
  }

  /// One whole value that is encoded already, e.g. value::encoded(). Attachments of out-of-line
  /// tags in it are the caller's to send.
  void splice(base::bytes encoded_value) {
    out_.append(encoded_value);
    ++count_;
  }

 private:
  static constexpr std::uint32_t none = 0;  // no length field stands at the very start
  static constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();

  std::byte* put(tag type, std::size_t size) {
    std::byte* at = out_.extend(size);
    base::store(at, type);
    ++count_;
    return at;
  }
  /// Tag, length, room for `size` bytes with their padding zero; null when the length does not fit.
  std::byte* put_sized(tag type, std::size_t size) {
    if (size > most - 16) return refuse();
    std::size_t padded = base::round_up(size, 4);
    std::byte* at = put(type, 8 + padded);
    base::store(at + 4, static_cast<std::uint32_t>(size));
    if (padded) base::store<std::uint32_t>(at + 4 + padded, 0);
    return at + 8;
  }
  void begin(tag type);
  std::byte* refuse() noexcept {
    too_large_ = true;
    return nullptr;
  }

  base::buffer& out_;
  std::size_t start_;
  std::uint32_t open_ = none;  // length field of the innermost open container, from start_
  std::uint32_t count_ = 0;    // values in it so far
  bool too_large_ = false;
};

}  // namespace openxpc::wire
