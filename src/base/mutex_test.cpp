#include "base/mutex.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <condition_variable>
#include <thread>
#include <vector>

namespace openxpc::base {
namespace {

TEST(Mutex, OneThreadAtATimeIsInside) {
  mutex lock;
  std::uint64_t count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 50'000; ++n) {
        std::lock_guard hold(lock);
        count = count + 1;
      }
    });
  for (auto& each : threads) each.join();
  EXPECT_EQ(count, 200'000u);
}

TEST(Mutex, WhoSleepsForItGetsIt) {
  mutex lock;
  std::atomic<int> inside{0};
  std::vector<std::thread> threads;
  std::unique_lock hold(lock);
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      std::lock_guard mine(lock);
      ++inside;
    });
  // Long enough for each to look in vain and to go to sleep; were one still to come, it would get
  // it all the same.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(inside, 0);
  hold.unlock();
  for (auto& each : threads) each.join();
  EXPECT_EQ(inside, 3);
}

TEST(Mutex, ErrnoStaysAsItWasThoughTheThreadHasSlept) {
  mutex lock;
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  std::unique_lock hold(lock);
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 1'000; ++n) {
        errno = 1'000 + n;
        ++ready;
        std::lock_guard mine(lock);
        EXPECT_EQ(errno, 1'000 + n);
      }
    });
  while (ready < 2) std::this_thread::yield();
  hold.unlock();
  for (auto& each : threads) each.join();
}

TEST(Mutex, TryLockTakesOnlyWhatIsFree) {
  mutex lock;
  ASSERT_TRUE(lock.try_lock());
  std::thread([&] { EXPECT_FALSE(lock.try_lock()); }).join();
  lock.unlock();
  ASSERT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(Mutex, AConditionMayBeWaitedForWithIt) {
  mutex lock;
  std::condition_variable_any changed;
  bool told = false;
  std::thread other([&] {
    std::lock_guard hold(lock);
    told = true;
    changed.notify_one();
  });
  std::unique_lock hold(lock);
  changed.wait(hold, [&] { return told; });
  EXPECT_TRUE(told);
  hold.unlock();
  other.join();
}

}  // namespace
}  // namespace openxpc::base
