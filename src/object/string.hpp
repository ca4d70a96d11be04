#pragma once

#include "object/object.hpp"
#include "object/source.hpp"

#include <string_view>

namespace openxpc::object {

/// Text with a NUL behind it and none inside. Immutable. The text stands behind the object, in a
/// received message, or is static.
class string final : public object {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_STRING;

  /// A copy. Precondition: no NUL inside. Bytes that are not UTF-8 are kept, but cannot be sent
  /// (rule 23).
  static ref<string> copy_of(std::string_view text);
  /// Long texts stay in the message, short ones are copied so that they do not keep a large message
  /// alive.
  static ref<string> from(const ref<source>& message, wire::value encoded);
  /// A constant that is never freed. `text` must be a literal.
  constexpr explicit string(std::string_view literal) noexcept
      : object(its_kind, lifetime::immortal),
        text_(literal.data()),
        length_(literal.size()),
        utf8_(true) {}

  std::string_view text() const noexcept { return {text_, length_}; }
  const char* c_str() const noexcept { return text_; }
  bool is_utf8() const noexcept { return utf8_; }
  void describe(describer& out) const override;

 private:
  string(const char* text, std::size_t length, bool utf8, source* message) noexcept
      : object(its_kind), text_(text), length_(length), message_(message), utf8_(utf8) {}
  static string* make(std::string_view text, bool utf8);
  void destroy() noexcept override;

  const char* text_;
  std::size_t length_;
  source* message_ = nullptr;  // owned reference; not a ref<> so that constants need no destructor
  bool utf8_;
};

/// Below this size a string or data object made from a message is a copy.
inline constexpr std::size_t copied_below_bytes = 256;

}  // namespace openxpc::object
