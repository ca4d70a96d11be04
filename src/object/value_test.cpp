// Equality, hash, copy and description.
#include "object/value.hpp"

#include "object/describe.hpp"
#include "object/error.hpp"
#include "object/messages_test.hpp"
#include "object/rich_error.hpp"

#include <bit>
#include <cmath>

namespace openxpc::object {
namespace {

using testing::an_fd;
using testing::round_trip;
using testing::text;

ref<dictionary> sample() {
  auto list = array::create();
  list->append(make_int64(-3));
  list->append(text("x"));
  list->append(ref<object>::adopt(the_null()));
  auto it = dictionary::create();
  it->set("list", list);
  it->set("yes", ref<object>::adopt(the_bool(true)));
  it->set("pi", make_double(3.25));
  return it;
}

TEST(Value, EqualsItsEncodedForm) {
  auto it = sample(), other = sample();
  auto got = round_trip(*it);
  EXPECT_TRUE(equal(*it, *other));
  EXPECT_TRUE(equal(*it, *got));
  EXPECT_TRUE(equal(*got, *it));
  EXPECT_EQ(hash(*it), hash(*got));
  other->set("pi", make_double(3.5));
  EXPECT_FALSE(equal(*it, *other));
  EXPECT_NE(hash(*it), hash(*other));
}

TEST(Value, NanEqualsItselfAndZeroesAreEqual) {
  auto nan = make_double(std::nan("")), other = make_double(std::nan(""));
  EXPECT_TRUE(equal(*nan, *other));
  EXPECT_EQ(hash(*nan), hash(*other));
  EXPECT_TRUE(equal(*make_double(0.0), *make_double(-0.0)));
  EXPECT_EQ(hash(*make_double(0.0)), hash(*make_double(-0.0)));
}

TEST(Value, DescriptorsAreEqualToThemselvesOnlyEvenInside) {
  auto a = dictionary::create(), b = dictionary::create(), c = dictionary::create();
  auto file = an_fd();
  a->set("f", file), b->set("f", file), c->set("f", an_fd());
  EXPECT_TRUE(equal(*a, *b));
  EXPECT_EQ(hash(*a), hash(*b));
  EXPECT_FALSE(equal(*a, *c));
  EXPECT_FALSE(equal(*a, *copy(*a)));
  auto got = round_trip(*a);
  EXPECT_TRUE(equal(*got, *got));
  EXPECT_FALSE(equal(*got, *a));
}

TEST(Value, CyclesEndInEveryWalk) {
  auto a = array::create(), b = array::create();
  for (auto& each : {a, b}) each->append(each), each->append(each), each->append(make_int64(1));
  EXPECT_TRUE(equal(*a, *b));
  EXPECT_EQ(hash(*a), hash(*b));
  EXPECT_FALSE(copy(*a));
  EXPECT_NE(describe(*a).find("contains itself"), std::string::npos);
  b->append(make_int64(2));
  EXPECT_FALSE(equal(*a, *b));
  for (auto& each : {a, b}) each->set(0, make_int64(0)), each->set(1, make_int64(0));
}

TEST(Value, CopyIsDeepAndTheCopyChangesAlone) {
  auto it = sample();
  auto made = copy(*it);
  auto& second = *static_cast<dictionary*>(made.get());
  static_cast<array*>(second.get("list"))->append(make_int64(9));
  EXPECT_EQ(static_cast<array*>(it->get("list"))->count(), 3u);
  EXPECT_FALSE(equal(*it, second));
  // Of a received message too, changed below or not.
  auto got = round_trip(*it);
  auto view_copy = copy(*got);
  static_cast<array*>(got->get("list"))->append(make_int64(9));
  EXPECT_TRUE(equal(*view_copy, *it));
  EXPECT_TRUE(equal(*copy(*got), *got));
  EXPECT_FALSE(equal(*copy(*got), *it));
}

TEST(Value, WhatIsTooDeepIsNotCopiedAndNeverEqual) {
  auto deep = [] {
    ref<object> inner = make_int64(1);
    for (unsigned i = 0; i < deepest_walk + 1; ++i) {
      auto outer = array::create();
      outer->append(std::move(inner));
      inner = outer;
    }
    return inner;
  };
  auto a = deep(), b = deep();
  EXPECT_FALSE(copy(*a));
  EXPECT_FALSE(equal(*a, *b));
  EXPECT_TRUE(equal(*a, *a));
  EXPECT_NE(describe(*a).find("nested too deeply"), std::string::npos);
}

std::string without_addresses(std::string text) {
  for (std::size_t at = 0; (at = text.find("0x", at)) != std::string::npos && at + 2 < text.size();
       ++at)
    if (text.compare(at - 2, 2, ": ") == 0) {
      std::size_t end = text.find('>', at);
      text.replace(at, end - at, "A");
    }
  return text;
}

TEST(Describe, NamesTypeCountLengthAndContent) {
  auto it = sample();
  static constexpr std::byte bytes[30] = {std::byte{1}, std::byte{0xab}};
  it->set("bytes", data::copy_of(bytes));
  it->set("when", make_date(1'500'000'000));
  it->set("before", make_date(-1));
  const char* expected =
      "<dictionary: A> { count = 6, transaction: 0, voucher = 0x0, contents =\n"
      "\t\"list\" => <array: A> { count = 3, contents =\n"
      "\t\t0: <int64: A>: -3\n"
      "\t\t1: <string: A> { length = 1, contents = \"x\" }\n"
      "\t\t2: <null: A>\n"
      "\t}\n"
      "\t\"yes\" => <bool: A>: true\n"
      "\t\"pi\" => <double: A>: 3.25\n"
      "\t\"bytes\" => <data: A>: { length = 30 bytes, contents = "
      "0x01ab00000000000000000000000000000000000000000000... }\n"
      "\t\"when\" => <date: A>: 1970-01-01T00:00:01.500000000Z\n"
      "\t\"before\" => <date: A>: 1969-12-31T23:59:59.999999999Z\n"
      "}";
  EXPECT_EQ(without_addresses(describe(*it)), expected);
  EXPECT_EQ(without_addresses(describe(*round_trip(*it))), expected);
}

TEST(Describe, R316_ErrorsShowTheirDescription) {
  EXPECT_EQ(without_addresses(describe(_xpc_error_connection_invalid)),
            "<error: A> { count = 1, contents =\n"
            "\t\"XPCErrorDescription\" => <string: A> { length = 18, contents = \"Connection "
            "invalid\" }\n}");
}

TEST(Describe, TextOfAPeerCannotForgeLinesOrMoveTheCursor) {
  auto it = text("a\nb\x1b[2J\x7f\"\\\xc2\x9b gr\xc3\xbc\xc3\x9f\xff");
  EXPECT_EQ(without_addresses(describe(*it)),
            "<string: A> { length = 20, contents = \"a\\nb\\x1b[2J\\x7f\\\"\\\\\\xc2\\x9b "
            "gr\xc3\xbc\xc3\x9f\\xff\" }");
}

TEST(Describe, StopsAtOneMegabyte) {
  auto it = dictionary::create();
  for (int i = 0; i < 20; ++i) it->set(std::to_string(i), text(std::string(200'000, 'x')));
  auto said = describe(*it);
  EXPECT_LT(said.size(), describer::longest_bytes + 1000);
  EXPECT_TRUE(said.ends_with("(cut)"));
}

TEST(RichError, CarriesEverythingThroughADictionary) {
  auto inner = rich_error::create(OPENXPC_ERROR_NOT_FOUND, "inner");
  error_parts parts;
  parts.code = OPENXPC_ERROR_LAUNCH_FAILED;
  parts.flags = OPENXPC_ERROR_HAS_EXIT_STATUS | OPENXPC_ERROR_NOT_ACCEPTED;
  parts.domain = "org.example";
  parts.number = -7;
  parts.message = "it broke";
  parts.remedy = "mend it";
  parts.cause = inner.get();
  parts.exit_status = 0x100;
  auto it = rich_error::create(parts);
  auto got = rich_error::from(*round_trip(*it->to_dictionary()));
  EXPECT_EQ(got->code(), OPENXPC_ERROR_LAUNCH_FAILED);
  EXPECT_EQ(got->flags(), parts.flags);
  EXPECT_EQ(got->domain(), "org.example");
  EXPECT_EQ(got->number(), -7);
  EXPECT_EQ(got->message(), "it broke");
  EXPECT_EQ(got->remedy(), "mend it");
  EXPECT_EQ(got->exit_status(), 0x100);
  ASSERT_TRUE(got->cause());
  EXPECT_EQ(got->cause()->message(), "inner");
  EXPECT_FALSE(it->flags() & OPENXPC_ERROR_CAN_RETRY);
  EXPECT_TRUE(rich_error::create(OPENXPC_ERROR_TIMED_OUT, "")->flags() & OPENXPC_ERROR_CAN_RETRY);
}

TEST(RichError, T39_TrustsNothingThatAPeerSent) {
  auto bad = dictionary::create();
  for (const char* key :
       {"code", "flags", "domain", "number", "message", "remedy", "cause", "status"})
    bad->set(key, array::create());
  auto got = rich_error::from(*bad);
  EXPECT_EQ(got->code(), OPENXPC_ERROR_REMOTE);
  EXPECT_EQ(got->message(), "the other side gave no reason");
  bad->set("code", make_int64(error_codes_end));
  bad->set("flags", make_int64(-1));
  bad->set("message", text(std::string(100'000, 'x')));
  got = rich_error::from(*bad);
  EXPECT_EQ(got->code(), OPENXPC_ERROR_REMOTE);
  EXPECT_EQ(got->flags() & ~15u, 0u);
  EXPECT_EQ(got->message().size(), rich_error::longest_text);
}

TEST(RichError, CutsLongChainsOfCauses) {
  auto inner = dictionary::create();
  for (int i = 0; i < 60; ++i) {
    auto outer = dictionary::create();
    outer->set("cause", inner);
    inner = outer;
  }
  unsigned length = 0;
  auto got = rich_error::from(*inner);
  for (auto* each = got.get(); each; each = each->cause()) ++length;
  EXPECT_EQ(length, rich_error::most_causes);
  ref<rich_error> chain;
  for (int i = 0; i < 100; ++i) {
    error_parts parts;
    parts.cause = chain.get();
    chain = rich_error::create(parts);
    length = 0;
    for (auto* each = chain.get(); each; each = each->cause()) ++length;
    EXPECT_LE(length, rich_error::most_causes);
  }
}

TEST(RichError, ReplacesWhatIsNotUtf8) {
  auto it = rich_error::create(OPENXPC_ERROR_REMOTE, std::string_view("a\xff\0b", 4));
  EXPECT_EQ(it->message(),
            "a\xef\xbf\xbd\xef\xbf\xbd"
            "b");
}

}  // namespace
}  // namespace openxpc::object
