// A second opinion: libplist (2.2) on the same lists, both ways.

#include "plist/dump_test.hpp"
#include "plist/read.hpp"
#include "plist/write.hpp"

#include <gtest/gtest.h>

#include <plist/plist.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace openxpc::plist {
namespace {

struct free_list {
  void operator()(void* list) const { plist_free(list); }
};
using oracle = std::unique_ptr<void, free_list>;

/// What libplist sees, in the words of dump(). It has no sign on integers beyond int64.
std::string dump_oracle(plist_t value) {
  switch (plist_get_node_type(value)) {
    case PLIST_BOOLEAN: {
      std::uint8_t yes = 0;
      plist_get_bool_val(value, &yes);
      return yes ? "true" : "false";
    }
    case PLIST_UINT: {
      std::uint64_t number = 0;
      plist_get_uint_val(value, &number);
      return std::to_string(number);
    }
    case PLIST_REAL: {
      double number = 0;
      plist_get_real_val(value, &number);
      return format_real(number);
    }
    case PLIST_STRING: {
      std::uint64_t size = 0;
      const char* text = plist_get_string_ptr(value, &size);
      return "'" + std::string(text, size) + "'";
    }
    case PLIST_DATA: {
      std::uint64_t size = 0;
      const char* bytes = plist_get_data_ptr(value, &size);
      return "<" + write_hex({bytes, size}) + ">";
    }
    case PLIST_DATE: {
      std::int32_t seconds = 0, micro = 0;
      plist_get_date_val(value, &seconds, &micro);
      return "@" + std::to_string((std::int64_t{seconds} + 978307200) * 1'000'000'000 +
                                  std::int64_t{micro} * 1000);
    }
    case PLIST_ARRAY: {
      std::string said;
      for (std::uint32_t i = 0; i < plist_array_get_size(value); ++i)
        said += (i ? "," : "") + dump_oracle(plist_array_get_item(value, i));
      return "[" + said + "]";
    }
    case PLIST_DICT: {
      std::string said;
      plist_dict_iter at = nullptr;
      plist_dict_new_iter(value, &at);
      for (;;) {
        char* key = nullptr;
        plist_t child = nullptr;
        plist_dict_next_item(value, at, &key, &child);
        if (!child) break;
        said += (said.empty() ? "" : ",") + std::string(key) + ":" + dump_oracle(child);
        std::free(key);
      }
      std::free(at);
      return "{" + said + "}";
    }
    default:
      return "?";
  }
}

node sample() {
  node tree;
  auto wrong = read_xml(R"(<plist><dict>
    <key>text</key><string>é € 😀 &amp; &lt;x&gt;</string> <key>ascii</key><string>a longer string of ASCII characters</string>
    <key>yes</key><true/> <key>no</key><false/> <key>zero</key><integer>0</integer> <key>byte</key><integer>255</integer>
    <key>short</key><integer>65535</integer> <key>int</key><integer>4294967295</integer>
    <key>long</key><integer>9007199254740993</integer> <key>max</key><integer>9223372036854775807</integer>
    <key>real</key><real>0.1</real> <key>when</key><date>2023-11-14T22:13:20Z</date> <key>data</key><data>AAECAwQFBgc=</data>
    <key>list</key><array><string/><array/><dict/><integer>7</integer></array> <key>inner</key><dict><key>text</key><string>x</string></dict>
    </dict></plist>)",
                        tree);
  EXPECT_FALSE(wrong) << describe(*wrong, "sample");
  node many;
  many.what = kind::array;
  many.key = "many";
  for (int i = 0; i < 300; ++i) {
    node& child = many.children.emplace_back();
    child.what = kind::integer;
    child.integer = i;
  }
  tree.children.push_back(std::move(many));
  return tree;
}

TEST(PlistOracle, ReadsOurXml) {
  std::string text;
  ASSERT_FALSE(write_xml(sample(), text));
  plist_t read = nullptr;
  plist_from_xml(text.data(), static_cast<std::uint32_t>(text.size()), &read);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(dump_oracle(oracle(read).get()), dump(sample()));
}

TEST(PlistOracle, ReadsOurBinary) {
  std::string list;
  ASSERT_FALSE(write_binary(sample(), list));
  plist_t read = nullptr;
  plist_from_bin(list.data(), static_cast<std::uint32_t>(list.size()), &read);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(dump_oracle(oracle(read).get()), dump(sample()));
}

TEST(PlistOracle, WritesXmlAndBinaryThatWeRead) {
  std::string list;
  ASSERT_FALSE(write_binary(sample(), list));
  plist_t read = nullptr;
  plist_from_bin(list.data(), static_cast<std::uint32_t>(list.size()), &read);
  oracle theirs(read);
  ASSERT_TRUE(theirs);

  for (auto to : {plist_to_xml, plist_to_bin}) {
    char* text = nullptr;
    std::uint32_t size = 0;
    to(theirs.get(), &text, &size);
    node back;
    auto wrong = read_any(base::as_bytes({text, size}), back);
    EXPECT_FALSE(wrong) << describe(*wrong, "libplist's");
    EXPECT_EQ(dump(back), dump(sample()));
    std::free(text);
  }
}

}  // namespace
}  // namespace openxpc::plist
