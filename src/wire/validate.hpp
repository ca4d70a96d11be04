#pragma once

#include "base/bytes.hpp"
#include "wire/limits.hpp"
#include "wire/tags.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace openxpc::wire {

/// Why bytes are not a message. The words for each are in describe().
enum class fault : std::uint8_t {
  message_too_large,
  header_cut,
  not_portable,
  not_native,
  wrong_version,
  root_not_dictionary,
  trailing_bytes,
  value_missing,
  value_cut,
  unknown_type,
  type_not_sendable,
  type_in_files_only,
  too_deep,
  length_too_small,
  length_not_aligned,
  length_past_end,
  count_too_large,
  content_too_short,
  key_missing,
  key_unterminated,
  key_padding,
  key_not_utf8,
  key_repeated,
  bool_neither,
  string_length_zero,
  string_past_end,
  string_unterminated,
  string_nul_inside,
  string_not_utf8,
  string_padding,
  data_past_end,
  data_padding,
  transfer_not_dictionary,
  transfer_without_size,
  attachment_missing,
  attachment_unused,
  attachments_too_many,
  out_of_memory,
};

/// What is wrong, and the offset from the start of the message of the field that shows it.
struct malformed {
  fault what;
  std::uint32_t offset;
  friend bool operator==(const malformed&, const malformed&) = default;
};

/// "offset N: reason", for people; one line, without full stop.
std::string describe(malformed problem);

/// The offsets of the out-of-line tags of a message in byte order, so that the n-th belongs to the
/// n-th attachment. Move-only.
class tag_offsets {
 public:
  tag_offsets() noexcept = default;
  tag_offsets(tag_offsets&& other) noexcept
      : many_(std::move(other.many_)), count_(std::exchange(other.count_, 0)) {
    std::memcpy(few_, other.few_, sizeof few_);
  }
  tag_offsets& operator=(tag_offsets&& other) noexcept {
    many_ = std::move(other.many_);
    count_ = std::exchange(other.count_, 0);
    std::memcpy(few_, other.few_, sizeof few_);
    return *this;
  }

  std::uint32_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  const std::uint32_t* begin() const noexcept { return many_ ? many_.get() : few_; }
  const std::uint32_t* end() const noexcept { return begin() + count_; }
  std::uint32_t operator[](std::size_t index) const noexcept { return begin()[index]; }
  /// How many of them stand before `offset`: the attachment of the tag at that offset, or the first
  /// one inside a container that starts there.
  std::uint32_t before(std::uint32_t offset) const noexcept;

  /// Makes room for `count` offsets; false when there is no memory.
  [[nodiscard]] bool reserve(std::size_t count) noexcept;
  /// Precondition: there is room.
  void push(std::uint32_t offset) noexcept { (many_ ? many_.get() : few_)[count_++] = offset; }

 private:
  static constexpr std::uint32_t few = 4;
  std::unique_ptr<std::uint32_t[]> many_;
  std::uint32_t few_[few] = {};
  std::uint32_t count_ = 0;
};

/// What the validating pass learnt on its way.
struct summary {
  tag_offsets out_of_line;
  std::uint32_t entries = 0;  // elements and key-value pairs in all containers together
};

/// The one pass over untrusted bytes; after it cursors need no further check. Strict: one header,
/// one root dictionary, not a byte more; each length exact, padding zero, text UTF-8 and without a
/// NUL inside, no key twice in a dictionary, as many out-of-line tags as attachments. Time is
/// near-linear, memory is at most 12 bytes for each entry of the largest dictionary (none for
/// dictionaries of up to 16), whatever the bytes say. No recursion.
/// @param message      the bytes, header included; any alignment. They must not change meanwhile:
/// copy out of shared memory first.
/// @param attachments  how many descriptors came beside the bytes.
/// @param found        when given, filled on success and untouched on failure.
/// Errors: the first problem that the pass meets, with its offset. Threads: any.
[[nodiscard]] std::optional<malformed> validate(base::bytes message, mode spoken,
                                                std::size_t attachments, const limits& max = {},
                                                summary* found = nullptr) noexcept;

}  // namespace openxpc::wire
