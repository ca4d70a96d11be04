#pragma once

#include "object/item.hpp"

#include <string>
#include <string_view>

namespace openxpc::object {

/// Writes descriptions for people (rules 16, 17, 316). What a peer sent cannot make a line of its
/// own or move a cursor: other than printable characters are escaped. Output is bounded, cycles
/// end.
class describer {
 public:
  /// Beyond this the text says that it was cut.
  static constexpr std::size_t longest_bytes = 1u << 20;

  describer& text(std::string_view more);
  describer& number(std::uint64_t value);
  /// In quotes, escaped.
  describer& quoted(std::string_view content);

  /// "<name: address>" and what the kind adds.
  describer& value(const object* which) { return value(item(const_cast<object*>(which))); }
  describer& value(const item& which);
  /// One line of a dictionary, one deeper than the brace; close() ends it.
  void entry(std::string_view key, const item& content);
  void element(std::size_t index, const item& content);
  void close();

  // The forms of values that may still be encoded.
  void scalar_value(kind what, std::uint64_t bits);
  void string_value(std::string_view content);
  void data_value(base::bytes content);
  void uuid_value(const std::byte* content);
  void file(int borrowed_fd);
  void shared_memory(std::uint64_t bytes, int borrowed_fd);

  /// False when more would be cut anyway.
  bool has_room() const noexcept { return out_.size() < longest_bytes; }
  const std::string& done();

 private:
  struct level {
    const object* which;
    const level* outer;
    unsigned nesting;
  };
  bool full() const noexcept { return !has_room(); }
  bool is_inside(const object* which) const noexcept;

  std::string out_;
  unsigned depth_ = 0;
  const level* inside_ = nullptr;
  bool cut_ = false;
};

/// The description of an object.
std::string describe(const object& which);

}  // namespace openxpc::object
