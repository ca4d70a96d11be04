#pragma once

#include <string>

#include "event.hpp"

namespace fswatch {

/// "2026-01-02T03:04:05.678Z renamed /a -> /b"; control characters in names are escaped.
std::string text_line(const event& what);
/// The same as one line of JSON.
std::string json_line(const event& what);

}  // namespace fswatch
