#pragma once

#include "plist/node.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace openxpc::plist {

/// Reads a whole number exactly: surrounding white space, a sign, decimal digits or 0x and
/// hexadecimal ones. Fills `what` (integer, or natural beyond int64) and the value of `out`.
/// @return nothing, or what is wrong with the text
std::optional<std::string> read_integer(std::string_view text, node& out);
/// Reads a decimal fraction, "nan", "inf" or "infinity" (any case) with an optional sign,
/// independent of the locale.
std::optional<std::string> read_real(std::string_view text, double& out);

/// The shortest text that reads back as the same number and shows that it is not an integer: "1.0",
/// "5e-324", "NaN", "-Infinity".
std::string format_real(double number);

std::string_view trimmed(std::string_view text) noexcept;
constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace openxpc::plist
