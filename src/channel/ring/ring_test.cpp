#include "channel/ring/ring.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace openxpc::channel {
namespace {

using result = ring_writer::result;
using found = ring_reader::found;

/// The same memory at two places, as two processes have it.
struct both_ends {
  std::unique_ptr<ring_memory> ours = ring_memory::make();
  std::unique_ptr<ring_memory> theirs = ring_memory::map(base::fd::copy(ours->borrowed_fd()));
  ring_writer writer{*ours, 0};
  ring_reader reader{*theirs, 0};

  result put(std::string_view text) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    return writer.put({&part, 1}, text.size());
  }
  found take(std::string& text) {
    text.assign(ring_writer::packet_most_bytes, '\0');
    const iovec into{text.data(), text.size()};
    std::size_t size = 0;
    const found what = reader.take({&into, 1}, size);
    text.resize(size);
    return what;
  }
};

std::string text_of(std::size_t size, unsigned seed) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(seed + i * 7);
  return out;
}

TEST(Ring, RecordsComeOutAsTheyWentInOverManyTurns) {
  both_ends ring;
  std::mt19937 random(1);
  std::vector<std::string> under_way;
  std::string text;
  std::size_t next = 0;
  for (unsigned i = 0; i < 20'000; ++i) {
    std::string made = text_of(1 + random() % (i % 9 ? 300 : ring_writer::packet_most_bytes), i);
    if (ring.put(made) == result::done) under_way.push_back(std::move(made));
    if (random() % 2 == 0 || under_way.size() - next > 20) {
      while (next < under_way.size()) {
        ASSERT_EQ(ring.take(text), found::packet);
        ASSERT_EQ(text, under_way[next++]);
        if (random() % 4 == 0) break;
      }
    }
  }
  EXPECT_GT(next, 10'000u);
}

TEST(Ring, PiecesAreJoinedAndAShortPlaceTakesTheFirstPartOnly) {
  both_ends ring;
  iovec parts[] = {{const_cast<char*>("one "), 4}, {const_cast<char*>("and two"), 7}};
  ASSERT_EQ(ring.writer.put(parts, 11), result::done);
  ASSERT_EQ(ring.writer.put(parts, 11), result::done);
  char head[3], rest[20];
  const iovec two_places[] = {{head, sizeof head}, {rest, sizeof rest}};
  std::size_t size = 0;
  ASSERT_EQ(ring.reader.take(two_places, size), found::packet);
  EXPECT_EQ(size, 11u);
  EXPECT_EQ(std::string(head, 3) + std::string(rest, 8), "one and two");
  ASSERT_EQ(ring.reader.take({two_places, 1}, size), found::packet);
  EXPECT_EQ(size, 11u);
  EXPECT_EQ(ring.reader.take(two_places, size), found::nothing);
}

TEST(Ring, AFullRingTellsOnceThatRoomIsWanted) {
  both_ends ring;
  std::string text, packet(ring_writer::packet_most_bytes, 'x');
  int put = 0;
  while (ring.put(packet) == result::done) ++put;
  EXPECT_EQ(put, 3);  // a quarter each, and a head each
  EXPECT_EQ(ring.put(packet), result::full);
  EXPECT_TRUE(ring.reader.room_is_wanted());
  EXPECT_FALSE(ring.reader.room_is_wanted());
  ASSERT_EQ(ring.take(text), found::packet);
  EXPECT_EQ(ring.put(packet), result::done);
  EXPECT_FALSE(ring.reader.room_is_wanted());
}

TEST(Ring, ANoteStandsInTheOrder) {
  both_ends ring;
  std::string text;
  ASSERT_EQ(ring.put("before"), result::done);
  ASSERT_EQ(ring.writer.room_for_note(), result::done);
  ASSERT_EQ(ring.writer.note(), result::done);
  ASSERT_EQ(ring.put("behind"), result::done);
  EXPECT_EQ(ring.take(text), found::packet);
  EXPECT_EQ(ring.take(text), found::note);
  EXPECT_EQ(ring.take(text), found::packet);
  EXPECT_EQ(text, "behind");
}

TEST(Ring, AReaderThatStopsTakesExactlyWhatWasPut) {
  for (int round = 0; round < 200; ++round) {
    both_ends ring;
    std::atomic<int> put{0};
    std::thread writes([&] {
      for (;;) {
        const result how = ring.put("a packet");
        if (how == result::stopped) return;
        if (how == result::done) put.fetch_add(1);
      }
    });
    std::string text;
    int taken = 0;
    while (taken < 50) taken += ring.take(text) == found::packet;
    ring.reader.stop();
    found last;
    while ((last = ring.take(text)) == found::packet) ++taken;
    EXPECT_EQ(last, found::stopped);
    writes.join();
    ASSERT_EQ(taken, put.load());
    EXPECT_EQ(ring.put("late"), result::stopped);
  }
}

TEST(Ring, WhoSleepsIsWokenAndWhoPollsHasToBeRungFor) {
  both_ends ring;
  std::string text;
  EXPECT_FALSE(ring.writer.wake());  // nobody rests
  ring.reader.announce(rest::poll);
  ASSERT_EQ(ring.put("one"), result::done);
  EXPECT_TRUE(ring.writer.wake());
  EXPECT_FALSE(ring.writer.wake());  // once
  EXPECT_TRUE(ring.reader.end_polling());
  ring.reader.announce(rest::poll);
  EXPECT_FALSE(ring.reader.end_polling());
  ASSERT_EQ(ring.take(text), found::packet);

  std::thread writes([&] {
    for (int i = 0; i < 1000; ++i) {
      while (ring.put("more") != result::done) std::this_thread::yield();
      EXPECT_FALSE(ring.writer.wake());
    }
  });
  for (int taken = 0; taken < 1000;) {
    if (ring.take(text) == found::packet) {
      ++taken;
      continue;
    }
    ring.reader.announce(rest::sleep);
    ASSERT_TRUE(ring.reader.sleep(std::chrono::minutes(1)));
  }
  writes.join();
  ring.reader.announce(rest::sleep);
  EXPECT_FALSE(ring.reader.sleep(std::chrono::milliseconds(1)));
}

TEST(Ring, T43_PositionsThatCannotBeEndIt) {
  const std::uint64_t wild[] = {
      1,          4,  ring_bytes + 8, ring_bytes * 2, 1ull << 40, 1ull << 62,
      ~7ull >> 1, 12, ring_bytes + 16};
  for (std::uint64_t each : wild) {
    both_ends ring;
    std::string text;
    ring.ours->positions(0).written.store(each);
    EXPECT_EQ(ring.take(text), found::broken) << each;
    EXPECT_EQ(ring.put("mine"), result::broken) << each;
  }
  for (std::uint64_t each : {std::uint64_t{1} << 20, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    both_ends ring;
    ring.theirs->positions(0).taken.store(each);
    const std::string packet(ring_writer::packet_most_bytes, 'x');
    result how = result::done;
    for (int i = 0; i < 5 && how == result::done; ++i) how = ring.put(packet);
    EXPECT_EQ(how, result::broken) << each;
  }
}

TEST(Ring, T43_LengthsThatCannotBeEndIt) {
  const std::uint64_t wild[] = {
      0, ring_writer::packet_most_bytes + 1, 0xfffffffe, 1ull << 32, ~0ull, 0xffffffff00000001, 9,
      24};
  for (std::uint64_t each : wild) {
    both_ends ring;
    std::string text;
    std::memcpy(ring.ours->bytes(0), &each, sizeof each);
    ring.ours->positions(0).written.store(16);  // room for eight bytes
    EXPECT_EQ(ring.take(text), found::broken) << each;
  }
}

TEST(Ring, T43_APeerThatChangesEverythingAllTheTimeIsNeverBelieved) {
  both_ends ring;
  std::atomic<bool> over{false};
  std::thread changes([&] {
    std::mt19937_64 random(7);
    auto& at = ring.ours->positions(0);
    while (!over) {
      const std::uint64_t number = random();
      std::memcpy(ring.ours->bytes(0) + number % (ring_bytes - 8), &number, sizeof number);
      at.written.store(number % (3 * ring_bytes) & ~7ull);
      at.reader_rests.store(static_cast<std::uint32_t>(number % 5));
      at.wants_room.store(static_cast<std::uint32_t>(number));
    }
  });
  std::string text;
  for (int i = 0; i < 200'000; ++i) {
    const found what = ring.take(text);
    EXPECT_LE(text.size(), ring_writer::packet_most_bytes);
    if (what == found::broken) {  // a reader ends here; go on where a new one would
      ring.reader = ring_reader(*ring.theirs, 0);
    } else if (what == found::nothing) {
      ring.reader.announce(rest::sleep);
      ring.reader.sleep(std::chrono::microseconds(1));
    }
    ring.reader.room_is_wanted();
  }
  over = true;
  changes.join();
}

TEST(Ring, T44_OnlyMemoryThatKeepsItsSizeIsMapped) {
  const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  const off_t right = 4096 + 2 * ring_bytes;
  struct {
    off_t size;
    int seals;
  } const wrong[] = {{right, 0},
                     {right, F_SEAL_GROW | F_SEAL_SEAL},
                     {right, F_SEAL_SHRINK | F_SEAL_GROW},
                     {right, all | F_SEAL_WRITE},
                     {right - 1, all},
                     {right + 4096, all},
                     {0, all}};
  for (const auto& each : wrong) {
    base::fd file(::memfd_create("not a ring", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(::ftruncate(file.get(), each.size), 0);
    ASSERT_EQ(::fcntl(file.get(), F_ADD_SEALS, each.seals), 0);
    errno = 0;
    EXPECT_FALSE(ring_memory::map(file)) << each.size << " " << each.seals;
    EXPECT_EQ(errno, EPROTO);
  }
  EXPECT_FALSE(ring_memory::map(base::fd(::open("/dev/zero", O_RDWR | O_CLOEXEC))));
  EXPECT_EQ(errno, EPROTO);
  EXPECT_FALSE(ring_memory::map(base::fd()));
}

TEST(Ring, T7_T71_AForkedChildHasNoRing) {
  both_ends ring;
  auto mapped = [] {
    std::ifstream maps("/proc/self/maps");
    std::string line;
    int count = 0;
    while (std::getline(maps, line)) count += line.find("xpc-ring") != std::string::npos;
    return count;
  };
  EXPECT_EQ(mapped(), 2);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(mapped());
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace openxpc::channel
