#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace openxpc::plist {

/// Base 64 (RFC 4648, section 4), strictly: the alphabet, white space anywhere, full padding,
/// nothing after it, no bits lost.
/// @return nothing, or what is wrong and at which character
std::optional<std::string> read_base64(std::string_view text, std::string& out);
std::string write_base64(std::string_view bytes);

/// Pairs of hexadecimal digits of either case, nothing between them.
std::optional<std::string> read_hex(std::string_view text, std::string& out);
std::string write_hex(std::string_view bytes);

/// A UUID of 8-4-4-4-12 digits and its 16 bytes.
std::optional<std::string> read_uuid(std::string_view text, std::string& out);
std::string write_uuid(std::string_view bytes);

}  // namespace openxpc::plist
