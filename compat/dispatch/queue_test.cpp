#include <dispatch/dispatch.h>

#include <gtest/gtest.h>

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "dispatch/calls.hpp"

namespace {

using namespace dispatch_test;

using owned_queue = owned<dispatch_queue_t>;

TEST(DispatchQueue, SerialRunsOneAtATimeInOrder) {
  owned_queue queue(dispatch_queue_create("serial", DISPATCH_QUEUE_SERIAL));
  std::vector<int> seen;  // no lock: that is the point
  std::atomic<int> inside{0};
  event done;
  for (int i = 0; i < 1000; ++i)
    async(queue, [&, i] {
      EXPECT_EQ(inside.fetch_add(1), 0);
      seen.push_back(i);
      inside.fetch_sub(1);
      if (i == 999) done.give();
    });
  done.wait();
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
}

TEST(DispatchQueue, ConcurrentRunsSideBySide) {
  owned_queue queue(dispatch_queue_create("concurrent", DISPATCH_QUEUE_CONCURRENT));
  constexpr int count = 16;
  std::atomic<int> inside{0};
  event all, leave, out;
  for (int i = 0; i < count; ++i)
    async(queue, [&] {
      if (inside.fetch_add(1) + 1 == count) all.give();
      leave.wait();
      out.give();
    });
  all.wait();  // comes only if all sixteen are inside at once
  for (int i = 0; i < count; ++i) leave.give();
  out.wait(count);
}

TEST(DispatchQueue, PoolGrowsWhileThreadsSleepElsewhere) {
  constexpr int count = 24;
  std::atomic<int> inside{0};
  std::atomic<bool> leave{false};
  event all, out;
  for (int i = 0; i < count; ++i)
    async(background(), [&] {
      if (inside.fetch_add(1) + 1 == count) all.give();
      leave.wait(false);  // a sleep that the library does not know of
      out.give();
    });
  all.wait();
  leave = true;
  leave.notify_all();
  out.wait(count);
}

TEST(DispatchQueue, SerialQueueReleasedWithWorkFinishesIt) {
  event done;
  dispatch_queue_t queue = dispatch_queue_create(nullptr, nullptr);
  std::atomic<int> ran{0};
  for (int i = 0; i < 100; ++i)
    async(queue, [&] {
      if (++ran == 100) done.give();
    });
  dispatch_release(queue);
  done.wait();
}

TEST(DispatchQueue, ThreadsHaveNamesAndBlockSignals) {
  event done;
  std::string name;
  bool blocked = false;
  async(background(), [&] {
    char text[16];
    pthread_getname_np(pthread_self(), text, sizeof text);
    name = text;
    sigset_t set;
    pthread_sigmask(SIG_BLOCK, nullptr, &set);
    blocked = sigismember(&set, SIGTERM) == 1;
    done.give();
  });
  done.wait();
  EXPECT_EQ(name, "xpc-dispatch");
  EXPECT_TRUE(blocked);
}

TEST(DispatchQueue, BarrierRunsAloneAfterWhatWasBeforeAndBeforeWhatComesAfter) {
  owned_queue queue(dispatch_queue_create("concurrent", DISPATCH_QUEUE_CONCURRENT));
  std::atomic<int> inside{0}, phase{0};
  event done;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 8; ++i)
      async(queue, [&, round] {
        ++inside;
        EXPECT_EQ(phase.load(), round);
        --inside;
      });
    barrier_async(queue, [&, round] {
      EXPECT_EQ(inside.load(), 0);
      EXPECT_EQ(phase.exchange(round + 1), round);
      if (round == 49) done.give();
    });
  }
  done.wait();
}

TEST(DispatchQueue, SuspendedLetsNothingBegin) {
  owned_queue queue(dispatch_queue_create("serial", nullptr));
  event first, go, ran;
  std::atomic<bool> second{false};
  async(queue, [&] {
    first.give();
    go.wait();
  });
  first.wait();
  dispatch_suspend(queue);
  dispatch_suspend(queue);
  async(queue, [&] {
    second = true;
    ran.give();
  });
  go.give();
  dispatch_resume(queue);
  // The first piece of work is over once a queue that targets nothing of ours had its turn after
  // it.
  event passed;
  after(dispatch_time(DISPATCH_TIME_NOW, 5 * static_cast<int64_t>(NSEC_PER_MSEC)), background(),
        [&] { passed.give(); });
  passed.wait();
  EXPECT_FALSE(second);
  dispatch_resume(queue);
  ran.wait();
}

TEST(DispatchQueue, InactiveWaitsForActivation) {
  owned_queue queue(dispatch_queue_create("inactive", DISPATCH_QUEUE_SERIAL_INACTIVE));
  std::atomic<bool> active{false};
  event done;
  async(queue, [&] {
    EXPECT_TRUE(active);
    done.give();
  });
  active = true;
  dispatch_activate(queue);
  dispatch_activate(queue);  // once is enough
  done.wait();
}

TEST(DispatchQueue, SerialTargetSerialisesWhatTargetsIt) {
  owned_queue target(dispatch_queue_create("target", nullptr));
  owned_queue one(dispatch_queue_create_with_target("one", DISPATCH_QUEUE_CONCURRENT, target));
  owned_queue two(dispatch_queue_create_with_target("two", nullptr, target));
  std::atomic<int> inside{0}, left{400};
  event done;
  for (int i = 0; i < 200; ++i)
    for (dispatch_queue_t each :
         {static_cast<dispatch_queue_t>(one), static_cast<dispatch_queue_t>(two)})
      async(each, [&] {
        EXPECT_EQ(inside.fetch_add(1), 0);
        dispatch_assert_queue(target);
        inside.fetch_sub(1);
        if (--left == 0) done.give();
      });
  done.wait();
}

TEST(DispatchQueue, TargetChangesBetweenTwoPiecesOfWork) {
  owned_queue queue(dispatch_queue_create("moving", nullptr));
  owned_queue first(dispatch_queue_create("first", nullptr)),
      second(dispatch_queue_create("second", nullptr));
  dispatch_set_target_queue(queue, first);
  event here, go, done;
  async(queue, [&] {
    here.give();
    go.wait();
    dispatch_assert_queue(first);
  });
  here.wait();
  dispatch_set_target_queue(queue, second);
  async(queue, [&] {
    dispatch_assert_queue(second);
    dispatch_assert_queue_not(first);
    done.give();
  });
  go.give();
  done.wait();
}

TEST(DispatchQueue, SpecificsAreFoundAlongTheTargets) {
  static int key, other, value, nearer;
  owned_queue target(dispatch_queue_create("target", nullptr));
  owned_queue queue(dispatch_queue_create_with_target("queue", nullptr, target));
  dispatch_queue_set_specific(target, &key, &value, nullptr);
  sync(queue, [&] {
    EXPECT_EQ(dispatch_get_specific(&key), &value);
    EXPECT_EQ(dispatch_get_specific(&other), nullptr);
  });
  dispatch_queue_set_specific(queue, &key, &nearer, nullptr);
  sync(queue, [&] { EXPECT_EQ(dispatch_get_specific(&key), &nearer); });
  EXPECT_EQ(dispatch_queue_get_specific(queue, &key), &nearer);
  EXPECT_EQ(dispatch_get_specific(&key), nullptr);
  // Values of global queues would be everybody's.
  dispatch_queue_set_specific(background(), &key, &value, nullptr);
  EXPECT_EQ(dispatch_queue_get_specific(background(), &key), nullptr);
}

TEST(DispatchQueue, SpecificIsDestroyedWhenReplacedAndWithTheQueue) {
  static int key;
  static event* dropped;
  event local;
  dropped = &local;
  auto drop = [](void* at) {
    EXPECT_NE(at, nullptr);
    dropped->give();
  };
  int one, two;
  dispatch_queue_t queue = dispatch_queue_create(nullptr, nullptr);
  dispatch_queue_set_specific(queue, &key, &one, drop);
  dispatch_queue_set_specific(queue, &key, &two, drop);
  local.wait();
  dispatch_release(queue);
  local.wait();
}

TEST(DispatchQueue, FinalizerRunsOnTheTargetWithTheContext) {
  owned_queue target(dispatch_queue_create("target", nullptr));
  struct state {
    dispatch_queue_t target;
    event done;
  } context{target, {}};
  dispatch_queue_t queue = dispatch_queue_create_with_target("queue", nullptr, target);
  dispatch_set_context(queue, &context);
  EXPECT_EQ(dispatch_get_context(queue), &context);
  dispatch_set_finalizer_f(queue, [](void* at) {
    auto* mine = static_cast<state*>(at);
    dispatch_assert_queue(mine->target);
    mine->done.give();
  });
  dispatch_release(queue);
  context.done.wait();
}

TEST(DispatchQueue, LabelsAndClasses) {
  owned_queue queue(dispatch_queue_create(
      "with a name",
      dispatch_queue_attr_make_with_qos_class(DISPATCH_QUEUE_CONCURRENT, QOS_CLASS_UTILITY, -3)));
  EXPECT_STREQ(dispatch_queue_get_label(queue), "with a name");
  int relative = 1;
  EXPECT_EQ(dispatch_queue_get_qos_class(queue, &relative), unsigned{QOS_CLASS_UTILITY});
  EXPECT_EQ(relative, -3);
  sync(queue, [&] {
    EXPECT_STREQ(dispatch_queue_get_label(DISPATCH_CURRENT_QUEUE_LABEL), "with a name");
  });
  EXPECT_EQ(dispatch_get_global_queue(12345, 0), nullptr);
  EXPECT_EQ(dispatch_get_global_queue(0, 0), dispatch_get_global_queue(QOS_CLASS_DEFAULT, 0));
  EXPECT_EQ(dispatch_get_global_queue(DISPATCH_QUEUE_PRIORITY_LOW, 0),
            dispatch_get_global_queue(QOS_CLASS_UTILITY, 0));
}

TEST(DispatchAfter, ComesWhenTheInstantHasCome) {
  owned_queue queue(dispatch_queue_create("after", nullptr));
  event done;
  auto begin = std::chrono::steady_clock::now();
  after(dispatch_time(DISPATCH_TIME_NOW, 10 * static_cast<int64_t>(NSEC_PER_MSEC)), queue, [&] {
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(10));
    done.give();
  });
  done.wait();
  after(dispatch_walltime(nullptr, 2 * static_cast<int64_t>(NSEC_PER_MSEC)), queue,
        [&] { done.give(); });
  done.wait();
  after(DISPATCH_TIME_NOW, queue, [&] { done.give(); });
  done.wait();
  dispatch_after_f(DISPATCH_TIME_FOREVER, queue, nullptr, [](void*) { ADD_FAILURE(); });
}

TEST(DispatchTime, Arithmetic) {
  EXPECT_EQ(dispatch_time(DISPATCH_TIME_FOREVER, -5), DISPATCH_TIME_FOREVER);
  EXPECT_EQ(dispatch_time(DISPATCH_TIME_NOW, INT64_MAX), DISPATCH_TIME_FOREVER);
  dispatch_time_t now = dispatch_time(DISPATCH_TIME_NOW, 0);
  EXPECT_EQ(dispatch_time(now, 1000) - now, 1000u);
  EXPECT_EQ(dispatch_time(now, INT64_MIN), 1u);  // long ago, and not "now"
  timespec day{1'000'000, 5};
  dispatch_time_t wall = dispatch_walltime(&day, 0);
  EXPECT_EQ(wall, static_cast<dispatch_time_t>(-1'000'000'000'000'005));
  EXPECT_EQ(dispatch_time(wall, 10), static_cast<dispatch_time_t>(-1'000'000'000'000'015));
  timespec endless{INT64_MAX, 0};
  EXPECT_EQ(dispatch_walltime(&endless, 0), DISPATCH_TIME_FOREVER);
}

TEST(DispatchApply, CallsEachOnceOnAnyQueue) {
  owned_queue serial(dispatch_queue_create("serial", nullptr));
  owned_queue concurrent(dispatch_queue_create("concurrent", DISPATCH_QUEUE_CONCURRENT));
  for (dispatch_queue_t queue :
       {DISPATCH_APPLY_AUTO, background(), static_cast<dispatch_queue_t>(serial),
        static_cast<dispatch_queue_t>(concurrent)}) {
    std::vector<std::atomic<int>> calls(1000);
    dispatch_apply_f(calls.size(), queue, &calls, [](void* all, size_t i) {
      ++(*static_cast<std::vector<std::atomic<int>>*>(all))[i];
    });
    for (auto& each : calls) EXPECT_EQ(each.load(), 1);
  }
  dispatch_apply_f(0, background(), nullptr, [](void*, size_t) { ADD_FAILURE(); });
}

TEST(DispatchApply, Nests) {
  std::atomic<int> calls{0};
  dispatch_apply_f(8, DISPATCH_APPLY_AUTO, &calls, [](void* at, size_t) {
    dispatch_apply_f(8, DISPATCH_APPLY_AUTO, at,
                     [](void* all, size_t) { ++*static_cast<std::atomic<int>*>(all); });
  });
  EXPECT_EQ(calls, 64);
}

TEST(DispatchOnce, CallsOnceAndEverybodyWaitsForIt) {
  for (int round = 0; round < 50; ++round) {
    dispatch_once_t predicate = 0;
    std::atomic<int> calls{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        dispatch_once_f(&predicate, &calls, [](void* at) {
          std::this_thread::yield();
          ++*static_cast<std::atomic<int>*>(at);
        });
        EXPECT_EQ(calls.load(), 1);
      });
    for (auto& each : threads) each.join();
    EXPECT_EQ(calls, 1);
  }
}

using DispatchDeathTest = testing::Test;

TEST(DispatchDeathTest, MisuseEndsTheProcessWithAReason) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto queue = dispatch_queue_create(nullptr, nullptr);
        dispatch_suspend(queue);
        dispatch_release(queue);
      },
      "suspended queue");
  EXPECT_DEATH(dispatch_release(dispatch_queue_create(nullptr, DISPATCH_QUEUE_SERIAL_INACTIVE)),
               "never activated");
  EXPECT_DEATH(
      {
        auto queue = dispatch_queue_create(nullptr, nullptr);
        dispatch_resume(queue);
      },
      "resumed more often");
  EXPECT_DEATH(
      {
        auto one = dispatch_queue_create(nullptr, nullptr);
        auto two = dispatch_queue_create_with_target(nullptr, nullptr, one);
        dispatch_set_target_queue(one, two);
      },
      "ring");
  EXPECT_DEATH(
      {
        auto semaphore = dispatch_semaphore_create(1);
        dispatch_async_f(reinterpret_cast<dispatch_queue_t>(semaphore), nullptr, [](void*) {});
      },
      "another type");
  EXPECT_DEATH(dispatch_group_leave(dispatch_group_create()), "left more often");
  EXPECT_DEATH(
      {
        auto semaphore = dispatch_semaphore_create(1);
        dispatch_semaphore_wait(semaphore, DISPATCH_TIME_FOREVER);
        dispatch_release(semaphore);
      },
      "in use");
  EXPECT_DEATH(dispatch_assert_queue(background()), "not on the expected queue");
}

}  // namespace
