#include <gtest/gtest.h>

#include <os/lock.h>

#include <thread>
#include <vector>

namespace {

TEST(UnfairLock, ExcludesOthersAndLosesNoWaiter) {
  os_unfair_lock lock = OS_UNFAIR_LOCK_INIT;
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20000; ++i) {
        os_unfair_lock_lock(&lock);
        ++count;
        os_unfair_lock_unlock(&lock);
      }
    });
  for (auto& each : threads) each.join();
  EXPECT_EQ(count, 80000);
  EXPECT_EQ(lock._os_unfair_lock_opaque, 0u);
}

TEST(UnfairLock, KnowsItsOwner) {
  os_unfair_lock lock = OS_UNFAIR_LOCK_INIT;
  os_unfair_lock_assert_not_owner(&lock);
  ASSERT_TRUE(os_unfair_lock_trylock(&lock));
  os_unfair_lock_assert_owner(&lock);
  std::thread([&] {
    os_unfair_lock_assert_not_owner(&lock);
    EXPECT_FALSE(os_unfair_lock_trylock(&lock));
  }).join();
  os_unfair_lock_unlock(&lock);
  ASSERT_TRUE(os_unfair_lock_trylock(&lock));
  os_unfair_lock_unlock(&lock);
}

TEST(UnfairLockDeathTest, MistakesEndTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  os_unfair_lock lock = OS_UNFAIR_LOCK_INIT;
  EXPECT_DEATH(os_unfair_lock_unlock(&lock), "BUG IN CLIENT OF LIBPLATFORM: os_unfair_lock_unlock");
  EXPECT_DEATH(os_unfair_lock_assert_owner(&lock), "has not got the lock");
  os_unfair_lock_lock(&lock);
  EXPECT_DEATH(os_unfair_lock_assert_not_owner(&lock), "has the lock");
  EXPECT_DEATH(
      {
        os_unfair_lock_lock(&lock);
        os_unfair_lock_lock(&lock);
      },
      "has the lock already");
  os_unfair_lock_unlock(&lock);
}

}  // namespace
