#include "supervise/limited_log.hpp"

#include <cstdio>

namespace openxpc::supervise {

std::string for_log(std::string_view foreign, std::size_t most) {
  std::string line;
  for (const char c : foreign.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      line += c;
    } else {
      char code[5];
      std::snprintf(code, sizeof code, "\\x%02x", byte);
      line += code;
    }
  }
  if (foreign.size() > most) line += "...";
  return line;
}

}  // namespace openxpc::supervise
