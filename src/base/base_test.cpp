#include "base/block.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/function.hpp"
#include "base/futex.hpp"
#include "base/hash.hpp"
#include "base/misuse.hpp"

#include <gtest/gtest.h>

#include <thread>

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
