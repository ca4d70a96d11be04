#include "plist/dump_test.hpp"
#include "plist/read.hpp"
#include "plist/write.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace openxpc::plist {
namespace {

node tree_of(std::string_view json) {
  node out;
  auto wrong = read_json(json, out);
  EXPECT_FALSE(wrong) << describe(*wrong, json);
  return out;
}
node leaf(kind what, std::string text = {}) {
  node made;
  made.what = what;
  made.text = std::move(text);
  return made;
}
node date(std::int64_t nanoseconds) {
  node made = leaf(kind::date);
  made.integer = nanoseconds;
  return made;
}
node array_of(std::vector<node> children) {
  node made = leaf(kind::array);
  made.children = std::move(children);
  return made;
}

std::string through_xml(const node& tree) {
  std::string text;
  auto wrong = write_xml(tree, text);
  if (wrong) return wrong->text;
  node back;
  wrong = read_xml(text, back);
  return wrong ? describe(*wrong, text) : dump(back);
}
std::string through_binary(const node& tree) {
  std::string list;
  auto wrong = write_binary(tree, list);
  if (wrong) return wrong->text;
  node back;
  wrong = read_binary(base::as_bytes(list), back);
  return wrong ? describe(*wrong, "f") : dump(back);
}

const char* const samples[] = {
    R"({"a": [true, false, 0, -1, 1.5, "x"], "b": {}, "c": [], "": "", "é": "é😀€"})",
    "[9007199254740993, 9223372036854775807, 9223372036854775808, 18446744073709551615, "
    "-9223372036854775808]",
    "[0, 255, 256, 65535, 65536, 4294967295, 4294967296, -128, -129]",
    "[0.1, -0.0, 1e300, 5e-324]",
    R"(["a & b < c > d \" '", "line\nline\r\n\ttab "])",
    "\"root\"",
};

TEST(PlistXmlWriter, WritesWhatItsReaderReads) {
  for (const char* json : samples) EXPECT_EQ(through_xml(tree_of(json)), dump(tree_of(json)));
  for (std::int64_t at : {std::int64_t{0}, std::int64_t{1700000000123456789},
                          std::numeric_limits<std::int64_t>::min()})
    EXPECT_EQ(through_xml(date(at)), dump(date(at)));
  for (std::size_t size : {0u, 1u, 50u, 51u, 52u, 1000u}) {
    node data = leaf(kind::data, std::string(size, '\xa5'));
    EXPECT_EQ(through_xml(data), dump(data));
  }
}

TEST(PlistXmlWriter, LaysOutAsApplesToolsDo) {
  std::string text;
  ASSERT_FALSE(write_xml(tree_of(R"({"a": [1, {}], "b": true})"), text));
  EXPECT_EQ(text, R"(<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>a</key>
	<array>
		<integer>1</integer>
		<dict/>
	</array>
	<key>b</key>
	<true/>
</dict>
</plist>
)");
}

TEST(PlistXmlWriter, NamesThePathOfWhatItCannotWrite) {
  EXPECT_EQ(through_xml(tree_of(R"({"a": [1, {"b.c": null}]})")),
            "a[1].\"b.c\": a property list has no form for a value of type null");
  EXPECT_EQ(through_xml(leaf(kind::uuid, std::string(16, 'x'))),
            "the root: a property list has no form for a value of type uuid");
  EXPECT_EQ(through_xml(leaf(kind::other, "fd")),
            "the root: a property list has no form for a value of type fd");
  EXPECT_EQ(through_xml(tree_of(R"({"a": "\u0001"})")),
            "a: a control character, which XML cannot hold");
  EXPECT_EQ(through_xml(tree_of(R"({"\u0001": 1})")),
            "\"\\x01\": a control character, which XML cannot hold");
  EXPECT_EQ(through_xml(tree_of(R"(["\uffff"])")),
            "[0]: the character U+FFFE or U+FFFF, which XML cannot hold");
  EXPECT_EQ(through_xml(leaf(kind::string, "\xff")), "the root: text that is not UTF-8");
}

TEST(PlistBinaryWriter, WritesWhatItsReaderReads) {
  for (const char* json : samples) EXPECT_EQ(through_binary(tree_of(json)), dump(tree_of(json)));
  for (std::int64_t at :
       {std::int64_t{0}, std::int64_t{-1500000000}, std::int64_t{1700000000250000000}})
    EXPECT_EQ(through_binary(date(at)), dump(date(at)));
  for (std::size_t size : {0u, 14u, 15u, 255u, 256u, 70'000u}) {
    node data = leaf(kind::data, std::string(size, '\xa5'));
    EXPECT_EQ(through_binary(data), dump(data));
    node text = leaf(kind::string, std::string(size, 'x'));
    EXPECT_EQ(through_binary(text), dump(text));
    node list = array_of(std::vector<node>(size, leaf(kind::null)));
    for (std::size_t i = 0; i < size; ++i) {
      list.children[i].what = kind::integer;
      list.children[i].integer = static_cast<std::int64_t>(i);
    }
    EXPECT_EQ(through_binary(list), dump(list));
  }
}

TEST(PlistBinaryWriter, WritesEqualStringsOnce) {
  std::string one, many;
  ASSERT_FALSE(write_binary(tree_of(R"([{"a long key": 1}])"), one));
  ASSERT_FALSE(
      write_binary(tree_of(R"([{"a long key": 1}, {"a long key": 1}, {"a long key": 1}])"), many));
  EXPECT_LT(many.size(), one.size() + 24);
}

TEST(PlistBinaryWriter, NamesThePathOfWhatItCannotWrite) {
  EXPECT_EQ(through_binary(tree_of(R"({"a": [null]})")),
            "a[0]: a property list has no form for a value of type null");
  EXPECT_EQ(through_binary(leaf(kind::string, "\xff")), "the root: text that is not UTF-8");
}

TEST(PlistJsonWriter, WritesWhatItsReaderReads) {
  for (const char* json : samples)
    for (layout shape : {layout::compact, layout::pretty})
      EXPECT_EQ(dump(tree_of(write_json(tree_of(json), shape))), dump(tree_of(json)));
}

TEST(PlistJsonWriter, WritesWhatJsonLacksAsStrings) {
  node nan = leaf(kind::real), infinity = leaf(kind::real);
  nan.real = std::numeric_limits<double>::quiet_NaN();
  infinity.real = -std::numeric_limits<double>::infinity();
  node transfer = leaf(kind::file_transfer);
  transfer.natural = 7;
  transfer.children.push_back(leaf(kind::null));
  std::string uuid;
  for (int i = 0; i < 16; ++i) uuid += static_cast<char>(i);
  EXPECT_EQ(
      write_json(array_of({leaf(kind::null), date(1700000000500000000),
                           leaf(kind::data, std::string("\0\1\2", 3)), leaf(kind::uuid, uuid), nan,
                           infinity, leaf(kind::other, "fd"), leaf(kind::string, "\xff\x7f\"\\\n"),
                           transfer}),
                 layout::compact),
      R"([null,"2023-11-14T22:13:20.5Z","data:;base64,AAEC","00010203-0405-0607-0809-0a0b0c0d0e0f","NaN","-Infinity","<fd>",)"
      "\"\xef\xbf\xbd\\u007f\\\"\\\\\\n\",{\"file_transfer\":7,\"object\":null}]");
}

TEST(PlistJsonWriter, Indents) {
  EXPECT_EQ(write_json(tree_of(R"({"a": [1, {}], "b": []})"), layout::pretty), R"({
  "a": [
    1,
    {}
  ],
  "b": []
})");
}

}  // namespace
}  // namespace openxpc::plist
