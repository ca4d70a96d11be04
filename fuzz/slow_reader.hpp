#pragma once

#include "base/bytes.hpp"
#include "wire/tags.hpp"

#include <optional>
#include <set>
#include <string>

namespace openxpc::fuzz {

/// A second opinion about what a message is: recursive, a byte at a time, no thought of speed,
/// nothing shared with the validator. Only for inputs of a fuzzer's size.
class slow_reader {
 public:
  slow_reader(base::bytes message, wire::mode spoken, std::size_t attachments)
      : message_(message), mode_(spoken), attachments_(attachments) {}

  bool accepts() {
    auto magic = number(4), version = number(4);
    if (!magic || *magic != wire::magic_of(mode_) || !version || *version != 5) return false;
    std::size_t root = at_;
    if (number(4) != 0xf000) return false;
    at_ = root;
    return value(message_.size(), 1) && at_ == message_.size() && attachments_ == 0;
  }

 private:
  using tag = wire::tag;

  std::optional<std::uint64_t> number(std::size_t width) { return number(width, message_.size()); }
  std::optional<std::uint64_t> number(std::size_t width, std::size_t end) {
    if (at_ + width > end) return std::nullopt;
    std::uint64_t result = 0;
    for (std::size_t i = 0; i < width; ++i) result |= std::uint64_t{byte(at_ + i)} << (8 * i);
    at_ += width;
    return result;
  }
  unsigned char byte(std::size_t at) const { return std::to_integer<unsigned char>(message_[at]); }

  bool skip(std::size_t size, std::size_t end) {
    if (size > end - at_) return false;
    at_ += size;
    return true;
  }
  bool padding(std::size_t end) {
    while (at_ % 4) {
      if (at_ >= end || byte(at_) != 0) return false;
      ++at_;
    }
    return true;
  }

  /// Decodes by the definition: how many bytes the lead announces, what they come to, whether fewer
  /// would have done.
  static bool is_text(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      auto unit = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
      };
      std::uint32_t lead = unit(at);
      std::size_t size = lead < 0x80       ? 1
                         : lead >> 5 == 6  ? 2
                         : lead >> 4 == 14 ? 3
                         : lead >> 3 == 30 ? 4
                                           : 0;
      if (size == 0 || at + size > text.size()) return false;
      std::uint32_t point = size == 1 ? lead : lead & (0x7fu >> size);
      for (std::size_t i = 1; i < size; ++i) {
        if (unit(at + i) >> 6 != 2) return false;
        point = point << 6 | (unit(at + i) & 0x3f);
      }
      std::size_t needed = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      if (point == 0 || needed != size || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return false;
      at += size;
    }
    return true;
  }

  bool key(std::size_t end, std::set<std::string>& keys) {
    std::string text;
    for (; at_ < end && byte(at_) != 0; ++at_) text += static_cast<char>(byte(at_));
    if (at_ == end) return false;
    ++at_;
    return padding(end) && is_text(text) && keys.insert(text).second;
  }

  bool container(std::size_t end, unsigned depth, bool is_dictionary, bool is_transfer) {
    auto length = number(4, end);
    if (depth > 64 || !length || *length < 4 || *length % 4 || *length > end - at_) return false;
    std::size_t own_end = at_ + *length;
    auto count = number(4, own_end);
    std::set<std::string> keys;
    bool has_size = false;
    // Each entry takes bytes, so a count that is too high fails soon.
    for (std::uint64_t i = 0; i < *count; ++i) {
      std::size_t key_at = at_;
      if (is_dictionary && !key(own_end, keys)) return false;
      if (is_dictionary && byte(key_at) == 's' && byte(key_at + 1) == 0 && at_ + 4 <= own_end) {
        std::size_t value_at = at_;
        has_size |= number(4, own_end) == 0x4000;
        at_ = value_at;
      }
      if (!value(own_end, depth + 1)) return false;
    }
    return at_ == own_end && (has_size || !is_transfer);
  }

  bool value(std::size_t end, unsigned depth) {
    auto type = number(4, end);
    if (!type) return false;
    switch (static_cast<tag>(*type)) {
      case tag::null:
        return true;
      case tag::boolean: {
        auto content = number(4, end);
        return content && *content <= 1;
      }
      case tag::int64:
      case tag::uint64:
      case tag::real:
      case tag::date:
        return skip(8, end);
      case tag::uuid:
        return skip(16, end);
      case tag::data: {
        auto size = number(4, end);
        return size && skip(*size, end) && padding(end);
      }
      case tag::string: {
        auto size = number(4, end);
        if (!size || *size == 0) return false;
        std::size_t start = at_;
        if (!skip(*size, end) || byte(at_ - 1) != 0) return false;
        std::string text;
        for (std::size_t i = start; i + 1 < at_; ++i) text += static_cast<char>(byte(i));
        return is_text(text) && padding(end);
      }
      case tag::fd:
      case tag::endpoint:
        return attachments_ && attachments_--;
      case tag::shmem:
        return attachments_ && attachments_-- && skip(8, end);
      case tag::array:
        return container(end, depth, false, false);
      case tag::dictionary:
        return container(end, depth, true, false);
      case tag::file_transfer:
        return mode_ == wire::mode::file && skip(8, end) && number(4, end) == 0xf000 &&
               container(end, depth + 1, true, true);
      default:
        return false;
    }
  }

  base::bytes message_;
  wire::mode mode_;
  std::size_t attachments_;
  std::size_t at_ = 0;
};

}  // namespace openxpc::fuzz
