// Rules that no entry of the vector files reaches: attachments, keys in large and small
// dictionaries, text and padding at every place relative to a word, memory.
#include "wire/validate.hpp"

#include "wire/cursor.hpp"
#include "wire/verdict_test.hpp"
#include "wire/writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <vector>

using namespace openxpc;
using namespace openxpc::wire;

namespace {

// What the validator takes from the heap: it uses the form of new that cannot throw, and nothing
// else here does.
std::size_t taken_bytes = 0;
std::size_t refuse_above = SIZE_MAX;

}  // namespace

void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  if (size > refuse_above) return nullptr;
  taken_bytes += size;
  try {
    return ::operator new[](size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

namespace {

using raw = std::vector<std::byte>;

template <class F>
raw message(F write_entries, mode spoken = mode::local) {
  base::buffer out;
  writer to(out);
  to.header(spoken);
  to.begin_dictionary();
  write_entries(to);
  to.end();
  EXPECT_TRUE(to.ok());
  return raw(out.data(), out.data() + out.size());
}

/// A copy in memory of exactly its size, so that ASan sees a read behind it.
std::optional<malformed> check(const raw& bytes, std::size_t attachments = 0,
                               summary* found = nullptr) {
  auto exact = std::make_unique<std::byte[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  return validate({exact.get(), bytes.size()}, mode::local, attachments, {}, found);
}

raw with_keys(const std::vector<std::string>& keys) {
  return message([&](writer& to) {
    for (const std::string& key : keys) {
      to.key(key);
      to.null();
    }
  });
}

std::vector<std::string> different_keys(std::size_t count, const std::string& end = "") {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) keys.push_back("k" + std::to_string(i) + end);
  return keys;
}

}  // namespace

TEST(WireValidate, OutOfLineTagsAreFoundInByteOrderAndMustMatchTheAttachments) {
  raw bytes = message([](writer& to) {
    to.key("a");
    to.out_of_line(tag::fd);
    to.key("list");
    to.begin_array();
    to.shmem(4096);
    to.null();
    to.out_of_line(tag::endpoint);
    to.end();
    to.key("z");
    to.out_of_line(tag::fd);
  });
  summary found;
  auto problem = check(bytes, 4, &found);
  ASSERT_FALSE(problem) << verdict(problem);
  ASSERT_EQ(found.out_of_line.size(), 4u);
  EXPECT_EQ(found.entries, 6u);
  value top(bytes.data(), header_bytes);
  EXPECT_EQ(found.out_of_line[0], top.find("a").offset());
  value list = top.find("list");
  EXPECT_EQ(found.out_of_line[1], list.element(0).offset());
  EXPECT_EQ(found.out_of_line[2], list.element(2).offset());
  EXPECT_EQ(found.out_of_line[3], top.find("z").offset());
  EXPECT_EQ(found.out_of_line.before(list.offset()), 1u);
  EXPECT_EQ(found.out_of_line.before(list.end_offset()), 3u);
  EXPECT_EQ(list.element(0).shmem_bytes(), 4096u);

  for (std::size_t few = 0; few < 4; ++few) {
    summary untouched;
    untouched.entries = 77;
    problem = check(bytes, few, &untouched);
    EXPECT_EQ(problem, (malformed{fault::attachment_missing, found.out_of_line[few]}));
    EXPECT_EQ(untouched.entries, 77u);
  }
  problem = check(bytes, 5);
  EXPECT_EQ(problem,
            (malformed{fault::attachment_unused, static_cast<std::uint32_t>(bytes.size())}));
}

TEST(WireValidate, AsManyAttachmentsAsTheLimitAllowsKeepTheirOrder) {
  raw bytes = message([](writer& to) {
    to.key("all");
    to.begin_array();
    for (int i = 0; i < 253; ++i) to.out_of_line(i % 2 ? tag::fd : tag::endpoint);
    to.end();
  });
  summary found;
  ASSERT_FALSE(check(bytes, 253, &found));
  ASSERT_EQ(found.out_of_line.size(), 253u);
  EXPECT_TRUE(std::is_sorted(found.out_of_line.begin(), found.out_of_line.end()));
  summary moved = std::move(found);
  EXPECT_EQ(moved.out_of_line.size(), 253u);
  EXPECT_EQ(moved.out_of_line[252], bytes.size() - 4);
  // NOLINTNEXTLINE(bugprone-use-after-move): what is left behind is part of the contract
  EXPECT_TRUE(found.out_of_line.empty());
  EXPECT_EQ(check(bytes, 254), (malformed{fault::attachments_too_many, 0}));
}

TEST(WireValidate, SharedMemoryNeedsItsWholeSizeField) {
  raw bytes = message([](writer& to) {
    to.key("m");
    to.begin_array();
    to.shmem(1);
    to.end();
  });
  // The array ends 4 bytes early, and so does the root.
  base::store<std::uint32_t>(bytes.data() + 12, base::load<std::uint32_t>(bytes.data() + 12) - 4);
  base::store<std::uint32_t>(bytes.data() + 28, base::load<std::uint32_t>(bytes.data() + 28) - 4);
  bytes.resize(bytes.size() - 4);
  EXPECT_EQ(check(bytes, 1), (malformed{fault::value_cut, 36}));
}

TEST(WireValidate, TypesThatCannotTravelAreRefusedInBothModes) {
  for (tag type : {tag::pointer, tag::mach_send, tag::mach_receive, tag::error, tag::connection,
                   tag::serializer, tag::pipe, tag::bundle, tag::service, tag::service_instance,
                   tag::activity})
    for (mode spoken : {mode::file, mode::local}) {
      raw bytes = message([](writer& to) { to.key("v"), to.null(); }, spoken);
      base::store(bytes.data() + 24, type);
      EXPECT_EQ(validate(bytes, spoken, 1), (malformed{fault::type_not_sendable, 24}))
          << name(type);
    }
}

TEST(WireValidate, ARepeatedKeyIsFoundInDictionariesOfEverySizeAtEveryPlace) {
  for (std::string end : {"", "+", "-longer-than-a-word-or-two", "\xc3\xa9"})
    for (std::size_t count : {2, 3, 15, 16, 17, 18, 40, 169, 170, 171, 300}) {
      std::vector<std::string> keys = different_keys(count, end);
      ASSERT_FALSE(check(with_keys(keys))) << count;
      for (std::size_t first = 0; first < count; first += count > 40 ? 37 : 1)
        for (std::size_t second = first + 1; second < count; second += count > 40 ? 41 : 1) {
          std::vector<std::string> changed = keys;
          changed[second] = changed[first];
          raw bytes = with_keys(changed);
          value top(bytes.data(), header_bytes);
          auto at = top.entries().begin();
          for (std::size_t i = 0; i < second; ++i) ++at;
          auto offset = static_cast<std::uint32_t>(
              reinterpret_cast<const std::byte*>(at->key.data()) - bytes.data());
          ASSERT_EQ(check(bytes), (malformed{fault::key_repeated, offset}))
              << count << ' ' << first << ' ' << second;
        }
    }
}

TEST(WireValidate, EqualKeysInDifferentDictionariesAreNoRepetition) {
  raw bytes = message([](writer& to) {
    for (const char* outer : {"a", "b"}) {
      to.key(outer);
      to.begin_dictionary();
      for (const char* inner : {"a", "b", "c"}) {
        to.key(inner);
        to.begin_array();
        to.begin_dictionary();
        to.key("a");
        to.null();
        to.end();
        to.end();
      }
      to.end();
    }
    to.key("c");
    to.null();
  });
  EXPECT_FALSE(check(bytes));
}

TEST(WireValidate, AKeyRepeatedAcrossANestedDictionaryIsFound) {
  raw bytes = message([](writer& to) {
    to.key("same");
    to.begin_dictionary();
    for (int i = 0; i < 20; ++i) {
      to.key(std::to_string(i));
      to.null();
    }
    to.end();
    to.key("same");
    to.null();
  });
  auto problem = check(bytes);
  EXPECT_EQ(problem,
            (malformed{fault::key_repeated, static_cast<std::uint32_t>(bytes.size() - 12)}));
}

TEST(WireValidate, T42_DifferentKeysThatShareTheirUnkeyedHashAreToldApart) {
  // Small dictionaries hash their keys as (previous ^ word) * odd, word by word. A second word that
  // undoes what the first one changed gives any number of 16-byte keys with one hash.
  auto hash = [](std::uint64_t word) { return word * 0x9e3779b97f4a7c15u; };
  constexpr std::uint64_t tops = 0x8080808080808080u;
  auto word_of = [](const char* text) {
    return base::load<std::uint64_t>(reinterpret_cast<const std::byte*>(text));
  };
  auto text_of = [](std::uint64_t word) {
    return std::string(reinterpret_cast<const char*>(&word), sizeof word);
  };
  const std::uint64_t first = word_of("aaaaaaaa");
  const std::uint64_t second = word_of("zzzzzzzz");
  std::vector<std::string> keys{text_of(first) + text_of(second)};
  for (std::uint64_t i = 1; keys.size() < 16; ++i) {
    // A letter out of 16 for each half byte of a number that jumps about.
    std::uint64_t other = 0x6161616161616161u + (hash(hash(i)) & 0x0f0f0f0f0f0f0f0fu);
    std::uint64_t undone = second ^ hash(first) ^ hash(other);
    std::string key = text_of(other) + text_of(undone);
    if (!(undone & tops) && key.find('\0') == std::string::npos) keys.push_back(key);
  }
  EXPECT_FALSE(check(with_keys(keys)));
  keys.back() = keys.front();
  EXPECT_TRUE(check(with_keys(keys)));
}

TEST(WireValidate, BadTextIsRefusedAtItsByteWhereverItStandsInKeysAndStrings) {
  for (std::size_t size = 1; size < 28; ++size)
    for (std::size_t bad = 0; bad < size; ++bad) {
      std::string text(size, 'x');
      text[bad] = '\xfe';
      raw key = with_keys({text});
      auto at = static_cast<std::uint32_t>(bad);
      ASSERT_EQ(check(key), (malformed{fault::key_not_utf8, 20 + at}));
      raw string = message([&](writer& to) { to.key("v"), to.string(text); });
      ASSERT_EQ(check(string), (malformed{fault::string_not_utf8, 32 + at}));
    }
}

TEST(WireValidate, GoodTextPassesWhereverItStandsInKeysAndStrings) {
  for (std::string piece :
       {"\x01", "\x7f", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"})
    for (std::size_t before = 0; before < 20; ++before)
      for (std::size_t after = 0; after < 10; ++after) {
        std::string text = std::string(before, 'x') + piece + std::string(after, 'y');
        raw bytes = message([&](writer& to) { to.key(text), to.string(text); });
        auto problem = check(bytes);
        ASSERT_FALSE(problem) << verdict(problem);
        entry only = *value(bytes.data(), header_bytes).entries().begin();
        ASSERT_EQ(only.key, text);
        ASSERT_EQ(only.content.string(), text);
      }
}

TEST(WireValidate, EachPaddingByteMustBeZero) {
  for (std::size_t size = 0; size < 12; ++size) {
    std::string text(size, 'x');
    std::size_t padded = base::round_up(size + 1, 4);
    for (std::size_t at = size + 1; at < padded; ++at) {
      raw key = with_keys({text});
      key[20 + at] = std::byte{1};
      ASSERT_EQ(fault_of(check(key)), fault::key_padding) << size << ' ' << at;
      raw string = message([&](writer& to) { to.key("v"), to.string(text); });
      string[32 + at] = std::byte{0x80};
      ASSERT_EQ(fault_of(check(string)), fault::string_padding) << size << ' ' << at;
    }
    for (std::size_t at = size; at < base::round_up(size, 4); ++at) {
      raw data = message([&](writer& to) { to.key("v"), to.data(base::as_bytes(text)); });
      data[32 + at] = std::byte{1};
      ASSERT_EQ(fault_of(check(data)), fault::data_padding) << size << ' ' << at;
    }
  }
}

TEST(WireValidate, AStringWhoseNulWasOverwrittenIsUnterminated) {
  for (std::size_t size = 0; size < 20; ++size) {
    raw bytes = message([&](writer& to) { to.key("v"), to.string(std::string(size, 'x')); });
    bytes[32 + size] = std::byte{'x'};
    ASSERT_EQ(check(bytes),
              (malformed{fault::string_unterminated, static_cast<std::uint32_t>(32 + size)}));
  }
}

TEST(WireValidate, AKeyWithoutNulIsRefusedEvenWhereALaterDictionaryHasOne) {
  raw bytes = message([](writer& to) {
    to.key("inner");
    to.begin_dictionary();
    to.key("0123456789");
    to.null();
    to.end();
    to.key("after");
    to.null();
  });
  value inner = value(bytes.data(), header_bytes).find("inner");
  std::fill_n(bytes.begin() + inner.offset() + 12, 16, std::byte{'x'});
  EXPECT_EQ(check(bytes), (malformed{fault::key_unterminated, inner.offset() + 12}));
}

TEST(WireValidate, AMessageMayStartAtAnyAddress) {
  raw bytes = message([](writer& to) {
    for (const std::string& key : different_keys(20)) to.key(key), to.real(1.5);
  });
  for (std::size_t shift = 0; shift < 8; ++shift) {
    raw moved(shift);
    moved.insert(moved.end(), bytes.begin(), bytes.end());
    base::bytes view{moved.data() + shift, bytes.size()};
    ASSERT_FALSE(validate(view, mode::local, 0));
    EXPECT_EQ(root(view).find("k7").to_double(), 1.5);
  }
}

TEST(WireValidate, T42_SmallDictionariesTakeNoHeapAndLargeOnesAtMostTwelveBytesAnEntry) {
  taken_bytes = 0;
  EXPECT_FALSE(check(with_keys(different_keys(16))));
  EXPECT_FALSE(check(with_keys(different_keys(170))));
  EXPECT_EQ(taken_bytes, 0u);
  EXPECT_FALSE(check(with_keys(different_keys(100000))));
  EXPECT_LE(taken_bytes, 100000u * 12 + 8);
  EXPECT_GT(taken_bytes, 0u);
}

TEST(WireValidate, T42_CountsThatAreOnlyClaimedTakeNoMemory) {
  // 60 dictionaries inside each other, each claiming as many entries as its length has room for.
  raw bytes = message([](writer& to) {
    for (int i = 0; i < 60; ++i) {
      to.key("k");
      to.begin_dictionary();
    }
    to.key("filler");
    to.data(std::vector<std::byte>(1 << 20));
    for (int i = 0; i < 60; ++i) to.end();
  });
  for (std::uint32_t offset = 16, i = 0; i < 60; ++i, offset += 16)
    base::store<std::uint32_t>(bytes.data() + offset,
                               (base::load<std::uint32_t>(bytes.data() + offset - 4) - 4) / 8);
  taken_bytes = 0;
  EXPECT_TRUE(check(bytes));
  EXPECT_EQ(taken_bytes, 0u);
}

TEST(WireValidate, NoMemoryForALargeDictionaryOrForAttachmentsIsAnError) {
  raw large = with_keys(different_keys(1000));
  raw full = message([](writer& to) {
    for (const std::string& key : different_keys(10)) to.key(key), to.out_of_line(tag::fd);
  });
  refuse_above = 10;
  auto of_large = check(large);
  auto of_full = check(full, 10);
  refuse_above = SIZE_MAX;
  EXPECT_EQ(of_large, (malformed{fault::out_of_memory, 20}));
  EXPECT_EQ(of_full, (malformed{fault::out_of_memory, 0}));
}
