#include "job/name.hpp"

namespace openxpc::job {

namespace {

bool allowed(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

/// The byte as something that can be printed whatever it is.
std::string shown(char c) {
  unsigned byte = static_cast<unsigned char>(c);
  if (byte > 0x20 && byte < 0x7f) return std::string("'") + c + "'";
  static constexpr char digits[] = "0123456789abcdef";
  return std::string("byte 0x") + digits[byte >> 4] + digits[byte & 15];
}

}  // namespace

std::optional<std::string> wrong_with_name(std::string_view name) {
  if (name.empty()) return "a name has at least one byte";
  if (name.front() == '.') return "a name does not start with a dot (position 1)";
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (!allowed(name[at])) {
      return shown(name[at]) + " at position " + std::to_string(at + 1) +
             " is not one of A-Z a-z 0-9 . _ -";
    }
  }
  if (name.size() > longest_name_bytes) {
    return "a name has at most " + std::to_string(longest_name_bytes) + " bytes, this one has " +
           std::to_string(name.size());
  }
  return std::nullopt;
}

}  // namespace openxpc::job
