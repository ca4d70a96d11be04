#include "wire/writer.hpp"

#include "wire/cursor.hpp"
#include "wire/transcribe.hpp"
#include "wire/validate.hpp"
#include "wire/verdict_test.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

using namespace openxpc;
using namespace openxpc::wire;

namespace {

std::uint32_t word(const base::buffer& from, std::size_t at) {
  return base::load<std::uint32_t>(from.data() + at);
}

}  // namespace

TEST(WireWriter, AppendsBehindWhatTheBufferHoldsAndCountsFromThere) {
  base::buffer out;
  out.append(base::as_bytes("frame"));  // an odd size: messages need no alignment in memory
  writer to(out);
  to.header(mode::local);
  to.begin_dictionary();
  to.key("list");
  to.begin_array();
  for (int i = 0; i < 3; ++i) to.begin_array(), to.null(), to.end();
  to.end();
  to.key("after");
  to.boolean(true);
  to.end();
  ASSERT_TRUE(to.ok());
  base::bytes message = out.view().subspan(5);
  EXPECT_EQ(to.written_bytes(), message.size());
  auto problem = validate(message, mode::local, 0);
  ASSERT_FALSE(problem) << verdict(problem);
  EXPECT_EQ(root(message).count(), 2u);
  EXPECT_EQ(root(message).find("list").count(), 3u);
  EXPECT_TRUE(root(message).find("after").to_bool());
  EXPECT_EQ(base::as_text(out.view().first(5)), "frame");
}

TEST(WireWriter, WritesMessagesBehindEachOtherIntoOneBuffer) {
  base::buffer out;
  std::size_t first_size = 0;
  for (int i = 0; i < 2; ++i) {
    writer to(out);
    to.header(mode::local);
    to.begin_dictionary();
    to.key("i");
    to.int64(i);
    to.end();
    if (i == 0) first_size = out.size();
  }
  base::bytes second = out.view().subspan(first_size);
  ASSERT_FALSE(validate(out.view().first(first_size), mode::local, 0));
  ASSERT_FALSE(validate(second, mode::local, 0));
  EXPECT_EQ(root(second).find("i").to_int64(), 1);
}

TEST(WireWriter, NestsDeeperThanAnyReceiverAcceptsWithoutMemoryOfItsOwn) {
  base::buffer out;
  writer to(out);
  to.header(mode::local);
  to.begin_dictionary();
  to.key("deep");
  for (int i = 0; i < 5000; ++i) to.begin_array();
  for (int i = 0; i < 5000; ++i) to.end();
  to.end();
  ASSERT_TRUE(to.ok());
  EXPECT_EQ(word(out, 12), 4 + 8 + 5000u * 12);
  EXPECT_EQ(word(out, 16), 1u);
  for (std::uint32_t i = 0; i < 5000; ++i) {
    ASSERT_EQ(word(out, 32 + 12 * i + 4), i == 4999 ? 0u : 1u);
    ASSERT_EQ(word(out, 32 + 12 * i), 4 + 12 * (4999 - i));
  }
}

TEST(WireWriter, DataIsFilledInPlaceWithItsPaddingZero) {
  for (std::size_t size = 0; size < 9; ++size) {
    base::buffer out;
    out.resize(200);  // old bytes that must not shine through
    std::memset(out.data(), 0xff, 200);
    out.clear();
    writer to(out);
    to.header(mode::local);
    to.begin_dictionary();
    to.key("v");
    std::byte* at = to.data_in_place(size);
    ASSERT_NE(at, nullptr);
    std::memset(at, 0xab, size);
    to.key("w");
    to.data({});
    to.end();
    auto problem = validate(out.view(), mode::local, 0);
    ASSERT_FALSE(problem) << verdict(problem);
    base::bytes data = root(out.view()).find("v").data();
    ASSERT_EQ(data.size(), size);
    for (std::byte each : data) EXPECT_EQ(each, std::byte{0xab});
    EXPECT_TRUE(root(out.view()).find("w").data().empty());
  }
}

TEST(WireWriter, SplicedValuesCountAsOneAndReadAsTheyWere) {
  base::buffer out;
  writer first(out);
  first.header(mode::local);
  first.begin_dictionary();
  first.key("tree");
  first.begin_array();
  first.string("x");
  first.uint64(7);
  first.end();
  first.end();
  value tree = root(out.view()).find("tree");

  base::buffer more;
  writer second(more);
  second.header(mode::local);
  second.begin_dictionary();
  second.key("one");
  second.splice(tree.encoded());
  second.key("two");
  second.splice(tree.element(1).encoded());
  second.end();
  ASSERT_FALSE(validate(more.view(), mode::local, 0));
  EXPECT_EQ(root(more.view()).count(), 2u);
  EXPECT_EQ(root(more.view()).find("one").element(0).string(), "x");
  EXPECT_EQ(root(more.view()).find("two").to_uint64(), 7u);
}

TEST(WireWriter, LengthsThatDoNotFitAreRefusedAndNothingIsWrittenForThem) {
  base::buffer out;
  writer to(out);
  to.begin_array();
  std::size_t before = out.size();
  EXPECT_EQ(to.data_in_place(std::size_t{1} << 32), nullptr);
  EXPECT_FALSE(to.ok());
  EXPECT_EQ(out.size(), before);
  to.end();  // must not disturb anything
  EXPECT_FALSE(to.ok());
}

TEST(WireWriter, ContainersThatOutgrowTheirLengthFieldAreNoticed) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers touch memory for each byte that is reserved";
#endif
  base::buffer out;
  try {
    out.reserve((std::size_t{1} << 32) + (1 << 20));
  } catch (const std::bad_alloc&) {
    GTEST_SKIP() << "less than 4 GiB of address space";
  }
  // Reserved pages stay untouched: only the last bytes of each value are written.
  writer to(out);
  to.begin_array();
  for (int i = 0; i < 4; ++i) ASSERT_NE(to.data_in_place((std::size_t{1} << 30) - 8), nullptr);
  EXPECT_TRUE(to.ok());
  to.end();
  EXPECT_FALSE(to.ok());
  out.clear();
  writer deep(out);
  for (int i = 0; i < 5; ++i) ASSERT_NE(deep.data_in_place((std::size_t{1} << 30) - 8), nullptr);
  deep.begin_array();
  EXPECT_FALSE(deep.ok()) << "its place cannot be remembered in 32 bits";
}

TEST(WireWriter, TranscribingGivesTheSameBytesForEveryType) {
  base::buffer out;
  writer to(out);
  const std::byte uuid[16] = {std::byte{1}, std::byte{2}};
  to.header(mode::local);
  to.begin_dictionary();
  to.key(""), to.null();
  to.key("boolean"), to.boolean(false);
  to.key("int64"), to.int64(INT64_MIN);
  to.key("uint64"), to.uint64(UINT64_MAX);
  to.key("real"), to.real(-0.0);
  to.key("date"), to.date(-1);
  to.key("data"), to.data(uuid);
  to.key("string"), to.string("gr\xc3\xbc\xc3\x9f");
  to.key("uuid"), to.uuid(uuid);
  to.key("fd"), to.out_of_line(tag::fd);
  to.key("shmem"), to.shmem(1 << 20);
  to.key("endpoint"), to.out_of_line(tag::endpoint);
  to.key("array"), to.begin_array(), to.string(""), to.data({}), to.end();
  to.end();
  auto problem = validate(out.view(), mode::local, 3);
  ASSERT_FALSE(problem) << verdict(problem);
  base::buffer again;
  writer anew(again);
  anew.header(mode::local);
  transcribe(root(out.view()), anew);
  EXPECT_EQ(base::as_text(again.view()), base::as_text(out.view()));
  EXPECT_TRUE(std::signbit(root(out.view()).find("real").to_double()));
}
