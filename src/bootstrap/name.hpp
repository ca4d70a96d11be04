#pragma once

#include "connection/failure.hpp"

#include <string_view>

namespace openxpc::bootstrap {

/// Longest name of a service, in bytes: with /proc/self/fd/N/ in front it still fits into a socket
/// address.
inline constexpr std::size_t longest_name_bytes = 80;

/// Null when `name` may name a service: 1 to 80 bytes of A-Z a-z 0-9 . _ - and no dot in front.
/// Otherwise invalid_argument with the position of what is wrong.
connection::error_ref check_name(std::string_view name);

}  // namespace openxpc::bootstrap
