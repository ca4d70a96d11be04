#pragma once

#include <cstddef>
#include <string_view>

namespace openxpc::base {

/// How many bytes at the start of `text` are valid UTF-8 without NUL: text.size() when all of it
/// is. Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t utf8_prefix(std::string_view text) noexcept;

inline bool is_utf8(std::string_view text) noexcept { return utf8_prefix(text) == text.size(); }

}  // namespace openxpc::base
