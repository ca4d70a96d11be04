#include "plist/bytes_text.hpp"
#include "plist/date.hpp"
#include "plist/dump_test.hpp"
#include "plist/number.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace openxpc::plist {
namespace {

std::string integer(std::string_view text) {
  node out;
  auto wrong = read_integer(text, out);
  return wrong ? *wrong : dump(out);
}

TEST(PlistInteger, ReadsEveryIntegerExactly) {
  EXPECT_EQ(integer("0"), "0");
  EXPECT_EQ(integer("-0"), "0");
  EXPECT_EQ(integer("+7"), "7");
  EXPECT_EQ(integer(" \t\r\n42\n"), "42");
  EXPECT_EQ(integer("007"), "7");
  EXPECT_EQ(integer("9007199254740993"), "9007199254740993");
  EXPECT_EQ(integer("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(integer("9223372036854775808"), "9223372036854775808u");
  EXPECT_EQ(integer("18446744073709551615"), "18446744073709551615u");
  EXPECT_EQ(integer("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(integer("0xff"), "255");
  EXPECT_EQ(integer("0XfF"), "255");
  EXPECT_EQ(integer("-0x10"), "-16");
  EXPECT_EQ(integer("0xFFFFFFFFFFFFFFFF"), "18446744073709551615u");
}

TEST(PlistInteger, RefusesWhatIsNone) {
  for (const char* text : {"", " ", "-", "+", "12abc", "1 2", "1.0", "1e3", "0x", "0xg", "--1",
                           "+-1", "0x-1", "x10", "\xd9\xa1"})
    EXPECT_EQ(integer(text), in_quotes(trimmed(text)) + " is not an integer") << text;
  for (const char* text : {"18446744073709551616", "-9223372036854775809", "0x10000000000000000",
                           "99999999999999999999999"})
    EXPECT_EQ(integer(text), "the integer " + in_quotes(text) + " does not fit in 64 bits");
}

std::string real(std::string_view text) {
  double out = 0;
  auto wrong = read_real(text, out);
  return wrong ? *wrong : format_real(out);
}

TEST(PlistReal, ReadsAndWritesTheShortestForm) {
  EXPECT_EQ(real("1"), "1.0");
  EXPECT_EQ(real("-0.0"), "-0.0");
  EXPECT_EQ(real("+1.5"), "1.5");
  EXPECT_EQ(real(".5"), "0.5");
  EXPECT_EQ(real("5."), "5.0");
  EXPECT_EQ(real("5e-324"), "5e-324");
  EXPECT_EQ(real("1.7976931348623157e+308"), "1.7976931348623157e+308");
  EXPECT_EQ(real("0.1"), "0.1");
  EXPECT_EQ(real("nan"), "NaN");
  EXPECT_EQ(real("-Infinity"), "-Infinity");
  EXPECT_EQ(real("+infinity"), "Infinity");
  EXPECT_EQ(real("INF"), "Infinity");
}

TEST(PlistReal, RefusesWhatIsNone) {
  for (const char* text :
       {"", "-", "1,5", "1.5x", "0x1p3", "--1", "+-1", "e5", "1e", "nan(1)", "infinit"})
    EXPECT_EQ(real(text), in_quotes(trimmed(text)) + " is not a number") << text;
  EXPECT_EQ(real("1e999"), "the number \"1e999\" does not fit in a double");
}

std::string date(std::string_view text) {
  std::int64_t out = 0;
  auto wrong = read_date(text, out);
  return wrong ? *wrong : std::to_string(out);
}

TEST(PlistDate, ReadsTheOneForm) {
  EXPECT_EQ(date("1970-01-01T00:00:00Z"), "0");
  EXPECT_EQ(date(" 2023-11-14T22:13:20Z\n"), "1700000000000000000");
  EXPECT_EQ(date("2023-11-14T22:13:20.123456789Z"), "1700000000123456789");
  EXPECT_EQ(date("2023-11-14T22:13:20.5Z"), "1700000000500000000");
  EXPECT_EQ(date("1969-12-31T23:59:58.5Z"), "-1500000000");
  EXPECT_EQ(date("2000-02-29T00:00:00Z"), "951782400000000000");
  EXPECT_EQ(date("2262-04-11T23:47:16.854775807Z"), "9223372036854775807");
  EXPECT_EQ(date("1677-09-21T00:12:43.145224192Z"), "-9223372036854775808");
}

TEST(PlistDate, RefusesWhatIsNone) {
  for (const char* text :
       {"", "2023", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14 22:13:20Z",
        "2023-11-14T22:13:20+00:00", "2023-1-14T22:13:20Z", "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20.1234567890Z", "2023-11-14T22:13:20.1aZ", "2023-11-14T22:13:20ZZ",
        "-023-11-14T22:13:20Z", "20231-11-14T22:13:20Z"})
    EXPECT_EQ(date(text), in_quotes(text) + " is not a date of the form 2026-11-24T12:34:56Z")
        << text;
  for (const char* text : {"2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-00-01T00:00:00Z",
                           "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z", "2023-01-01T00:00:60Z"})
    EXPECT_EQ(date(text), in_quotes(text) + " is no day and time of the calendar") << text;
  for (const char* text : {"2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43.145224191Z",
                           "4001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"})
    EXPECT_NE(date(text).find("is outside what 64 bits"), std::string::npos) << text;
}

TEST(PlistDate, WritesWhatItReads) {
  for (std::int64_t at :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{1700000000123456789},
        std::int64_t{-1500000000}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()})
    EXPECT_EQ(date(format_date(at)), std::to_string(at)) << format_date(at);
  EXPECT_EQ(format_date(1700000000000000000), "2023-11-14T22:13:20Z");
  EXPECT_EQ(format_date(-1500000000), "1969-12-31T23:59:58.5Z");
}

std::string base64(std::string_view text) {
  std::string out = "?";
  auto wrong = read_base64(text, out);
  if (wrong) {
    EXPECT_EQ(out, "?") << "an output was changed on failure";
  }
  return wrong ? *wrong : write_hex(out);
}

TEST(PlistBase64, ReadsTheAlphabetWithWhiteSpace) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64(" \n"), "");
  EXPECT_EQ(base64("AA=="), "00");
  EXPECT_EQ(base64("A A\n=\t="), "00");
  EXPECT_EQ(base64("AAE="), "0001");
  EXPECT_EQ(base64("AAEC"), "000102");
  EXPECT_EQ(base64("+/+/"), "fbffbf");
}

TEST(PlistBase64, RefusesEveryOtherText) {
  EXPECT_EQ(base64("AA-_"), "base 64: \"-\" is not of its alphabet, at character 3");
  EXPECT_EQ(base64("A"), "base 64: the text ends in the middle of a group of four");
  EXPECT_EQ(base64("AAA"), "base 64: the text ends in the middle of a group of four");
  EXPECT_EQ(base64("AA="), "base 64: the text ends in the middle of a group of four");
  EXPECT_EQ(base64("="), "base 64: padding out of place at character 1");
  EXPECT_EQ(base64("A==="), "base 64: padding out of place at character 2");
  EXPECT_EQ(base64("AAEC="), "base 64: padding out of place at character 5");
  EXPECT_EQ(base64("AA==="), "base 64: padding out of place at character 5");
  EXPECT_EQ(base64("AA==AA"), "base 64: something follows the padding at character 5");
  EXPECT_EQ(base64("AB=="), "base 64: the last character carries bits that belong to no byte");
  EXPECT_EQ(base64("AAF="), "base 64: the last character carries bits that belong to no byte");
}

TEST(PlistBase64, WritesWhatItReads) {
  std::string bytes;
  for (int size = 0; size < 300; ++size) {
    EXPECT_EQ(base64(write_base64(bytes)), write_hex(bytes));
    bytes += static_cast<char>(size * 37);
  }
}

TEST(PlistUuid, ReadsOneFormOnly) {
  std::string out;
  EXPECT_FALSE(read_uuid("01234567-89ab-CDEF-0123-456789abcdef", out));
  EXPECT_EQ(write_uuid(out), "01234567-89ab-cdef-0123-456789abcdef");
  for (const char* text :
       {"", "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcde",
        "01234567-89ab-cdef-0123-456789abcdef0", "0123456-789ab-cdef-0123-456789abcdef",
        "0123456g-89ab-cdef-0123-456789abcdef"})
    EXPECT_TRUE(read_uuid(text, out)) << text;
}

TEST(PlistMessages, QuoteShortAndWithoutControlCharacters) {
  EXPECT_EQ(in_quotes("a\nb\x7f"), "\"a\\x0ab\\x7f\"");
  EXPECT_EQ(in_quotes(std::string(65, 'x')), '"' + std::string(64, 'x') + "...\"");
  EXPECT_EQ(in_quotes(std::string(63, 'x') + "\xc3\xa9"), '"' + std::string(63, 'x') + "...\"");
  EXPECT_EQ(describe({{0, 3, 7}, "no"}, "a.plist"), "a.plist:3:7: no");
  EXPECT_EQ(describe({{9, 0, 0}, "no"}, "a.plist"), "a.plist: offset 9: no");
}

}  // namespace
}  // namespace openxpc::plist
