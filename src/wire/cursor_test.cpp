#include "wire/cursor.hpp"

#include "wire/validate.hpp"
#include "wire/writer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace openxpc;
using namespace openxpc::wire;

TEST(WireCursor, KeysOfEveryLengthAreFoundByNameAndOnlyWhole) {
  base::buffer out;
  writer to(out);
  to.header(mode::local);
  to.begin_dictionary();
  std::string key;
  for (int i = 0; i < 30; ++i, key += 'k') {
    to.key(key);
    to.int64(i);
  }
  to.end();
  ASSERT_FALSE(validate(out.view(), mode::local, 0));
  value top = root(out.view());
  for (int i = 0; i < 30; ++i) {
    value found = top.find(std::string(static_cast<std::size_t>(i), 'k'));
    ASSERT_TRUE(found) << i;
    EXPECT_EQ(found.to_int64(), i);
  }
  EXPECT_FALSE(top.find(std::string(30, 'k')));
  EXPECT_FALSE(top.find("x"));
  EXPECT_FALSE(top.find(std::string_view("k\0", 2)));
  EXPECT_FALSE(value());
}

TEST(WireCursor, RangesVisitEachEntryOnceAndCanBeEmpty) {
  base::buffer out;
  writer to(out);
  to.header(mode::local);
  to.begin_dictionary();
  to.key("none");
  to.begin_array();
  to.end();
  to.key("nothing");
  to.begin_dictionary();
  to.end();
  to.key("some");
  to.begin_array();
  for (const char* text : {"a", "four", "", "twelve bytes"}) to.string(text);
  to.end();
  to.end();
  ASSERT_FALSE(validate(out.view(), mode::local, 0));
  value top = root(out.view());
  std::vector<std::string> keys, texts;
  for (const entry& each : top.entries()) keys.emplace_back(each.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"none", "nothing", "some"}));
  for (value each : top.find("some").elements()) texts.emplace_back(each.string());
  EXPECT_EQ(texts, (std::vector<std::string>{"a", "four", "", "twelve bytes"}));
  EXPECT_EQ(top.find("none").elements().size(), 0u);
  for (value each : top.find("none").elements()) FAIL() << each.offset();
  for (const entry& each : top.find("nothing").entries()) FAIL() << each.key;
  static_assert(std::forward_iterator<element_range::iterator>);
  static_assert(std::input_iterator<entry_range::iterator>);
}

TEST(WireCursor, AValueIsFoundAgainByItsOffsetAndKnowsItsEnd) {
  base::buffer out;
  writer to(out);
  to.header(mode::local);
  to.begin_dictionary();
  to.key("list");
  to.begin_array();
  to.string("x");
  to.null();
  to.data(base::as_bytes("12345"));
  to.end();
  to.end();
  ASSERT_FALSE(validate(out.view(), mode::local, 0));
  value list = root(out.view()).find("list");
  value last = list.element(2);
  value again(out.data(), last.offset());
  EXPECT_EQ(base::as_text(again.data()), "12345");
  EXPECT_EQ(again.end_offset(), out.size());
  EXPECT_EQ(list.end_offset(), out.size());
  EXPECT_EQ(root(out.view()).end_offset(), out.size());
  EXPECT_EQ(list.element(0).string().data()[1], '\0') << "strings are lent as C strings";
}

TEST(WireCursor, FixedSizesAreThoseThatTheWriterWrites) {
  for (std::uint32_t number = 0; number <= last_ordinal; ++number) {
    auto type = static_cast<tag>(number << 12);
    base::buffer out;
    writer to(out);
    const std::byte uuid[16] = {};
    switch (type) {
      case tag::null:
        to.null();
        break;
      case tag::boolean:
        to.boolean(true);
        break;
      case tag::int64:
        to.int64(1);
        break;
      case tag::uint64:
        to.uint64(1);
        break;
      case tag::real:
        to.real(1);
        break;
      case tag::date:
        to.date(1);
        break;
      case tag::uuid:
        to.uuid(uuid);
        break;
      case tag::shmem:
        to.shmem(1);
        break;
      case tag::fd:
      case tag::endpoint:
        to.out_of_line(type);
        break;
      default:
        break;
    }
    EXPECT_EQ(fixed_bytes[ordinal(type)], out.size()) << name(type);
    if (!out.empty()) {
      EXPECT_EQ(value(out.data(), 0).type(), type);
    }
  }
  EXPECT_GT(ordinal(static_cast<tag>(0x3001)), last_ordinal);
  EXPECT_GT(ordinal(static_cast<tag>(0x80003000)), last_ordinal);
}
