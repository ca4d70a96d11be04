// Every entry of tests/data/wire/hostile.json (refused with offset and reason, as its
// recommendation says), and bombs that are too large for a file, within bounded time and memory.
#include "support/places.hpp"
#include "wire/hostile_verdicts.hpp"
#include "wire/validate.hpp"
#include "wire/vector_files_test.hpp"
#include "wire/verdict_test.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <new>
#include <set>

using namespace openxpc;
using namespace openxpc::wire;
using vectors::json;
using vectors::raw;

namespace {

const json& entries() {
  static const json loaded =
      vectors::load(std::string(xpc_testing::data_folder) + "/wire/hostile.json").at("vectors");
  return loaded;
}

/// A copy in memory of exactly its size, so that ASan sees a read behind it.
std::optional<malformed> check(const raw& message, mode spoken) {
  auto exact = std::make_unique<std::byte[]>(message.size());
  std::copy(message.begin(), message.end(), exact.get());
  return validate({exact.get(), message.size()}, spoken, 0);
}

/// A native message whose root has one key, "v", and the value that `write_value` writes.
template <class F>
raw around(F write_value) {
  base::buffer out;
  writer to(out);
  to.header(mode::local);
  to.begin_dictionary();
  to.key("v");
  write_value(to);
  to.end();
  return raw(out.data(), out.data() + out.size());
}

}  // namespace

TEST(WireHostile, EveryEntryIsRefusedWithTheOffsetAndTheReason) {
  ASSERT_EQ(entries().size(), std::size(vectors::hostile_verdicts));
  for (std::size_t i = 0; i < entries().size(); ++i) {
    const json& entry = entries()[i];
    const vectors::verdict& ours = vectors::hostile_verdicts[i];
    SCOPED_TRACE(ours.name);
    ASSERT_EQ(entry.at("name").get<std::string>(), ours.name);
    // No recommendation in the file is to accept something under the portable header.
    mode spoken = entry.at("mode") == "file" ? mode::file : mode::local;
    auto problem = check(vectors::from_hex(entry.at("hex").get<std::string>()), spoken);
    ASSERT_TRUE(problem) << "accepted";
    std::cout << ours.name << ": " << verdict(problem) << '\n';
    EXPECT_EQ(problem, ours.problem) << describe(ours.problem);
  }
}

TEST(WireHostile, EveryEntryIsRefusedUnderTheNativeHeaderTooUnlessOnlyTheHeaderWasWrong) {
  std::size_t accepted = 0;
  for (const json& entry : entries()) {
    raw message = vectors::from_hex(entry.at("hex").get<std::string>());
    if (message.size() < 8) continue;
    bool was_portable = base::load<std::uint32_t>(message.data()) == portable_magic;
    base::store(message.data(), native_magic);
    if (check(message, mode::local)) continue;
    EXPECT_FALSE(was_portable) << entry.at("name");
    ++accepted;
  }
  EXPECT_EQ(accepted, 5u) << "magic-big-endian, -zero, -wrapper; native-magic, native-old-magic";
}

TEST(WireHostile, ReasonsAreAllDifferentAndSayTheOffset) {
  std::set<std::string> seen;
  for (int i = 0; i <= static_cast<int>(fault::out_of_memory); ++i) {
    std::string text = describe({static_cast<fault>(i), 77});
    EXPECT_EQ(text.rfind("offset 77: ", 0), 0u) << text;
    EXPECT_EQ(text.find("unknown fault"), std::string::npos) << i;
    EXPECT_TRUE(seen.insert(text).second) << text;
  }
}

TEST(WireHostile, T42_OneHundredThousandNestedContainersAreRefusedAtTheLimit) {
  raw message = around([](writer& to) {
    for (int i = 0; i < 100000; ++i) to.begin_array();
    for (int i = 0; i < 100000; ++i) to.end();
  });
  auto problem = validate(message, mode::local, 0);
  EXPECT_EQ(problem, (malformed{fault::too_deep, 24 + 63 * 12}));
  limits deep;
  deep.depth = 65535;
  problem = validate(message, mode::local, 0, deep);
  EXPECT_EQ(problem, (malformed{fault::too_deep, 24 + (most_depth - 1) * 12}));
}

TEST(WireHostile, T42_TheDepthLimitCountsFileTransfersAndTheRoot) {
  auto nested = [](int transfers) {
    base::buffer out;
    writer to(out);
    to.header(mode::file);
    to.begin_dictionary();
    for (int i = 0; i < transfers; ++i) {
      to.key("t");
      to.file_transfer(1);
      to.begin_dictionary();
      to.key("s");
      to.uint64(0);
    }
    for (int i = 0; i <= transfers; ++i) to.end();
    return raw(out.data(), out.data() + out.size());
  };
  limits max;
  max.depth = 7;
  EXPECT_FALSE(validate(nested(3), mode::file, 0, max));
  auto problem = validate(nested(4), mode::file, 0, max);
  EXPECT_EQ(fault_of(problem), fault::too_deep);
  EXPECT_FALSE(validate(nested(31), mode::file, 0));
  EXPECT_TRUE(validate(nested(32), mode::file, 0));
}

TEST(WireHostile, T42_AMillionKeysThatMeetInAnUnkeyedTableAreReadInLinearTime) {
  // A sender does not know the key of the hash; keys that differ in few bits are the worst it can
  // try. Linear time is what keeps this test from running into its limit: pair by pair it would be
  // half a million million comparisons.
  auto with_keys = [](std::uint32_t count, bool last_repeats) {
    return around([&](writer& to) {
      to.begin_dictionary();
      char key[] = "0000000000000000";
      for (std::uint32_t i = 0; i < count; ++i) {
        std::uint32_t number = last_repeats && i == count - 1 ? count / 2 : i;
        for (int digit = 7; digit >= 0; --digit, number >>= 4)
          key[digit] = "0123456789abcdef"[number & 15];
        to.key(key);
        to.null();
      }
      to.end();
    });
  };
  raw message = with_keys(1000000, false);
  summary found;
  ASSERT_FALSE(validate(message, mode::local, 0, {}, &found));
  EXPECT_EQ(found.entries, 1000001u);
  message = with_keys(1000000, true);
  auto problem = validate(message, mode::local, 0);
  EXPECT_EQ(problem,
            (malformed{fault::key_repeated, static_cast<std::uint32_t>(message.size() - 24)}));
}

TEST(WireHostile, T42_SizeAndAttachmentsAreJudgedBeforeAnythingIsRead) {
  limits max;
  max.bytes = 1000;
  // Nothing stands behind this pointer: reading it would be the end of the test.
  auto* nowhere = reinterpret_cast<const std::byte*>(16);
  EXPECT_EQ(validate({nowhere, 1001}, mode::local, 0, max),
            (malformed{fault::message_too_large, 1000}));
  EXPECT_EQ(validate({nowhere, std::size_t{1} << 40}, mode::local, 0),
            (malformed{fault::message_too_large, 128u << 20}));
  EXPECT_EQ(validate({nowhere, 20}, mode::local, 254), (malformed{fault::attachments_too_many, 0}));
}

TEST(WireHostile, T40_TheTextOfAStringNeverReachesBeyondItsFirstNul) {
  for (std::uint32_t length = 2; length < 40; ++length)
    for (std::uint32_t nul = 0; nul < length - 1; ++nul) {
      raw message = around([&](writer& to) { to.string(std::string(length - 1, 'x')); });
      message[32 + nul] = std::byte{};
      ASSERT_EQ(check(message, mode::local), (malformed{fault::string_nul_inside, 32 + nul}));
    }
}
