#include "plist/node.hpp"

#include <array>

namespace openxpc::plist {

std::string describe(const fault& what, std::string_view name) {
  std::string said(name);
  if (what.at.line) {
    if (!said.empty()) said += ':';
    said += std::to_string(what.at.line) + ':' + std::to_string(what.at.column) + ": ";
  } else {
    if (!said.empty()) said += ": ";
    said += "offset " + std::to_string(what.at.offset) + ": ";
  }
  return said + what.text;
}

std::string_view type_of(const node& value) noexcept {
  static constexpr std::array<std::string_view, 12> names = {
      "null", "bool",   "int64", "uint64", "double",     "date",
      "data", "string", "uuid",  "array",  "dictionary", "file_transfer"};
  return value.what == kind::other ? std::string_view(value.text)
                                   : names[static_cast<std::size_t>(value.what)];
}

std::string in_quotes(std::string_view text) {
  static constexpr std::size_t most = 64;
  static constexpr char digits[] = "0123456789abcdef";
  bool cut = text.size() > most;
  if (cut) {
    text = text.substr(0, most);
    // Not in the middle of a character: at most three continuation bytes and their first go.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80)
      text.remove_suffix(1);
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0) text.remove_suffix(1);
  }
  std::string said = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      said += "\\x";
      said += digits[byte >> 4];
      said += digits[byte & 15];
    } else {
      said += c;
    }
  }
  return said + (cut ? "...\"" : "\"");
}

}  // namespace openxpc::plist
