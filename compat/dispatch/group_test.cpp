#include <dispatch/dispatch.h>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "dispatch/calls.hpp"

namespace {

using namespace dispatch_test;

dispatch_time_t soon() {
  return dispatch_time(DISPATCH_TIME_NOW, 2 * static_cast<int64_t>(NSEC_PER_MSEC));
}

TEST(DispatchGroup, WaitsForAllOfIt) {
  owned<dispatch_group_t> group(dispatch_group_create());
  EXPECT_EQ(dispatch_group_wait(group, DISPATCH_TIME_NOW), 0);  // empty
  std::atomic<int> ran{0};
  for (int i = 0; i < 100; ++i)
    dispatch_group_async_f(group, background(), &ran,
                           [](void* at) { ++*static_cast<std::atomic<int>*>(at); });
  EXPECT_EQ(dispatch_group_wait(group, DISPATCH_TIME_FOREVER), 0);
  EXPECT_EQ(ran, 100);
}

TEST(DispatchGroup, WaitEndsAtItsTimeout) {
  owned<dispatch_group_t> group(dispatch_group_create());
  dispatch_group_enter(group);
  EXPECT_NE(dispatch_group_wait(group, DISPATCH_TIME_NOW), 0);
  EXPECT_NE(dispatch_group_wait(group, soon()), 0);
  EXPECT_NE(dispatch_group_wait(group, dispatch_walltime(nullptr, 1000)), 0);
  dispatch_group_leave(group);
  EXPECT_EQ(dispatch_group_wait(group, soon()), 0);
}

TEST(DispatchGroup, NotifiesEachTimeItIsAskedTo) {
  event notified;
  dispatch_group_t group = dispatch_group_create();
  auto tell = [](void* at) { static_cast<event*>(at)->give(); };
  dispatch_group_notify_f(group, background(), &notified, tell);  // empty: at once
  notified.wait();
  dispatch_group_enter(group);
  dispatch_group_notify_f(group, background(), &notified, tell);
  dispatch_group_notify_f(group, background(), &notified, tell);
  std::thread([=] { dispatch_group_leave(group); }).detach();
  dispatch_release(group);  // lives on while something is inside
  notified.wait(2);
}

TEST(DispatchGroup, ManyEnterAndLeave) {
  owned<dispatch_group_t> group(dispatch_group_create());
  std::atomic<int> inside{0};
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 4; ++i) {
      ++inside;
      dispatch_group_enter(group);
      async(background(), [&] {
        --inside;
        dispatch_group_leave(group);
      });
    }
    EXPECT_EQ(dispatch_group_wait(group, DISPATCH_TIME_FOREVER), 0);
    EXPECT_EQ(inside, 0);
  }
}

TEST(DispatchSemaphore, CountsAndTimesOut) {
  owned<dispatch_semaphore_t> semaphore(dispatch_semaphore_create(2));
  EXPECT_EQ(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
  EXPECT_EQ(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
  EXPECT_NE(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
  EXPECT_NE(dispatch_semaphore_wait(semaphore, soon()), 0);
  EXPECT_EQ(dispatch_semaphore_signal(semaphore), 0);  // nobody waited
  EXPECT_EQ(dispatch_semaphore_wait(semaphore, soon()), 0);
  dispatch_semaphore_signal(semaphore);
  dispatch_semaphore_signal(semaphore);
  EXPECT_EQ(dispatch_semaphore_create(-1), nullptr);
}

TEST(DispatchSemaphore, LosesNothingBetweenSignalsAndTimeouts) {
  owned<dispatch_semaphore_t> semaphore(dispatch_semaphore_create(0));
  constexpr int total = 4000;
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      while (taken.load() < total)
        if (dispatch_semaphore_wait(semaphore, dispatch_time(DISPATCH_TIME_NOW, 20'000)) == 0)
          ++taken;
    });
  for (int i = 0; i < total; ++i) {
    dispatch_semaphore_signal(semaphore);
    if (i % 64 == 0) std::this_thread::yield();
  }
  for (auto& each : threads) each.join();
  EXPECT_EQ(taken, total);
  EXPECT_NE(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
}

}  // namespace
