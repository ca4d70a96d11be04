#include "plist/dump_test.hpp"
#include "plist/read.hpp"
#include "plist/write.hpp"
#include "support/places.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace openxpc::plist {
namespace {

std::string typed(std::string_view text, const limits& most = {}) {
  node out;
  out.text = "untouched";
  auto wrong = read_typed_json(text, out, most);
  if (wrong) {
    EXPECT_EQ(out.text, "untouched");
  }
  return wrong ? describe(*wrong, "f") : dump(out);
}

TEST(PlistTypedJson, ReadsAndWritesEveryVectorOfTheWire) {
  std::ifstream in(std::string(xpc_testing::data_folder) + "/wire/vectors.json");
  ASSERT_TRUE(in);
  nlohmann::json file = nlohmann::json::parse(in);
  std::size_t count = 0;
  for (const auto& vector : file.at("vectors")) {
    std::string text = vector.at("value").dump();
    for (layout shape : {layout::compact, layout::pretty}) {
      node tree;
      auto wrong = read_typed_json(text, tree);
      ASSERT_FALSE(wrong) << describe(*wrong, vector.at("name").get<std::string>());
      std::string written;
      ASSERT_FALSE(write_typed_json(tree, shape, written));
      auto again = nlohmann::json::parse(written);
      EXPECT_EQ(again, vector.at("value")) << vector.at("name");
    }
    ++count;
  }
  EXPECT_GT(count, 100u);
}

TEST(PlistTypedJson, RefusesWithLineColumnAndReason) {
  const std::pair<const char*, const char*> table[] = {
      {"5", "f:1:1: expected {\"type\": ..., \"value\": ...}, found a number"},
      {"{}", "f:1:1: no member \"type\""},
      {R"({"type":5})", "f:1:9: \"type\": expected a string, found a number"},
      {R"({"type":"int"})", "f:1:9: no value of type \"int\" can be made from text"},
      {R"({"type":"fd"})", "f:1:9: no value of type \"fd\" can be made from text"},
      {R"({"type":"null","value":null})",
       "f:1:16: a value of type \"null\" has no member \"value\""},
      {R"({"type":"int64","valeu":"5"})",
       "f:1:17: a value of type \"int64\" has no member \"valeu\""},
      {R"({"type":"int64"})", "f:1:1: no member \"value\""},
      {R"({"type":"int64","value":5})", "f:1:25: \"value\": expected a string, found a number"},
      {R"({"type":"int64","value":"5 "})", "f:1:25: \"5 \" is not a decimal integer"},
      {R"({"type":"int64","value":""})", "f:1:25: \"\" is not a decimal integer"},
      {R"({"type":"uint64","value":"-1"})", "f:1:26: \"-1\" is not a decimal integer"},
      {R"({"type":"int64","value":"9223372036854775808"})",
       "f:1:25: the integer \"9223372036854775808\" does not fit in int64"},
      {R"({"type":"uint64","value":"18446744073709551616"})",
       "f:1:26: the integer \"18446744073709551616\" does not fit in uint64"},
      {R"({"type":"bool","value":1})", "f:1:24: \"value\": expected true or false, found a number"},
      {R"({"type":"double","value":"1.0"})", "f:1:1: no member \"bits\""},
      {R"({"type":"double","bits":"3ff0000000000000"})",
       "f:1:25: \"bits\": expected 0x and 16 hexadecimal digits, found \"3ff0000000000000\""},
      {R"({"type":"data","value":"abc"})", "f:1:24: hexadecimal: an odd number of digits"},
      {R"({"type":"data","value":"ag"})", "f:1:24: hexadecimal: not a digit at character 2"},
      {R"({"type":"uuid","value":"x"})", "f:1:24: \"x\" is not a UUID"},
      {R"({"type":"array","value":{}})", "f:1:25: \"value\": expected a list, found an object"},
      {R"({"type":"dictionary","value":[["a"]]})",
       "f:1:31: expected [\"key\", value] in a dictionary"},
      {"{\"type\":\"dictionary\",\"value\":[[\"a\",{\"type\":\"null\"}],\n[\"a\",{\"type\":"
       "\"null\"}]]}",
       "f:2:2: key \"a\" stands twice; the first is at line 1"},
      {R"({"type":"file_transfer","value":{"id":"1","object":{"type":"null"},"x":1}})",
       "f:1:33: a file_transfer has the members \"id\" and \"object\" only"},
      {R"({"type":"file_transfer","value":{"id":"1","object":{"type":"null"}}})",
       "f:1:52: the object of a file_transfer must be a dictionary"},
      {R"({"type":"string","type":"int64","value":"5"})",
       "f:1:18: key \"type\" stands twice; the first is at line 1"},
      {R"({"type":"string","value":"\u0000"})",
       "f:1:26: a string with a NUL character, which no string object can hold"},
      {"{",
       "f:1:1: JSON: syntax error while parsing object key - unexpected end of input; expected "
       "string literal"},
  };
  for (const auto& [text, said] : table) EXPECT_EQ(typed(text), said) << text;
}

TEST(PlistTypedJson, T63_BoundsDepth) {
  auto nested = [](int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i) text += R"({"type":"array","value":[)";
    for (int i = 0; i < levels; ++i) text += "]}";
    return text;
  };
  EXPECT_EQ(typed(nested(64)).substr(0, 3), "[[[");
  EXPECT_NE(typed(nested(65)).find("nested deeper than 64 levels"), std::string::npos);
  EXPECT_NE(typed(nested(100'000)).find("nested deeper than"), std::string::npos);
  std::string deep;
  for (int i = 0; i < 64; ++i) deep += R"({"type":"dictionary","value":[["k",)";
  deep += R"({"type":"null"})";
  for (int i = 0; i < 64; ++i) deep += "]]}";
  EXPECT_EQ(typed(deep).substr(0, 6), "{k:{k:");
}

TEST(PlistTypedJson, WritesPairsOnALine) {
  node tree;
  ASSERT_FALSE(read_typed_json(
      R"({"type":"dictionary","value":[["a",{"type":"array","value":[{"type":"null"},
    {"type":"double","bits":"0x3ff8000000000000"}]}],["b",{"type":"dictionary","value":[]}]]})",
      tree));
  std::string text;
  ASSERT_FALSE(write_typed_json(tree, layout::pretty, text));
  EXPECT_EQ(text, R"({"type": "dictionary", "value": [
  ["a", {"type": "array", "value": [
    {"type": "null"},
    {"type": "double", "value": "1.5", "bits": "0x3ff8000000000000"}
  ]}],
  ["b", {"type": "dictionary", "value": []}]
]})");
}

TEST(PlistTypedJson, NamesThePathOfWhatItCannotWrite) {
  node bad;
  bad.what = kind::string;
  bad.text = "\xff";
  bad.key = "k";
  node tree;
  tree.what = kind::dictionary;
  tree.children.push_back(bad);
  std::string text = "untouched";
  auto wrong = write_typed_json(tree, layout::compact, text);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->text, "k: text that is not UTF-8");
  EXPECT_EQ(text, "untouched");
}

}  // namespace
}  // namespace openxpc::plist
