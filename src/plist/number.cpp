#include "plist/number.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace openxpc::plist {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view text, std::string_view word) noexcept {
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (lower(text[i]) != word[i]) return false;
  return true;
}

/// Takes a sign off the front.
bool take_sign(std::string_view& text) noexcept {
  bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  return negative;
}

}  // namespace

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::string> read_integer(std::string_view text, node& out) {
  std::string_view whole = trimmed(text);
  std::string_view rest = whole;
  bool negative = take_sign(rest);
  int base = 10;
  if (rest.size() > 1 && rest[0] == '0' && lower(rest[1]) == 'x') {
    base = 16;
    rest.remove_prefix(2);
  }
  std::uint64_t size = 0;
  auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), size, base);
  if (rest.empty() || problem == std::errc::invalid_argument || end != rest.data() + rest.size())
    return in_quotes(whole) + " is not an integer";
  constexpr std::uint64_t most_negative = std::uint64_t{1} << 63;
  if (problem == std::errc::result_out_of_range || (negative && size > most_negative))
    return "the integer " + in_quotes(whole) + " does not fit in 64 bits";
  if (negative || size < most_negative) {
    out.what = kind::integer;
    out.integer = static_cast<std::int64_t>(negative ? std::uint64_t{0} - size : size);
  } else {
    out.what = kind::natural;
    out.natural = size;
  }
  return {};
}

std::optional<std::string> read_real(std::string_view text, double& out) {
  std::string_view whole = trimmed(text);
  std::string_view rest = whole;
  bool negative = take_sign(rest);
  double size = 0;
  if (same_word(rest, "nan")) {
    size = std::numeric_limits<double>::quiet_NaN();
  } else if (same_word(rest, "inf") || same_word(rest, "infinity")) {
    size = std::numeric_limits<double>::infinity();
  } else {
    // from_chars would take a second sign and its own spelling of infinity.
    if (rest.empty() || !((rest[0] >= '0' && rest[0] <= '9') || rest[0] == '.'))
      return in_quotes(whole) + " is not a number";
    auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    if (problem == std::errc::invalid_argument || end != rest.data() + rest.size())
      return in_quotes(whole) + " is not a number";
    if (problem == std::errc::result_out_of_range)
      return "the number " + in_quotes(whole) + " does not fit in a double";
  }
  out = negative ? -size : size;
  return {};
}

std::string format_real(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  char text[32];
  auto [end, problem] = std::to_chars(text, text + sizeof text, number);
  std::string said(text, end);
  if (said.find_first_of(".e") == std::string::npos) said += ".0";
  return said;
}

}  // namespace openxpc::plist
