#include <dispatch/dispatch.h>

#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "dispatch/calls.hpp"

namespace {

using namespace dispatch_test;

using owned_queue = owned<dispatch_queue_t>;

TEST(DispatchSync, RunsOnTheCallingThread) {
  owned_queue queue(dispatch_queue_create("serial", nullptr));
  std::thread([&] {
    auto me = std::this_thread::get_id();
    sync(queue, [&] { EXPECT_EQ(std::this_thread::get_id(), me); });
    // Also when it has to wait for its turn.
    event here, go;
    async(queue, [&] {
      here.give();
      go.wait();
    });
    here.wait();
    async(background(), [&] { go.give(); });
    sync(queue, [&] { EXPECT_EQ(std::this_thread::get_id(), me); });
    sync(background(), [&] { EXPECT_EQ(std::this_thread::get_id(), me); });
  }).join();
}

TEST(DispatchSync, KeepsTheOrderOfTheQueue) {
  owned_queue queue(dispatch_queue_create("serial", nullptr));
  int value = 0;
  for (int i = 0; i < 500; ++i) {
    async(queue, [&, i] { value = i; });
    sync(queue, [&, i] { EXPECT_EQ(value, i); });
  }
}

TEST(DispatchSync, ManyThreadsOnOneSerialQueue) {
  owned_queue queue(dispatch_queue_create("serial", nullptr));
  long sum = 0;  // guarded by the queue alone
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i)
        if (t % 2)
          sync(queue, [&] { ++sum; });
        else
          async(queue, [&] { ++sum; });
    });
  for (auto& each : threads) each.join();
  sync(queue, [&] { EXPECT_EQ(sum, 8000); });
}

TEST(DispatchSync, BarriersAndReadersOfAConcurrentQueue) {
  owned_queue queue(dispatch_queue_create("concurrent", DISPATCH_QUEUE_CONCURRENT));
  long value = 0;
  std::atomic<int> readers{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < 1000; ++i) switch (random() % 4) {
          case 0:
            barrier_sync(queue, [&] {
              EXPECT_EQ(readers.load(), 0);
              ++value;
            });
            break;
          case 1:
            barrier_async(queue, [&] {
              EXPECT_EQ(readers.load(), 0);
              ++value;
            });
            break;
          case 2:
            sync(queue, [&] {
              ++readers;
              (void)(value + 0);
              --readers;
            });
            break;
          default:
            async(queue, [&] {
              ++readers;
              --readers;
            });
        }
    });
  for (auto& each : threads) each.join();
  barrier_sync(queue, [&] { EXPECT_GT(value, 0); });
}

TEST(DispatchSync, HoldsTheWholeChainOfTargets) {
  owned_queue bottom(dispatch_queue_create("bottom", nullptr));
  owned_queue middle(dispatch_queue_create_with_target("middle", nullptr, bottom));
  owned_queue top(dispatch_queue_create_with_target("top", DISPATCH_QUEUE_CONCURRENT, middle));
  owned_queue side(dispatch_queue_create_with_target("side", nullptr, bottom));
  long sum = 0;
  std::vector<std::thread> threads;
  for (dispatch_queue_t each :
       {static_cast<dispatch_queue_t>(bottom), static_cast<dispatch_queue_t>(middle),
        static_cast<dispatch_queue_t>(top), static_cast<dispatch_queue_t>(side)})
    threads.emplace_back([&, each] {
      for (int i = 0; i < 500; ++i) {
        sync(each, [&] {
          dispatch_assert_queue(bottom);
          dispatch_assert_queue_barrier(bottom);
          ++sum;
        });
        async(each, [&] { ++sum; });
      }
    });
  for (auto& each : threads) each.join();
  for (dispatch_queue_t each :
       {static_cast<dispatch_queue_t>(top), static_cast<dispatch_queue_t>(side)})
    barrier_sync(each, [] {});
  sync(bottom, [&] { EXPECT_GE(sum, 2000); });
  sync(top, [] {});
  // Everything that was queued comes through in the end.
  event done;
  std::atomic<int> left{2};
  for (dispatch_queue_t each :
       {static_cast<dispatch_queue_t>(top), static_cast<dispatch_queue_t>(side)})
    barrier_async(each, [&] {
      if (--left == 0) done.give();
    });
  done.wait();
  sync(middle, [] {});
  sync(bottom, [&] { EXPECT_EQ(sum, 4000); });
}

TEST(DispatchSync, FromOneQueueToAnotherAndOn) {
  owned_queue one(dispatch_queue_create("one", nullptr)),
      two(dispatch_queue_create("two", nullptr));
  bool reached = false;
  sync(one, [&] {
    sync(two, [&] {
      dispatch_assert_queue(one);
      dispatch_assert_queue(two);
      reached = true;
    });
    dispatch_assert_queue_not(two);
  });
  EXPECT_TRUE(reached);
}

TEST(DispatchSync, OfAPoolThreadThatMustWait) {
  // Every thread of the pool waits for a queue whose work needs the pool: more threads must come.
  owned_queue queue(dispatch_queue_create("serial", nullptr));
  std::atomic<int> ran{0};
  event done;
  for (int i = 0; i < 40; ++i)
    async(background(), [&] {
      async(queue, [] {});
      sync(queue, [&] { ++ran; });
      done.give();
    });
  done.wait(40);
  EXPECT_EQ(ran, 40);
}

TEST(DispatchSyncDeathTest, OnItsOwnQueueIsNoticed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto queue = dispatch_queue_create(nullptr, nullptr);
        sync(queue, [&] { sync(queue, [] {}); });
      },
      "dispatch_sync_f: called on a queue");
  EXPECT_DEATH(
      {
        auto target = dispatch_queue_create(nullptr, nullptr);
        auto queue = dispatch_queue_create_with_target(nullptr, nullptr, target);
        sync(queue, [&] { sync(target, [] {}); });
      },
      "called on a queue");
  EXPECT_DEATH(sync(dispatch_get_main_queue(), [] {}), "called on a queue");
  EXPECT_DEATH(
      {
        auto queue = dispatch_queue_create(nullptr, DISPATCH_QUEUE_CONCURRENT);
        sync(queue, [&] { barrier_sync(queue, [] {}); });
      },
      "dispatch_barrier_sync_f");
}

// dispatch_main() never returns, so it runs in a process of its own. 0 is success.
void run_main_queue() {
  static std::atomic<int> steps{0};
  static auto main_thread = std::this_thread::get_id();
  static dispatch_queue_t below =
      dispatch_queue_create_with_target("below", nullptr, dispatch_get_main_queue());
  auto on_main = [] {
    dispatch_assert_queue(dispatch_get_main_queue());
    if (std::this_thread::get_id() != main_thread) ::_exit(2);
    ++steps;
  };
  async(dispatch_get_main_queue(), on_main);
  async(background(), [=] {
    sync(dispatch_get_main_queue(), on_main);  // rule 352: a sync to the main queue from elsewhere
    sync(below, on_main);
    async(below, on_main);
    after(dispatch_time(DISPATCH_TIME_NOW, 1000), dispatch_get_main_queue(), on_main);
    sync(dispatch_get_main_queue(), [=] {
      // A fresh turn, since what came before may still be queued.
      static void (*check)(void*) = [](void*) {
        if (steps.load() == 5) ::_exit(0);
        dispatch_async_f(dispatch_get_main_queue(), nullptr, check);
      };
      check(nullptr);
    });
  });
  dispatch_main();
}

TEST(DispatchMain, R352_RunsTheMainQueueOnTheMainThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_main_queue(), testing::ExitedWithCode(0), "");
}

TEST(DispatchMainDeathTest, ElsewhereIsMisuse) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(std::thread([] { dispatch_main(); }).join(), "not the main one");
}

}  // namespace
