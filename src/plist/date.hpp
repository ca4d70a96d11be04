#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace openxpc::plist {

/// Reads "2026-11-24T12:34:56Z", with up to nine digits of fraction if any. Only UTC, only this
/// form; the calendar is checked.
/// @param out  nanoseconds since 1970
/// @return nothing, or what is wrong with the text
std::optional<std::string> read_date(std::string_view text, std::int64_t& out);

/// The same form; the fraction is left out when it is zero and has no trailing zeros.
std::string format_date(std::int64_t nanoseconds);

}  // namespace openxpc::plist
