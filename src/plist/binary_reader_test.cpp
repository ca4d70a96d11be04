#include "plist/dump_test.hpp"
#include "plist/read.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace openxpc::plist {
namespace {

std::string big_endian(std::uint64_t number, int width) {
  std::string bytes;
  while (width--) bytes += static_cast<char>(number >> (8 * width) & 255);
  return bytes;
}

/// A list out of encoded objects; the first is the top one. `offset_of` replaces the offset of
/// object 1 if given.
std::string make(const std::vector<std::string>& objects, std::uint64_t top = 0,
                 int offset_width = 2, std::uint64_t offset_of_1 = 0) {
  std::string list = "bplist00", table;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    table += big_endian(i == 1 && offset_of_1 ? offset_of_1 : list.size(), offset_width);
    list += objects[i];
  }
  std::size_t at = list.size();
  list += table + std::string(6, '\0') + static_cast<char>(offset_width) + '\1';
  return list + big_endian(objects.size(), 8) + big_endian(top, 8) + big_endian(at, 8);
}

std::string binary(std::string_view list, const limits& most = {}) {
  node out;
  out.text = "untouched";
  auto wrong = read_binary(base::as_bytes(list), out, most);
  if (wrong) {
    EXPECT_EQ(out.text, "untouched");
  }
  return wrong ? describe(*wrong, "f") : dump(out);
}
std::string one(const std::string& object) { return binary(make({object})); }
std::string bytes(std::initializer_list<int> values) {
  std::string made;
  for (int value : values) made += static_cast<char>(value);
  return made;
}

TEST(PlistBinary, ReadsEveryType) {
  EXPECT_EQ(one(bytes({0x00})), "null");
  EXPECT_EQ(one(bytes({0x08})), "false");
  EXPECT_EQ(one(bytes({0x09})), "true");
  EXPECT_EQ(one("\x22" + big_endian(std::bit_cast<std::uint32_t>(1.5f), 4)), "1.5");
  EXPECT_EQ(one("\x23" + big_endian(std::bit_cast<std::uint64_t>(-0.1), 8)), "-0.1");
  EXPECT_EQ(one("\x33" + big_endian(std::bit_cast<std::uint64_t>(0.0), 8)), "@978307200000000000");
  EXPECT_EQ(one("\x33" + big_endian(std::bit_cast<std::uint64_t>(-978307201.5), 8)),
            "@-1500000000");
  EXPECT_EQ(one("\x33" + big_endian(std::bit_cast<std::uint64_t>(721692800.25), 8)),
            "@1700000000250000000");
  EXPECT_EQ(one(std::string("\x43\x00\x01\xff", 4)), "<0001ff>");
  EXPECT_EQ(one("\x52hi"), "'hi'");
  EXPECT_EQ(one("\x5f\x10\x14" + std::string(20, 'x')), "'" + std::string(20, 'x') + "'");
  EXPECT_EQ(one(bytes({0x64, 0x00, 0xe9, 0x20, 0xac, 0xd8, 0x3d, 0xde, 0x00})),
            "'\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'");
  EXPECT_EQ(binary(make({"\xa2\x01\x01", "\x51x"})), "['x','x']");
  EXPECT_EQ(binary(make({"\xd2\x01\x02\x03\x04",
                         "\x51"
                         "a",
                         "\x51"
                         "b",
                         "\x09", bytes({0xd0})})),
            "{a:true,b:{}}");
  EXPECT_EQ(binary(make({bytes({0xa0}), bytes({0x09})}, 1, 8)), "true");
}

TEST(PlistBinary, ReadsEveryIntegerExactly) {
  EXPECT_EQ(one(bytes({0x10, 0xff})), "255");
  EXPECT_EQ(one(bytes({0x11, 0xff, 0xff})), "65535");
  EXPECT_EQ(one(bytes({0x12, 0xff, 0xff, 0xff, 0xff})), "4294967295");
  EXPECT_EQ(one("\x13" + big_endian(~0ull, 8)), "-1");
  EXPECT_EQ(one("\x13" + big_endian(1ull << 63, 8)), "-9223372036854775808");
  EXPECT_EQ(one("\x13" + big_endian((1ull << 53) + 1, 8)), "9007199254740993");
  EXPECT_EQ(one("\x14" + big_endian(0, 8) + big_endian(~0ull, 8)), "18446744073709551615u");
  EXPECT_EQ(one("\x14" + big_endian(0, 8) + big_endian(5, 8)), "5");
  EXPECT_EQ(one("\x14" + big_endian(~0ull, 8) + big_endian(~0ull, 8)), "-1");
  EXPECT_EQ(one("\x14" + big_endian(~0ull, 8) + big_endian(1, 8)),
            "f: offset 8: an integer that does not fit in 64 bits");
  EXPECT_EQ(one("\x14" + big_endian(1, 8) + big_endian(0, 8)),
            "f: offset 8: an integer that does not fit in 64 bits");
  EXPECT_EQ(one("\x15" + std::string(32, '\0')), "f: offset 8: an integer of 32 bytes");
}

TEST(PlistBinary, RefusesObjectsWithOffsetAndReason) {
  EXPECT_EQ(one(bytes({0x0f})), "f: offset 8: unknown marker 15");
  EXPECT_EQ(one(bytes({0x70})), "f: offset 8: unknown marker 112");
  EXPECT_EQ(one(bytes({0x80, 0x01})),
            "f: offset 8: a UID, the reference of a keyed archive, which has no XPC type");
  EXPECT_EQ(one(bytes({0xc0})), "f: offset 8: a set, which has no XPC type");
  EXPECT_EQ(one(bytes({0x13, 0x00})),
            "f: offset 8: the object reaches beyond the last object's end");
  EXPECT_EQ(one(bytes({0x42, 0x00})),
            "f: offset 8: the object reaches beyond the last object's end");
  EXPECT_EQ(one(bytes({0x4f})), "f: offset 8: the object reaches beyond the last object's end");
  EXPECT_EQ(one("\x4f\x13" + big_endian(~0ull, 8)),
            "f: offset 8: the object reaches beyond the last object's end");
  EXPECT_EQ(one("\x6f\x13" + big_endian(1ull << 63, 8)),
            "f: offset 8: the object reaches beyond the last object's end");
  EXPECT_EQ(one("\xaf\x13" + big_endian(1ull << 61, 8)),
            "f: offset 8: the object reaches beyond the last object's end");
  EXPECT_EQ(one("\x4f\x23" + big_endian(0, 8)),
            "f: offset 9: a count that is no integer of up to 8 bytes");
  EXPECT_EQ(one(bytes({0x51, 0xc3})), "f: offset 9: a byte beyond ASCII in an ASCII string");
  EXPECT_EQ(one(bytes({0x61, 0xd8, 0x3d})), "f: offset 9: half of a surrogate pair in a string");
  EXPECT_EQ(one(bytes({0x61, 0xde, 0x00})), "f: offset 9: half of a surrogate pair in a string");
  EXPECT_EQ(one(bytes({0x51, 0x00})),
            "f: offset 8: a string with a NUL character, which no string object can hold");
  EXPECT_EQ(
      one("\x33" + big_endian(std::bit_cast<std::uint64_t>(1e11), 8)),
      "f: offset 8: a date outside of what 64 bits of nanoseconds hold (1677-09-21 to 2262-04-11)");
  EXPECT_EQ(
      one("\x33" + big_endian(0x7ff8ull << 48, 8)),
      "f: offset 8: a date outside of what 64 bits of nanoseconds hold (1677-09-21 to 2262-04-11)");
  EXPECT_EQ(one(bytes({0xa1, 0x07})), "f: offset 9: a reference to object 7 of 1");
  EXPECT_EQ(binary(make({"\xd1\x01\x01", bytes({0x09})})),
            "f: offset 11: a key that is not a string");
  EXPECT_EQ(binary(make({"\xd2\x01\x02\x03\x03", "\x51k", "\x51k", "\x09"})),
            "f: offset 15: key \"k\" stands twice; the first is at offset 13");
  EXPECT_EQ(binary(make({"\xa1\x01", "\x09"}, 0, 2, 4)),
            "f: offset 13: object 1 lies at 4, outside of the objects");
  EXPECT_EQ(binary(make({"\xa1\x01", "\x09"}, 0, 2, 11)),
            "f: offset 13: object 1 lies at 11, outside of the objects");
}

TEST(PlistBinary, RefusesABadTrailer) {
  std::string good = make({bytes({0x09})});
  ASSERT_EQ(binary(good), "true");
  for (std::size_t size = 8; size < good.size(); ++size)
    EXPECT_NE(binary(good.substr(0, size)).find("offset"), std::string::npos);
  EXPECT_NE(binary(good + '\0').find("offset"), std::string::npos);
  auto with = [&](std::size_t from_end, int value) {
    std::string changed = good;
    changed[changed.size() - from_end] = static_cast<char>(value);
    return binary(changed);
  };
  EXPECT_EQ(with(26, 0), "f: offset 17: offsets of 0 bytes");
  EXPECT_EQ(with(26, 9), "f: offset 17: offsets of 9 bytes");
  EXPECT_EQ(with(25, 0), "f: offset 18: references of 0 bytes");
  EXPECT_EQ(with(17, 0), "f: offset 19: 0 objects in 43 bytes");
  EXPECT_EQ(with(24, 0x80), "f: offset 19: 9223372036854775809 objects in 43 bytes");
  EXPECT_EQ(with(9, 1), "f: offset 27: the top object is number 1 of 1");
  EXPECT_EQ(with(1, 8),
            "f: offset 35: the table of 1 offsets does not fill the bytes from 8 to the trailer");
  EXPECT_EQ(with(8, 0xff),
            "f: offset 35: the table of 1 offsets does not fill the bytes from "
            "18374686479671623689 to the trailer");
}

TEST(PlistBinary, T63_RefusesCyclesAndBombs) {
  EXPECT_EQ(one(bytes({0xa1, 0x00})), "f: offset 8: object 0 contains itself");
  EXPECT_EQ(binary(make({"\xa1\x01", bytes({0xa1, 0x00})})),
            "f: offset 8: object 0 contains itself");
  EXPECT_EQ(binary(make({bytes({0xd1, 0x01, 0x00}), "\x51k"})),
            "f: offset 8: object 0 contains itself");

  std::vector<std::string> chain;  // each array holds the next one, twice
  for (int i = 0; i < 60; ++i) chain.push_back(bytes({0xa2, i + 1, i + 1}));
  chain.push_back("\x51x");
  limits most;
  EXPECT_NE(binary(make(chain)).find("more than 1048576 values"), std::string::npos);

  chain.clear();
  for (int i = 0; i < 65; ++i) chain.push_back(bytes({0xa1, i + 1}));
  chain.push_back("\x09");
  EXPECT_EQ(binary(make(chain)), "f: offset 136: nested deeper than 64 levels");

  // One megabyte of data that 1,000 places share means a gigabyte.
  std::string shared = "\xaf\x11\x03\xe8" + std::string(1000, '\1');
  std::string data = "\x4f\x12" + big_endian(1 << 20, 4) + std::string(1 << 20, 'x');
  EXPECT_NE(binary(make({shared, data})).find("more than 134217728 bytes of text and data"),
            std::string::npos);
}

}  // namespace
}  // namespace openxpc::plist
