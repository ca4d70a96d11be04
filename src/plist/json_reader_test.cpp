#include "plist/dump_test.hpp"
#include "plist/read.hpp"

#include <gtest/gtest.h>

namespace openxpc::plist {
namespace {

std::string json(std::string_view text, const limits& most = {}) {
  node out;
  out.text = "untouched";
  auto wrong = read_json(text, out, most);
  if (wrong) {
    EXPECT_EQ(out.text, "untouched");
  }
  return wrong ? describe(*wrong, "f") : dump(out);
}

TEST(PlistJson, ReadsEveryType) {
  EXPECT_EQ(
      json(
          R"( {"a": [null, true, false, 0, -1, 1.5, 1e2, "x\n\u00e9\ud83d\ude00"], "b": {}, "": []} )"),
      "{a:[null,true,false,0,-1,1.5,100.0,'x\n\xc3\xa9\xf0\x9f\x98\x80'],b:{},:[]}");
  EXPECT_EQ(json("\"x\""), "'x'");
  EXPECT_EQ(json("\xef\xbb\xbf[1]"), "[1]");
}

TEST(PlistJson, ReadsEveryIntegerExactly) {
  EXPECT_EQ(json("[9007199254740993, 9223372036854775807, 9223372036854775808, "
                 "18446744073709551615, -9223372036854775808, -0]"),
            "[9007199254740993,9223372036854775807,9223372036854775808u,18446744073709551615u,-"
            "9223372036854775808,0]");
  EXPECT_EQ(json("[18446744073709551616]"),
            "f:1:2: the integer \"18446744073709551616\" does not fit in 64 bits");
  EXPECT_EQ(json("{\"a\":\n -9223372036854775809}"),
            "f:2:2: the integer \"-9223372036854775809\" does not fit in 64 bits");
  EXPECT_EQ(json("[18446744073709551616.0]"), "[18446744073709551616.0]");
  EXPECT_EQ(json("[\n1, 1e999]"), "f:2:4: a number that does not fit in a double");
}

TEST(PlistJson, RefusesWithLineColumnAndReason) {
  const std::pair<const char*, const char*> table[] = {
      {"",
       "f:1:1: JSON: syntax error while parsing value - unexpected end of input; expected '[', "
       "'{', or a literal"},
      {"{\"a\": 1,\n \"b\": 2,\n \"a\": 3}",
       "f:3:2: key \"a\" stands twice; the first is at line 1"},
      {"[1,\n 2",
       "f:2:2: JSON: syntax error while parsing array - unexpected end of input; expected ']'"},
      {"[1,\n tru]", "f:2:5: JSON: syntax error while parsing value - invalid literal"},
      {"{\"a\" 1}",
       "f:1:6: JSON: syntax error while parsing object separator - unexpected number literal; "
       "expected ':'"},
      {"[1] x", "f:1:5: JSON: syntax error while parsing value - invalid literal"},
      {"[\"\xff\"]",
       "f:1:3: JSON: syntax error while parsing value - invalid string: ill-formed UTF-8 byte"},
      {"[\"a\\u0000\"]", "f:1:2: a string with a NUL character, which no string object can hold"},
      {"{\"a\\u0000b\": 1}", "f:1:2: key \"a\\x00b\" has a NUL character"},
      {"[\"\xc3\xa9\", x]", "f:1:7: JSON: syntax error while parsing value - invalid literal"},
      {"// no\n1", "f:1:1: JSON: syntax error while parsing value - invalid literal"},
  };
  for (const auto& [text, said] : table) EXPECT_EQ(json(text), said) << text;
  using namespace std::string_view_literals;
  EXPECT_EQ(json("[1]\0"sv), "f:1:4: JSON: a NUL byte");
  EXPECT_EQ(json("[1,\n\0]"sv), "f:2:1: JSON: a NUL byte");
  EXPECT_EQ(json("[\"\0\"]"sv).substr(0, 6), "f:1:3:");
}

TEST(PlistJson, T63_BoundsDepthCountAndSize) {
  EXPECT_EQ(json(std::string(64, '[') + std::string(64, ']')).substr(0, 3), "[[[");
  EXPECT_EQ(json(std::string(65, '[') + std::string(65, ']')),
            "f:1:65: nested deeper than 64 levels");
  EXPECT_EQ(json(std::string(1'000'000, '[')), "f:1:65: nested deeper than 64 levels");
  limits few;
  few.nodes = 3;
  EXPECT_EQ(json("[0,0,0]", few), "f:1:6: more than 3 values");
  few.payload = 2;
  EXPECT_EQ(json("[\"abc\"]", few), "f:1:2: more than 2 bytes of text and data");
}

TEST(PlistJson, KnowsWhereEachValueStands) {
  node out;
  ASSERT_FALSE(read_json("{\n  \"k\\\"\": {\"n\": -1.5e3,\n\"l\": [\"\xc3\xa9\", true]}}", out));
  const node& k = out.children.at(0);
  EXPECT_EQ(k.key_at.line, 2u);
  EXPECT_EQ(k.key_at.column, 3u);
  EXPECT_EQ(k.at.column, 10u);
  const node& n = k.children.at(0);
  EXPECT_EQ(n.key_at.column, 11u);
  EXPECT_EQ(n.at.column, 16u);
  const node& l = k.children.at(1);
  EXPECT_EQ(l.at.line, 3u);
  EXPECT_EQ(l.at.column, 6u);
  EXPECT_EQ(l.children.at(0).at.column, 7u);
  EXPECT_EQ(l.children.at(1).at.column, 12u);
  EXPECT_EQ(l.children.at(1).at.offset, 37u);
}

TEST(PlistAny, TellsTheThreeApart) {
  node out;
  auto any = [&](std::string_view text) {
    auto wrong = read_any(base::as_bytes(text), out);
    return wrong ? describe(*wrong, "f") : dump(out);
  };
  EXPECT_EQ(any("\n <plist><true/></plist>"), "true");
  EXPECT_EQ(any(" [1]"), "[1]");
  EXPECT_EQ(any(""), "f:1:1: empty: expected a property list or JSON");
  EXPECT_EQ(any(" \n"), "f:1:1: empty: expected a property list or JSON");
  EXPECT_EQ(any("bplist01"), "f: offset 0: not a binary property list of version 00");
}

}  // namespace
}  // namespace openxpc::plist
