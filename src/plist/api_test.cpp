#include <xpc/openxpc/object.h>
#include <xpc/openxpc/plist.h>
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace {

struct release {
  void operator()(void* object) const { xpc_release(object); }
};
using owned = std::unique_ptr<void, release>;
struct free_text {
  void operator()(void* text) const { std::free(text); }
};
using text_ptr = std::unique_ptr<char, free_text>;

owned parse(std::string_view text) {
  xpc_rich_error_t error = nullptr;
  owned object(openxpc_plist_parse(text.data(), text.size(), "a.plist", &error));
  EXPECT_EQ(error, nullptr);
  return object;
}

std::string error_of(std::string_view text, const char* name = "a.plist",
                     openxpc_error_code_t code = OPENXPC_ERROR_MALFORMED) {
  xpc_rich_error_t error = nullptr;
  EXPECT_EQ(openxpc_plist_parse(text.data(), text.size(), name, &error), nullptr);
  EXPECT_EQ(openxpc_error_get_code(error), code);
  std::string message = openxpc_error_get_message(error);
  xpc_release(error);
  return message;
}

TEST(PlistApi, MakesObjectsOfAllThreeNotations) {
  owned xml = parse(
      "<plist><dict><key>n</key><integer>-5</integer><key>d</key><data>AAE=</data></dict></plist>");
  EXPECT_EQ(xpc_dictionary_get_int64(xml.get(), "n"), -5);
  size_t size = 0;
  ASSERT_NE(xpc_dictionary_get_data(xml.get(), "d", &size), nullptr);
  EXPECT_EQ(size, 2u);

  owned json =
      parse(R"({"n": -5, "big": 18446744073709551615, "null": null, "list": [1.5, true, "x"]})");
  EXPECT_EQ(xpc_dictionary_get_uint64(json.get(), "big"), UINT64_MAX);
  EXPECT_EQ(openxpc_type_id(xpc_dictionary_get_value(json.get(), "null")), OPENXPC_TYPE_NULL);
  EXPECT_EQ(xpc_array_get_double(xpc_dictionary_get_array(json.get(), "list"), 0), 1.5);

  size_t binary_size = 0;
  text_ptr binary(static_cast<char*>(openxpc_plist_write_binary(xml.get(), &binary_size, nullptr)));
  owned again = parse({binary.get(), binary_size});
  EXPECT_TRUE(xpc_equal(xml.get(), again.get()));
}

TEST(PlistApi, TellsNameLineAndReason) {
  EXPECT_EQ(error_of("<plist>\n<integer>12abc</integer></plist>"),
            "a.plist:2:1: <integer>: \"12abc\" is not an integer");
  EXPECT_EQ(error_of("bplist00"), "a.plist: offset 8: cut: no room for an object and the trailer");
  EXPECT_EQ(error_of("", nullptr), "property list:1:1: empty: expected a property list or JSON");
  EXPECT_EQ(openxpc_plist_parse("<", 1, nullptr, nullptr), nullptr);

  xpc_rich_error_t error = nullptr;
  EXPECT_EQ(openxpc_json_parse("[", 1, nullptr, &error), nullptr);
  EXPECT_EQ(std::string(openxpc_error_get_message(error)).substr(0, 9), "JSON:1:1:");
  xpc_release(error);
}

TEST(PlistApi, KnowsTheLineOfEachKey) {
  std::string_view text =
      "<plist><dict>\n<key>com.example.a</key>\n<true/>\n<key>List</key><array>\n "
      "<dict>\n<key>K</key><true/></dict></array></dict></plist>";
  openxpc_plist_locations_t locations = nullptr;
  owned object(
      openxpc_plist_parse_with_locations(text.data(), text.size(), "a", &locations, nullptr));
  ASSERT_TRUE(object);
  openxpc_plist_location_t at{};
  const char* dotted[] = {"com.example.a"};
  ASSERT_TRUE(openxpc_plist_locations_find(locations, dotted, 1, &at));
  EXPECT_EQ(at.key_line, 2u);
  EXPECT_EQ(at.key_column, 1u);
  EXPECT_EQ(at.line, 3u);
  const char* deep[] = {"List", "0", "K"};
  ASSERT_TRUE(openxpc_plist_locations_find(locations, deep, 3, &at));
  EXPECT_EQ(at.key_line, 6u);
  EXPECT_EQ(at.column, 13u);
  ASSERT_TRUE(openxpc_plist_locations_find(locations, deep, 2, &at));
  EXPECT_EQ(at.key_line, 5u);
  EXPECT_EQ(at.line, 5u);
  ASSERT_TRUE(openxpc_plist_locations_find(locations, nullptr, 0, &at));
  EXPECT_EQ(at.line, 1u);
  EXPECT_EQ(at.column, 8u);
  const char* missing[] = {"List", "1"};
  EXPECT_FALSE(openxpc_plist_locations_find(locations, missing, 2, &at));
  const char* through_a_leaf[] = {"com.example.a", "x"};
  EXPECT_FALSE(openxpc_plist_locations_find(locations, through_a_leaf, 2, &at));
  openxpc_plist_locations_destroy(locations);
}

TEST(PlistApi, CreateFromPlistTakesPropertyListsOnly) {
  std::string_view xml = "<plist><true/></plist>";
  owned object(xpc_create_from_plist(xml.data(), xml.size()));
  EXPECT_EQ(openxpc_type_id(object.get()), OPENXPC_TYPE_BOOL);
  EXPECT_EQ(xpc_create_from_plist("[1]", 3), nullptr);
  EXPECT_EQ(xpc_create_from_plist("bplist00", 8), nullptr);
  EXPECT_EQ(xpc_create_from_plist(nullptr, 0), nullptr);
}

TEST(PlistApi, TypedJsonKeepsEveryType) {
  std::string_view text =
      R"({"type":"dictionary","value":[["u",{"type":"uint64","value":"5"}],["t",{"type":"date","value":"-1"}],)"
      R"(["i",{"type":"uuid","value":"00010203-0405-0607-0809-0a0b0c0d0e0f"}],)"
      R"(["n",{"type":"double","value":"NaN","bits":"0x7ff8000000abcdef"}],)"
      R"(["f",{"type":"file_transfer","value":{"id":"7","object":{"type":"dictionary","value":[]}}}]]})";
  owned object(openxpc_typed_json_parse(text.data(), text.size(), nullptr, nullptr));
  ASSERT_TRUE(object);
  EXPECT_EQ(xpc_dictionary_get_uint64(object.get(), "u"), 5u);
  size_t size = 0;
  text_ptr back(openxpc_typed_json_write(object.get(), OPENXPC_JSON_COMPACT, &size, nullptr));
  EXPECT_EQ(std::string_view(back.get(), size), text);
}

TEST(PlistApi, WritesWhatExistsInThisProcessOnlyByItsName) {
  owned object(xpc_dictionary_create_empty());
  xpc_dictionary_set_fd(object.get(), "fd", 0);
  text_ptr typed(openxpc_typed_json_write(object.get(), OPENXPC_JSON_PRETTY, nullptr, nullptr));
  EXPECT_STREQ(typed.get(),
               "{\"type\": \"dictionary\", \"value\": [\n  [\"fd\", {\"type\": \"fd\"}]\n]}");
  text_ptr json(openxpc_json_write(object.get(), OPENXPC_JSON_COMPACT, nullptr, nullptr));
  EXPECT_STREQ(json.get(), "{\"fd\":\"<fd>\"}");
  xpc_rich_error_t error = nullptr;
  EXPECT_EQ(openxpc_plist_write_xml(object.get(), nullptr, &error), nullptr);
  EXPECT_EQ(openxpc_error_get_code(error), OPENXPC_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(openxpc_error_get_message(error),
               "fd: a property list has no form for a value of type fd");
  xpc_release(error);
}

TEST(PlistApi, T63_RefusesToWriteWhatIsTooDeepOrTooMuch) {
  owned deep(xpc_array_create_empty());
  for (int level = 0; level < 64; ++level) {
    owned outer(xpc_array_create_empty());
    xpc_array_append_value(outer.get(), deep.get());
    deep = std::move(outer);
  }
  xpc_rich_error_t error = nullptr;
  EXPECT_EQ(openxpc_json_write(deep.get(), OPENXPC_JSON_COMPACT, nullptr, &error), nullptr);
  EXPECT_NE(std::string_view(openxpc_error_get_message(error)).find("nested deeper than 64 levels"),
            std::string_view::npos);
  xpc_release(error);

  owned wide(xpc_array_create_empty());
  for (int level = 0; level < 40; ++level) {  // 2^40 values in 40 arrays
    owned outer(xpc_array_create_empty());
    xpc_array_append_value(outer.get(), wide.get());
    xpc_array_append_value(outer.get(), wide.get());
    wide = std::move(outer);
  }
  EXPECT_EQ(openxpc_json_write(wide.get(), OPENXPC_JSON_COMPACT, nullptr, &error), nullptr);
  EXPECT_NE(std::string_view(openxpc_error_get_message(error)).find("more than 1048576 values"),
            std::string_view::npos);
  xpc_release(error);
}

TEST(PlistApiDeathTest, MisuseNamesTheFunction) {
  EXPECT_DEATH(owned(openxpc_plist_parse(nullptr, 5, nullptr, nullptr)),
               "XPC API Misuse: openxpc_plist_parse: bytes is NULL, size is 5");
  EXPECT_DEATH(text_ptr(openxpc_json_write(nullptr, 0, nullptr, nullptr)),
               "openxpc_json_write: the object is NULL");
  owned null(xpc_null_create());
  EXPECT_DEATH(text_ptr(openxpc_json_write(null.get(), 8, nullptr, nullptr)),
               "openxpc_json_write: unknown flags 0x8");
}

}  // namespace
