#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

using namespace openxpc::base;

namespace {

/// A slow second opinion: decodes by the definition and asks whether the code point needed that
/// many bytes.
std::size_t by_definition(const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    auto byte = [&](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
    };
    std::uint32_t lead = byte(at);
    std::size_t size = lead < 0x80       ? 1
                       : lead >> 5 == 6  ? 2
                       : lead >> 4 == 14 ? 3
                       : lead >> 3 == 30 ? 4
                                         : 0;
    if (size == 0 || at + size > text.size()) return at;
    std::uint32_t point = size == 1 ? lead : lead & (0x7fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
      if (byte(at + i) >> 6 != 2) return at;
      point = point << 6 | (byte(at + i) & 0x3f);
    }
    std::size_t needed = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (needed != size || point == 0 || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
      return at;
    at += size;
  }
  return at;
}

}  // namespace

TEST(BaseUtf8, AgreesWithTheDefinitionOnEveryStartOfASequence) {
  // Every pair of first bytes, followed by each kind of third and fourth byte, at each place
  // relative to a word.
  for (unsigned first = 0; first < 256; ++first)
    for (unsigned second = 0; second < 256; ++second)
      for (unsigned char third : {'\x00', '\x41', '\x80', '\xbf', '\xc2'}) {
        std::string text{static_cast<char>(first), static_cast<char>(second),
                         static_cast<char>(third), '\x80', 'z'};
        ASSERT_EQ(utf8_prefix(text), by_definition(text)) << first << ' ' << second;
        std::string shifted = std::string(first % 9, 'a') + text + "abcdefgh";
        ASSERT_EQ(utf8_prefix(shifted), by_definition(shifted)) << first << ' ' << second;
      }
}

TEST(BaseUtf8, StopsAtTheFirstBadByteWhereverItStands) {
  for (std::size_t size = 1; size < 40; ++size)
    for (std::size_t bad = 0; bad < size; ++bad)
      for (char byte : {'\0', '\x80', '\xff', '\xe2'}) {
        std::string text(size, 'x');
        text[bad] = byte;
        ASSERT_EQ(utf8_prefix(text), bad);
      }
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80 done"));
  EXPECT_FALSE(is_utf8("cut \xe2\x82"));
}
