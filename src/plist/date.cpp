#include "plist/date.hpp"

#include "plist/node.hpp"
#include "plist/number.hpp"

#include <chrono>

namespace openxpc::plist {
namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t day_seconds = 86'400;

/// Takes exactly `count` digits and then `after` off the front.
bool take(std::string_view& text, std::size_t count, char after, unsigned& out) noexcept {
  if (text.size() <= count || text[count] != after) return false;
  out = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + static_cast<unsigned>(text[i] - '0');
  }
  text.remove_prefix(count + 1);
  return true;
}

std::string two(unsigned number) {
  return {static_cast<char>('0' + number / 10 % 10), static_cast<char>('0' + number % 10)};
}

}  // namespace

std::optional<std::string> read_date(std::string_view text, std::int64_t& out) {
  std::string_view whole = trimmed(text);
  std::string_view rest = whole;
  auto wrong_form = [&] {
    return in_quotes(whole) + " is not a date of the form 2026-11-24T12:34:56Z";
  };
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, seconds = 0, fraction = 0;
  if (!take(rest, 4, '-', year) || !take(rest, 2, '-', month) || !take(rest, 2, 'T', day) ||
      !take(rest, 2, ':', hour) || !take(rest, 2, ':', minute))
    return wrong_form();
  if (take(rest, 2, '.', seconds)) {
    std::size_t digits = rest.find('Z');
    if (digits == 0 || digits > 9 || !take(rest, digits, 'Z', fraction)) return wrong_form();
    for (std::size_t i = digits; i < 9; ++i) fraction *= 10;
  } else if (!take(rest, 2, 'Z', seconds)) {
    return wrong_form();
  }
  if (!rest.empty()) return wrong_form();

  std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                   std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || seconds > 59)
    return in_quotes(whole) + " is no day and time of the calendar";
  std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  std::int64_t since = days * day_seconds + hour * 3600 + minute * 60 + seconds;
  // Before 1970 the seconds are multiplied one up, so that the smallest date of all does not
  // overflow on the way.
  std::int64_t nanoseconds = 0;
  bool one_up = since < 0;
  if (__builtin_mul_overflow(since + one_up, second, &nanoseconds) ||
      __builtin_add_overflow(nanoseconds, std::int64_t{fraction} - (one_up ? second : 0),
                             &nanoseconds))
    return "the date " + in_quotes(whole) +
           " is outside what 64 bits of nanoseconds hold (1677-09-21 to 2262-04-11)";
  out = nanoseconds;
  return {};
}

std::string format_date(std::int64_t nanoseconds) {
  std::int64_t since = nanoseconds / second;
  std::int64_t fraction = nanoseconds % second;
  if (fraction < 0) {
    fraction += second;
    --since;
  }
  std::int64_t days = since / day_seconds;
  std::int64_t clock = since % day_seconds;
  if (clock < 0) {
    clock += day_seconds;
    --days;
  }
  std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  auto time = static_cast<unsigned>(clock);
  std::string said = std::to_string(static_cast<int>(date.year())) + '-' +
                     two(static_cast<unsigned>(date.month())) + '-' +
                     two(static_cast<unsigned>(date.day())) + 'T' + two(time / 3600) + ':' +
                     two(time / 60 % 60) + ':' + two(time % 60);
  if (fraction) {
    std::string digits = std::to_string(fraction);
    digits.insert(0, 9 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    said += '.' + digits;
  }
  return said + 'Z';
}

}  // namespace openxpc::plist
