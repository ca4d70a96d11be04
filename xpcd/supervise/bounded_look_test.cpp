#include "supervise/bounded_look.hpp"

#include "support/patience.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <thread>

namespace openxpc::supervise {
namespace {

using namespace std::chrono_literals;

TEST(BoundedLook, GivesWhatTheWorkGives) {
  bounded_looks all(60'000ms);
  const outcome<int> good = all.look<int>("/a", [] { return outcome<int>(7); });
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 7);
  const outcome<int> bad =
      all.look<int>("/a", [] { return outcome<int>(trouble{trouble::kind::denied, "no", EPERM}); });
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().text, "no");
}

TEST(BoundedLook, T45_OneThatHangsIsGivenUpAndRefusedUntilItAnswers) {
  bounded_looks all(20ms);
  std::promise<void> answer;
  auto hang = [waits = answer.get_future().share()] { waits.wait(); };
  failure_of why = all.run("/hangs", hang);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->number, ETIMEDOUT);
  EXPECT_EQ(why->text, "/hangs: its file system does not answer");
  EXPECT_EQ(all.hanging().size(), 1u);
  // At once, and no second thread comes to hang there.
  std::atomic<bool> ran = false;
  why = all.run("/hangs", [&] { ran = true; });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->text, "/hangs: its file system does not answer yet");
  EXPECT_FALSE(ran);
  // Others are looked at as before; however busy the machine is, sooner or later in time.
  xpc_testing::wait_until("another to be looked at", [&] { return !all.run("/other", [] {}); });
  answer.set_value();
  xpc_testing::wait_until("the hanging one to come back",
                          [&] { return all.hanging().size() == 0; });
  xpc_testing::wait_until("it to be looked at again", [&] { return !all.run("/hangs", [] {}); });
}

TEST(BoundedLook, OneThatIsOnlySlowIsWaitedFor) {
  bounded_looks all(1ms);
  const auto end = std::chrono::steady_clock::now() + 50ms;
  bool done = false;
  // It runs all the time: on a busy machine that may take as long as it likes.
  EXPECT_FALSE(all.run("/slow", [&] {
    while (std::chrono::steady_clock::now() < end) {
    }
    done = true;
  }));
  EXPECT_TRUE(done);
}

TEST(BoundedLook, T45_NoMoreThanSoManyHang) {
  bounded_looks all(1ms);
  std::promise<void> answer;
  auto hang = [waits = answer.get_future().share()] { waits.wait(); };
  int given = 0;
  xpc_testing::wait_until("the most to hang", [&] {
    (void)all.run("/" + std::to_string(given++), hang);
    return all.hanging().size() == 16;
  });
  const failure_of why = all.run("/one more", hang);
  ASSERT_TRUE(why);
  EXPECT_NE(why->text.find("too many others"), std::string::npos) << why->text;
  EXPECT_EQ(all.hanging().size(), 16u);
  answer.set_value();
  xpc_testing::wait_until("all to come back", [&] { return all.hanging().size() == 0; });
}

}  // namespace
}  // namespace openxpc::supervise
