#include "platform/log_format.hpp"

#include <sys/types.h>
#include <time.h>
#include <wchar.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>

// A conversion is taken apart because its braces may hide the value or give it another form. What
// is left is handed to snprintf one conversion at a time: numbers as the widest of their kind, so
// that there are few cases.

namespace openxpc::platform {
namespace {

constexpr std::string_view hidden = "<private>";

struct arguments_left {
  va_list list;
};

struct conversion {
  std::string_view words;  // between the braces
  std::array<char, 8> flags{};
  int width = -1, precision = -1;
  enum class length { none, hh, h, l, ll, j, z, t, L } size = length::none;
  char what = '\0';

  bool says(std::string_view word) const noexcept {
    std::string_view rest = words;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view one = rest.substr(0, comma);
      while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
      while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
      if (one == word) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return false;
  }
  bool hides() const noexcept { return says("private") || says("sensitive"); }
};

int number_at(const char*& at) noexcept {
  int value = 0;
  for (; *at >= '0' && *at <= '9'; ++at)
    value = std::min(value * 10 + (*at - '0'), static_cast<int>(message_text::capacity));
  return value;
}

/// The number at `at`, or the next argument for an asterisk.
int size_at(const char*& at, arguments_left& from) noexcept {
  if (*at != '*') return number_at(at);
  ++at;
  return std::min(va_arg(from.list, int), static_cast<int>(message_text::capacity));
}

conversion::length length_at(const char*& at) noexcept {
  using enum conversion::length;
  switch (*at) {
    case 'h':
      if (*++at != 'h') return h;
      ++at;
      return hh;
    case 'l':
      if (*++at != 'l') return l;
      ++at;
      return ll;
    case 'q':
      ++at;
      return ll;
    case 'j':
      ++at;
      return j;
    case 'z':
      ++at;
      return z;
    case 't':
      ++at;
      return t;
    case 'L':
      ++at;
      return L;
    default:
      return none;
  }
}

/// Reads what follows a percent sign.
conversion read(const char*& at, arguments_left& from) noexcept {
  conversion c;
  if (*at == '{') {
    const char* end = std::strchr(at, '}');
    if (!end) return c;
    c.words = {at + 1, static_cast<std::size_t>(end - at - 1)};
    at = end + 1;
  }
  for (std::size_t i = 0; *at && std::strchr("-+ #0'", *at); ++at)
    if (i + 1 < c.flags.size()) c.flags[i++] = *at;
  if (*at == '*' || (*at >= '0' && *at <= '9')) {
    c.width = size_at(at, from);
    if (c.width < 0) {  // a negative width is the minus flag
      c.flags = {'-'};
      c.width = -c.width;
    }
  }
  if (*at == '.') c.precision = size_at(++at, from);
  c.size = length_at(at);
  c.what = *at;
  if (*at) ++at;
  return c;
}

/// The format of one conversion for snprintf, with the length that `length` names.
struct one_format {
  one_format(const conversion& c, const char* length) noexcept {
    int used = std::snprintf(text, sizeof text, "%%%s", c.flags.data());
    if (c.width >= 0) used += std::snprintf(text + used, left(used), "%d", c.width);
    if (c.precision >= 0) used += std::snprintf(text + used, left(used), ".%d", c.precision);
    std::snprintf(text + used, left(used), "%s%c", length, c.what == 'D' ? 'd' : c.what);
  }
  std::size_t left(int used) const noexcept { return sizeof text - static_cast<std::size_t>(used); }
  char text[48];
};

std::intmax_t signed_argument(conversion::length size, arguments_left& from) noexcept {
  using enum conversion::length;
  switch (size) {
    case hh:
      return static_cast<signed char>(va_arg(from.list, int));
    case h:
      return static_cast<short>(va_arg(from.list, int));
    case l:
      return va_arg(from.list, long);
    case ll:
    case L:
      return va_arg(from.list, long long);
    case j:
      return va_arg(from.list, std::intmax_t);
    case z:
      return va_arg(from.list, ssize_t);
    case t:
      return va_arg(from.list, std::ptrdiff_t);
    case none:
      break;
  }
  return va_arg(from.list, int);
}

std::uintmax_t unsigned_argument(conversion::length size, arguments_left& from) noexcept {
  using enum conversion::length;
  const auto value = static_cast<std::uintmax_t>(signed_argument(size, from));
  if (size == hh) return static_cast<unsigned char>(value);
  if (size == h) return static_cast<unsigned short>(value);
  return size == none ? static_cast<unsigned>(value) : value;
}

void put_number(message_text& out, const conversion& c, arguments_left& from) noexcept {
  const std::intmax_t value = signed_argument(c.size, from);
  if (c.hides()) return out.append(hidden);
  if (c.says("errno") || c.says("darwin.errno"))
    return out.print("[%jd: %s]", value, ::strerrordesc_np(static_cast<int>(value)));
  if (c.says("bool")) return out.append(value ? "true" : "false");
  if (c.says("BOOL")) return out.append(value ? "YES" : "NO");
  if (c.says("time_t")) {
    const auto when = static_cast<time_t>(value);
    tm parts{};
    char text[64];
    if (::localtime_r(&when, &parts))
      return out.append({text, ::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S%z", &parts)});
  }
  out.print(one_format(c, "j").text, value);
}

void put_text(message_text& out, const conversion& c, arguments_left& from) noexcept {
  if (c.what == 'S' || c.size == conversion::length::l) {
    const wchar_t* text = va_arg(from.list, const wchar_t*);
    if (c.hides()) return out.append(hidden);
    conversion wide = c;
    wide.what = 's';
    return out.print(one_format(wide, "l").text, text ? text : L"(null)");
  }
  const char* text = va_arg(from.list, const char*);
  if (c.hides()) return out.append(hidden);
  out.print(one_format(c, "").text, text ? text : "(null)");
}

/// As many bytes as the precision says.
void put_bytes(message_text& out, const conversion& c, arguments_left& from) noexcept {
  const auto* bytes = va_arg(from.list, const unsigned char*);
  if (c.hides()) return out.append(hidden);
  if (!bytes) return out.append("(null)");
  const bool uuid = c.says("uuid_t") && c.precision == 16;
  for (int i = 0; i < c.precision; ++i) {
    if (uuid && (i == 4 || i == 6 || i == 8 || i == 10)) out.append("-");
    out.print(uuid ? "%02X" : "%02x", bytes[i]);
  }
}

void put_real(message_text& out, const conversion& c, arguments_left& from) noexcept {
  if (c.size == conversion::length::L) {
    const auto value = va_arg(from.list, long double);
    return c.hides() ? out.append(hidden) : out.print(one_format(c, "L").text, value);
  }
  const auto value = va_arg(from.list, double);
  c.hides() ? out.append(hidden) : out.print(one_format(c, "").text, value);
}

/// False when nothing is known of the conversion, and so of what the arguments behind it are.
bool put(message_text& out, const conversion& c, arguments_left& from, int error) noexcept {
  switch (c.what) {
    case '%':
      out.append("%");
      return true;
    case 'd':
    case 'i':
    case 'D':
      put_number(out, c, from);
      return true;
    case 'o':
    case 'u':
    case 'x':
    case 'X': {
      const std::uintmax_t value = unsigned_argument(c.size, from);
      c.hides() ? out.append(hidden) : out.print(one_format(c, "j").text, value);
      return true;
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
      put_real(out, c, from);
      return true;
    case 'c':
    case 'C': {
      const int value = va_arg(from.list, int);
      c.hides() ? out.append(hidden) : out.print("%c", value);
      return true;
    }
    case 's':
    case 'S':
      put_text(out, c, from);
      return true;
    case 'p':
    case '@': {  // there are no objects to describe here: their address
      void* value = va_arg(from.list, void*);
      c.hides() ? out.append(hidden) : out.print("%p", value);
      return true;
    }
    case 'P':
      put_bytes(out, c, from);
      return true;
    case 'm': {
      const char* text = ::strerrordesc_np(error);
      out.print("%s", text ? text : "Unknown error");
      return true;
    }
    case 'n':  // would write into the program
      (void)va_arg(from.list, void*);
      return true;
    default:
      return false;
  }
}

}  // namespace

void message_text::append(std::string_view more) noexcept {
  if (full_) return;
  const std::size_t size = std::min(more.size(), capacity - size_);
  std::memcpy(bytes_.data() + size_, more.data(), size);
  size_ += size;
  if (size < more.size()) cut();
}

void message_text::print(const char* format, ...) noexcept {
  if (full_) return;
  va_list arguments;
  va_start(arguments, format);
  const int wanted = std::vsnprintf(bytes_.data() + size_, capacity - size_ + 1, format, arguments);
  va_end(arguments);
  if (wanted < 0) return;
  const auto size = static_cast<std::size_t>(wanted);
  const bool too_much = size > capacity - size_;
  size_ += too_much ? capacity - size_ : size;
  if (too_much) cut();
}

/// Takes away a character that is not whole.
void message_text::cut() noexcept {
  full_ = true;
  std::size_t start = size_;
  while (start > 0 && size_ - start < 4) {
    const auto byte = static_cast<unsigned char>(bytes_[--start]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (size_ - start < length) size_ = start;
    return;
  }
}

void format_message(message_text& out, const char* format, va_list arguments, int error) noexcept {
  arguments_left left;
  va_copy(left.list, arguments);
  for (const char* at = format; *at;) {
    const char* percent = std::strchr(at, '%');
    if (!percent) {
      out.append(at);
      break;
    }
    out.append({at, static_cast<std::size_t>(percent - at)});
    at = percent + 1;
    if (!put(out, read(at, left), left, error)) {
      out.append(percent);
      break;
    }
  }
  va_end(left.list);
}

}  // namespace openxpc::platform
