// How systemd wants its words written: systemd.syntax(7), systemd.unit(5).

#include <cstdio>

#include "units.hpp"

namespace xpcctl {
namespace {

bool is_plain(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./:=@+,%").find(static_cast<char>(c)) != std::string_view::npos ||
         c >= 0x80;
}

void append_doubled(char c, std::string* out) {
  *out += c;
  if (c == '%') *out += c;
}

}  // namespace

std::string unit_word(std::string_view text) {
  bool plain = !text.empty();
  for (const char c : text) plain = plain && is_plain(static_cast<unsigned char>(c));
  std::string result;
  if (plain) {
    for (const char c : text) append_doubled(c, &result);
    return result;
  }
  result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      result += escape;
    } else {
      append_doubled(c, &result);
    }
  }
  return result + "\"";
}

std::string unit_value(std::string_view text) {
  std::string result;
  for (const char c : text) append_doubled(c, &result);
  return result;
}

}  // namespace xpcctl
