#include "base/block.hpp"
#include "base/buffer.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/function.hpp"
#include "base/futex.hpp"
#include "base/hash.hpp"
#include "base/misuse.hpp"
#include "base/recycled.hpp"
#include "base/sanitized.hpp"
#include "base/spare_blocks.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace openxpc::base;

TEST(BaseFd, ClosesWhatItOwnsOnceAndKeepsWhatItReleased) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  fd reader(pipe_ends[0]);
  {
    fd writer(pipe_ends[1]);
    fd moved = std::move(writer);
    EXPECT_FALSE(writer);
    EXPECT_EQ(moved.get(), pipe_ends[1]);
  }
  EXPECT_EQ(::fcntl(pipe_ends[1], F_GETFD), -1);
  int kept = reader.release();
  EXPECT_NE(::fcntl(kept, F_GETFD), -1);
  ::close(kept);
}

TEST(BaseBuffer, GrowsKeepsContentAndPadsWithZeros) {
  buffer b;
  b.append(as_bytes("abcde"));
  b.pad(8);
  ASSERT_EQ(b.size(), 8u);
  EXPECT_EQ(std::memcmp(b.data(), "abcde\0\0\0", 8), 0);
  for (int i = 0; i < 1000; ++i) b.append(as_bytes("x"));
  EXPECT_EQ(b.size(), 1008u);
  EXPECT_EQ(std::memcmp(b.data(), "abcde\0\0\0x", 9), 0);
}

TEST(BaseBuffer, AsksForHugePagesWhereItIsLarge) {
  std::ifstream maps("/proc/self/smaps");
  std::string flags;
  if (!maps.good() || ::access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) != 0)
    GTEST_SKIP() << "NOT SHOWN: this kernel has no huge pages to ask for";
  buffer large(2 * spare_most_bytes);
  const auto middle = reinterpret_cast<std::uintptr_t>(large.data()) + spare_most_bytes;
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t first = 0, last = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &last) == 2)
      inside = first <= middle && middle < last;
    if (inside && line.starts_with("VmFlags:")) flags = line + " ";
  }
  EXPECT_NE(flags.find(" hg "), std::string::npos) << flags;
}

TEST(BaseRecycled, ABlockComesBackToItsThreadForTheSameSize) {
  void* first = take_small(100);
  std::memset(first, 1, 100);
  give_small(first, 100);
  void* other_size = take_small(300);
  void* same_size = take_small(128);
  EXPECT_NE(other_size, first);
  if (keeps_memory) {
    EXPECT_EQ(same_size, first);
  }
  void* elsewhere = nullptr;
  give_small(same_size, 128);
  std::thread([&elsewhere] { elsewhere = take_small(100); }).join();
  EXPECT_NE(elsewhere, same_size);
  give_small(elsewhere, 100);
  give_small(other_size, 300);
}

TEST(BaseRecycled, OnlyAFewAreKeptAndNoLargeOnes) {
  std::vector<void*> many;
  for (unsigned i = 0; i < 3 * recycled_most_count; ++i) many.push_back(take_small(200));
  many.push_back(take_small(recycled_most_bytes + 1));
  give_small(many.back(), recycled_most_bytes + 1);
  many.pop_back();
  // What does not find a place is freed: LeakSanitizer would tell.
  for (void* each : many) give_small(each, 200);
}

TEST(BaseSpareBlocks, AreTakenAgainWhereTheyFit) {
  const memory_block first = take_block(300'000);
  ASSERT_TRUE(first.at);
  std::memset(first.at, 1, 300'000);
  give_block(first.at, first.size_bytes);
  const memory_block again = take_block(200'000);
  const memory_block small = take_block(100), other = take_block(200'000);
  EXPECT_GE(again.size_bytes, 200'000u);
  EXPECT_NE(again.at, other.at);
  if (keeps_memory) {
    EXPECT_EQ(again.at, first.at);
    EXPECT_EQ(again.size_bytes, first.size_bytes);
  }
  give_block(small.at, small.size_bytes);
  give_block(again.at, again.size_bytes);
  give_block(other.at, other.size_bytes);
  // What does not fit on the shelf is freed: LeakSanitizer would tell.
  std::vector<memory_block> many;
  for (int i = 0; i < 40; ++i) many.push_back(take_block(spare_most_bytes));
  for (const memory_block& each : many) give_block(each.at, each.size_bytes);
}

TEST(BaseBlock, CopiesOrKeepsAndOutlivesItsMaker) {
  buffer source;
  source.append(as_bytes("hello"));
  auto copied = block::copy_of(source.view());
  auto owned = block::own(std::move(source));
  auto second = owned;
  owned = nullptr;
  EXPECT_EQ(as_text(copied->view()), "hello");
  EXPECT_EQ(as_text(second->view()), "hello");
}

TEST(BaseClock, HugeDurationsMeanNever) {
  EXPECT_EQ(from_now(std::chrono::nanoseconds::max()), never);
  EXPECT_EQ(from_wire(UINT64_MAX), never);
  EXPECT_LT(boot_clock::now(), from_now(std::chrono::seconds(1)));
}

TEST(BaseFutex, WakesTheSleeperAndTellsTheDeadline) {
  std::atomic<std::uint32_t> word{0};
  EXPECT_FALSE(futex_wait(word, 0, from_now(std::chrono::milliseconds(5))));
  std::thread waker([&] {
    word.store(1);
    futex_wake(word);
  });
  while (word.load() == 0) futex_wait(word, 0);
  waker.join();
}

TEST(BaseBytes, ShortCopiesTakeEveryByteAndNoOther) {
  std::byte from[40];
  for (std::size_t i = 0; i < sizeof from; ++i) from[i] = static_cast<std::byte>(i + 1);
  for (std::size_t size = 0; size <= sizeof from; ++size) {
    std::byte to[48]{};
    copy_short(to, from, size);
    EXPECT_EQ(std::memcmp(to, from, size), 0) << size;
    EXPECT_EQ(to[size], std::byte{0}) << size;
  }
}

TEST(BaseHash, DependsOnEachByteAndOnTheLength) {
  auto h = keyed_hash(as_bytes("abcdefghi"));
  EXPECT_EQ(h, keyed_hash(as_bytes("abcdefghi")));
  EXPECT_NE(h, keyed_hash(as_bytes("abcdefghj")));
  EXPECT_NE(keyed_hash(as_bytes("")), keyed_hash(as_bytes(std::string_view("\0", 1))));
}

TEST(BaseFunction, HoldsMoveOnlyCallables) {
  function<int(int)> add = [n = std::make_unique<int>(40)](int x) { return *n + x; };
  function<int(int)> moved = std::move(add);
  EXPECT_EQ(moved(2), 42);
}

TEST(BaseMisuseDeathTest, NamesTheFunctionAndAborts) {
  EXPECT_DEATH(misuse("xpc_release", "over-release of %s", "a string"),
               "XPC API Misuse: xpc_release: over-release of a string");
}
