#include "plist/bytes_text.hpp"

#include "plist/node.hpp"
#include "plist/number.hpp"

#include <cstdint>

namespace openxpc::plist {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_value(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string at_character(std::size_t index) { return " at character " + std::to_string(index + 1); }

}  // namespace

std::optional<std::string> read_base64(std::string_view text, std::string& out) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned held = 0, padding = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (is_space(c)) continue;
    if (c == '=') {
      if (held < 2 || held + padding >= 4) return "base 64: padding out of place" + at_character(i);
      ++padding;
      continue;
    }
    int value = base64_value(c);
    if (value < 0)
      return "base 64: " + in_quotes(text.substr(i, 1)) + " is not of its alphabet," +
             at_character(i);
    if (padding) return "base 64: something follows the padding" + at_character(i);
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if (++held < 4) continue;
    bytes += static_cast<char>(bits >> 16 & 255);
    bytes += static_cast<char>(bits >> 8 & 255);
    bytes += static_cast<char>(bits & 255);
    bits = 0;
    held = 0;
  }
  if (held) {
    if (held + padding != 4) return "base 64: the text ends in the middle of a group of four";
    unsigned spare = held == 2 ? 4 : 2;
    if (bits & ((1u << spare) - 1))
      return "base 64: the last character carries bits that belong to no byte";
    bits >>= spare;
    if (held == 3) bytes += static_cast<char>(bits >> 8 & 255);
    bytes += static_cast<char>(bits & 255);
  }
  out = std::move(bytes);
  return {};
}

std::string write_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      text += k > count ? '=' : alphabet[bits >> (18 - 6 * k) & 63];
  }
  return text;
}

std::optional<std::string> read_hex(std::string_view text, std::string& out) {
  if (text.size() % 2) return std::string("hexadecimal: an odd number of digits");
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = hex_value(text[i]), low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return "hexadecimal: not a digit" + at_character(high < 0 ? i : i + 1);
    bytes += static_cast<char>(high << 4 | low);
  }
  out = std::move(bytes);
  return {};
}

std::string write_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::optional<std::string> read_uuid(std::string_view text, std::string& out) {
  std::string digits, bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return in_quotes(text) + " is not a UUID";
    if (!dash) digits += text[i];
  }
  if (text.size() != 36 || read_hex(digits, bytes)) return in_quotes(text) + " is not a UUID";
  out = std::move(bytes);
  return {};
}

std::string write_uuid(std::string_view bytes) {
  std::string text = write_hex(bytes);
  for (std::size_t at : {8, 13, 18, 23}) text.insert(at, 1, '-');
  return text;
}

}  // namespace openxpc::plist
