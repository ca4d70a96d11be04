#include "supervise/bounded_look.hpp"

#include "support/patience.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

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

/// Looks for a loop that serves others meanwhile.
class LooksBesideALoop : public ::testing::Test {
 protected:
  explicit LooksBesideALoop(std::chrono::milliseconds patience = 1h) : all(patience, 1ms) {
    all.serve_on(loop);
  }
  /// A file system that answers when it is told to.
  struct file_system {
    std::promise<void> now;
    std::shared_future<void> answers = now.get_future().share();
    std::function<outcome<int>()> look(int gives) const {
      return [answers = answers, gives] {
        answers.wait();
        return outcome<int>(gives);
      };
    }
  };
  void ask(const std::string& path, std::function<outcome<int>()> work) {
    all.ask<int>(path, std::move(work), [this](outcome<int> found) {
      told.push_back(found ? std::to_string(*found) : found.error().text);
    });
  }
  /// Serves the loop until so many answers have come.
  void run_until_told(std::size_t count) {
    while (told.size() < count && loop.run_one() != 0) {
    }
  }

  asio::io_context loop;
  bounded_looks all;
  std::vector<std::string> told;
};

using texts = std::vector<std::string>;

TEST_F(LooksBesideALoop, T45_OneThatTakesItsTimeIsUnderWayWhileTheLoopGoesOn) {
  file_system slow;
  ask("/slow", slow.look(1));
  EXPECT_TRUE(told.empty());
  asio::post(loop, [&] {
    told.emplace_back("another event");
    slow.now.set_value();
  });
  run_until_told(2);
  EXPECT_EQ(told, (texts{"another event", "1"}));
}

TEST_F(LooksBesideALoop, T45_OthersAtTheSamePlaceWaitBehindItInTheirOrder) {
  file_system slow;
  std::atomic<int> begun = 0;
  ask("/slow", slow.look(1));
  for (int i = 2; i <= 4; ++i) ask("/slow", [&begun, i] { return ++begun, outcome<int>(i); });
  EXPECT_EQ(begun, 0) << "no second thread comes to hang there";
  // Who needs an answer at once is told that there is none.
  const failure_of why = all.run("/slow", [&] { ++begun; });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->number, EAGAIN);
  EXPECT_EQ(why->text, "/slow: its file system has not answered yet");
  slow.now.set_value();
  run_until_told(4);
  EXPECT_EQ(told, (texts{"1", "2", "3", "4"}));
  EXPECT_EQ(begun, 3);
  EXPECT_EQ(all.hanging().size(), 0u);
}

TEST_F(LooksBesideALoop, WhatIsSetForAMomentOnTheLoopIsNotSetForALook) {
  const mode_t before = ::umask(027);
  file_system slow;
  std::atomic<mode_t> there = 0;
  ask("/slow", [&, look = slow.look(1)] {
    outcome<int> found = look();
    there = ::umask(0);
    return found;
  });
  ::umask(0777);
  slow.now.set_value();
  run_until_told(1);
  EXPECT_EQ(there, mode_t{027});
  EXPECT_EQ(::umask(before), mode_t{0777});
}

TEST_F(LooksBesideALoop, WhatNobodyWaitsForAnyMoreEndsByItself) {
  file_system slow;
  const outcome<int> found = all.look<int>("/slow", slow.look(1));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().number, EAGAIN);
  ask("/slow", slow.look(2));
  slow.now.set_value();
  run_until_told(1);
  EXPECT_EQ(told, texts{"2"});
}

TEST_F(LooksBesideALoop, SomebodyMayWaitForOneAfterAll) {
  file_system one, other;
  ask("/one", one.look(1));
  ask("/other", other.look(2));
  other.now.set_value();
  // Without the loop.
  all.settle([&] { return told == texts{"2"}; });
  EXPECT_EQ(told, texts{"2"});
  bool quiet = false;
  all.when_quiet([&] { quiet = true; });
  EXPECT_FALSE(quiet);
  one.now.set_value();
  all.settle([] { return false; });
  EXPECT_EQ(told, (texts{"2", "1"}));
  EXPECT_TRUE(quiet);
}

class ImpatientLooksBesideALoop : public LooksBesideALoop {
 protected:
  ImpatientLooksBesideALoop() : LooksBesideALoop(20ms) {}
};

TEST_F(ImpatientLooksBesideALoop, T45_OneThatHangsIsGivenUpWithAllBehindIt) {
  file_system dead;
  ask("/dead", dead.look(1));
  ask("/dead", dead.look(2));
  run_until_told(2);
  EXPECT_EQ(told, (texts{"/dead: its file system does not answer",
                         "/dead: its file system does not answer yet"}));
  EXPECT_EQ(all.hanging().size(), 1u);
  ask("/dead", dead.look(3));
  EXPECT_EQ(told.size(), 3u) << "at once";
  dead.now.set_value();
  xpc_testing::wait_until("it to come back", [&] { return all.hanging().size() == 0; });
  told.clear();
  ask("/dead", dead.look(4));
  run_until_told(1);
  EXPECT_EQ(told, texts{"4"});
}

TEST_F(ImpatientLooksBesideALoop, OneWhoseHelperWorksIsWaitedFor) {
  file_system slow;
  auto helper = std::make_shared<std::atomic<pid_t>>(0);
  bool given_up = false;
  all.ask<int>(
      "/slow", slow.look(1), [&](const outcome<int>& found) { given_up = !found; }, helper);
  // This very thread runs all the time, as a new process does on its way to its program.
  helper->store(::getpid());
  const auto end = std::chrono::steady_clock::now() + 100ms;
  while (std::chrono::steady_clock::now() < end) loop.poll();
  slow.now.set_value();
  all.settle([] { return false; });
  EXPECT_FALSE(given_up);
}

}  // namespace
}  // namespace openxpc::supervise
