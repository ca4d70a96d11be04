#include "engine/timer.hpp"

#include "engine/test_support.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace openxpc::engine {
namespace {

using base::from_now;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using test::count;

TEST(EngineTimer, CallsOnItsLoopNotBeforeItsInstant) {
  loop& where = next_loop();
  count rung;
  base::instant wanted = from_now(milliseconds(3)), seen;
  bool there = false;
  timer one(where, [&] {
    seen = base::boot_clock::now();
    there = current_loop() == &where;
    rung.add();
  });
  one.schedule(wanted);
  rung.wait_for(1);
  EXPECT_GE(seen, wanted);
  EXPECT_TRUE(there);
  EXPECT_FALSE(one.cancel());
}

TEST(EngineTimer, PastMeansSoon) {
  count rung;
  timer one(any_loop(), [&] { rung.add(); });
  one.schedule(base::instant{});
  rung.wait_for(1);
  one.schedule(base::boot_clock::now() - hours(1));
  rung.wait_for(2);
}

TEST(EngineTimer, CancelledNeverCalls) {
  std::atomic<unsigned> rung{0};
  timer one(any_loop(), [&] { ++rung; });
  one.schedule(from_now(hours(1)));
  EXPECT_TRUE(one.cancel());
  EXPECT_FALSE(one.cancel());
  one.schedule(from_now(hours(1)));
  one.schedule(base::never);
  EXPECT_FALSE(one.cancel());
  EXPECT_EQ(rung, 0u);
}

TEST(EngineTimer, LaterScheduleReplaces) {
  count rung;
  timer one(any_loop(), [&] { rung.add(); });
  one.schedule(from_now(hours(1)));
  one.schedule(from_now(microseconds(500)));
  rung.wait_for(1);
  EXPECT_EQ(rung.value(), 1u);
}

TEST(EngineTimer, CanScheduleItselfAgain) {
  count rung;
  timer one;
  one = timer(any_loop(), [&] {
    if (rung.value() < 9) one.schedule(from_now(microseconds(200)));
    rung.add();
  });
  one.schedule(from_now(microseconds(200)));
  rung.wait_for(10);
}

// Triggered while its loop is held up, cancelled before the loop comes to it.
TEST(EngineTimer, CancelAfterTheInstantAndBeforeTheCallStillCounts) {
  loop& where = next_loop();
  std::atomic<unsigned> late{0};
  count held, go, clock_was_here, passed;
  timer one(where, [&] { ++late; });
  // Both sit behind the task that holds the loop up; the marker has another loop or thread only if
  // there is one, so it is the clock that is observed here: it hands timers over in the order of
  // their instants.
  post(where, [&] {
    one.schedule(base::instant{});
    held.add();
    go.wait_for(1);
  });
  held.wait_for(1);
  bool was_pending = one.cancel();
  go.add();
  post(where, [&] { passed.add(); });
  passed.wait_for(1);
  // The watch may have moved the loop and called before the cancel; then cancel has said so.
  EXPECT_EQ(late.load(), was_pending ? 0u : 1u);
}

TEST(EngineTimer, OfThousandsEachComesOnceAndNoneEarly) {
  loop& where = next_loop();
  constexpr unsigned total = 4000;
  std::mt19937 random(7);
  std::vector<timer> all;
  std::vector<base::instant> when(total);
  std::vector<std::atomic<unsigned>> calls(total);
  count rung;
  const base::instant start = from_now(milliseconds(5));
  for (unsigned i = 0; i < total; ++i) {
    all.emplace_back(where, [&, i] {
      EXPECT_GE(base::boot_clock::now(), when[i]);
      ++calls[i];
      rung.add();
    });
    when[i] = start + microseconds(random() % 20000);
    all[i].schedule(from_now(hours(1 + i % 5)));
  }
  for (unsigned i = 0; i < total; ++i) all[i].schedule(when[i]);
  unsigned cancelled = 0;
  for (unsigned i = 0; i < total; i += 3) cancelled += all[i].cancel();
  rung.wait_for(total - cancelled);
  EXPECT_EQ(rung.value(), total - cancelled);
  for (auto& each : calls) EXPECT_LE(each.load(), 1u);
}

TEST(EngineTimer, DestroyedInsideItsCallLivesToTheEnd) {
  count rung;
  auto* one = new timer;
  auto kept = std::make_shared<int>(42);
  std::weak_ptr<int> gone = kept;
  *one = timer(any_loop(), [&rung, one, kept = std::move(kept)] {
    delete one;
    EXPECT_EQ(*kept, 42);
    rung.add();
  });
  one->schedule(base::instant{});
  rung.wait_for(1);
}

TEST(EngineTimer, CancelFromManyThreadsAgreesWithTheCalls) {
  std::atomic<unsigned> called{0}, cancelled{0};
  count settled;
  constexpr unsigned total = 2000;
  for (unsigned i = 0; i < total; ++i) {
    timer one(any_loop(), [&] {
      ++called;
      settled.add();
    });
    one.schedule(from_now(microseconds(i % 50)));
    if (i % 4 == 0) std::this_thread::yield();
    if (one.cancel()) {
      ++cancelled;
      settled.add();
    }
    settled.wait_for(i + 1);
  }
  EXPECT_EQ(called + cancelled, total);
}

}  // namespace
}  // namespace openxpc::engine
