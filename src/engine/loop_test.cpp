#include "engine/loop.hpp"

#include "engine/blocking.hpp"
#include "engine/core.hpp"
#include "engine/registration.hpp"
#include "engine/test_support.hpp"
#include "engine/timer.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace openxpc::engine {
namespace {

using test::count;

TEST(EnginePost, StartsTasksInOrder) {
  loop& where = next_loop();
  std::map<std::thread::id, std::vector<int>>
      seen;  // the loop may change its thread when the machine stalls
  std::mutex lock;
  count done;
  for (int i = 0; i < 1000; ++i)
    post(where, [&, i] {
      {
        std::lock_guard guard(lock);
        seen[std::this_thread::get_id()].push_back(i);
      }
      done.add();
    });
  done.wait_for(1000);
  std::lock_guard guard(lock);
  std::size_t total = 0;
  for (auto& [thread, tasks] : seen) {
    EXPECT_TRUE(std::is_sorted(tasks.begin(), tasks.end()));
    total += tasks.size();
  }
  EXPECT_EQ(total, 1000u);
}

TEST(EnginePost, StaysOnTheLoopOfTheCaller) {
  loop& where = next_loop();
  count done;
  bool same = false;
  post(where, [&] {
    loop* outer = current_loop();
    post([&, outer] {
      same = outer == &where && current_loop() == &where;
      done.add();
    });
  });
  done.wait_for(1);
  EXPECT_TRUE(same);
  EXPECT_EQ(current_loop(), nullptr);
}

TEST(EnginePost, NeverRunsInsideTheCall) {
  loop& where = next_loop();
  count done;
  bool inside = false, nested = false;
  post(where, [&] {
    inside = true;
    post(where, [&] {
      nested = inside;
      done.add();
    });
    inside = false;
  });
  done.wait_for(1);
  EXPECT_FALSE(nested);
}

TEST(EnginePost, LosesNothingBetweenManyThreads) {
  loop& where = next_loop();
  count done;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) post(where, [&] { done.add(); });
    });
  for (auto& each : threads) each.join();
  done.wait_for(20000);
}

TEST(EngineThreads, HaveNamesAndBlockAllSignals) {
  count done;
  char name[16] = "";
  sigset_t blocked;
  sigemptyset(&blocked);
  post([&] {
    pthread_getname_np(pthread_self(), name, sizeof name);
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    done.add();
  });
  done.wait_for(1);
  EXPECT_EQ(std::string(name).substr(0, 11), "xpc-engine-");
  for (int signal : {SIGINT, SIGTERM, SIGCHLD, SIGALRM, SIGUSR1, SIGHUP})
    EXPECT_TRUE(sigismember(&blocked, signal));
}

// The hand-over by the watch: these sleep where the engine cannot see it.
TEST(EngineBlocking, SixtyFourBlockedCallbacksDoNotStopOthers) {
  count inside, leave, others, out;
  for (int i = 0; i < 64; ++i)
    post([&] {
      inside.add();
      leave.wait_for(1);
      out.add();
    });
  inside.wait_for(64);  // each of them was started although those before it sleep
  for (std::size_t i = 0; i < core::get().loop_count(); ++i)
    post(core::get().loop_at(i), [&] { others.add(); });
  others.wait_for(static_cast<unsigned>(core::get().loop_count()));
  leave.add();
  out.wait_for(64);
}

TEST(EngineBlocking, RegionHandsTheLoopOverAtOnce) {
  loop& where = next_loop();
  count done, leave;
  std::atomic<bool> had{false}, has{true};
  post(where, [&] {
    had = current_loop() == &where;
    blocking_region sleeping;
    has = current_loop() != nullptr;
    blocking_region again;  // has no loop to lose
    leave.wait_for(1);
    done.add();
  });
  post(where, [&] { leave.add(); });  // runs on the spare, while the first task waits for it
  done.wait_for(1);
  EXPECT_TRUE(had);
  EXPECT_FALSE(has);
}

TEST(EngineBlocking, RegionElsewhereDoesNothing) {
  unsigned before = core::get().threads.count();
  blocking_region outside;
  EXPECT_EQ(core::get().threads.count(), before);
}

TEST(EngineBlocking, RestOfTheBatchGoesWithTheLoop) {
  loop& where = next_loop();
  class setting final : public source {
   public:
    setting(base::function<void()> then) : then_(std::move(then)) {}
    void ready(std::uint32_t) override { then_(); }

   private:
    base::function<void()> then_;
  };
  test::pair_of_sockets pairs[8];
  std::vector<registration> all;
  count arrived, leave, held, go, out;
  for (auto& pair : pairs)
    all.emplace_back(pair.fd[1].get(), base::make_ref<setting>([&] {
                       blocking_region sleeping;
                       arrived.add();
                       leave.wait_for(1);
                       out.add();
                     }),
                     where);
  post(where, [&] {
    held.add();
    go.wait_for(1);
  });
  held.wait_for(1);
  for (auto& each : all) each.arm(EPOLLIN);
  for (auto& pair : pairs) pair.say(0);
  go.add();
  arrived.wait_for(
      8);  // all eight sleep at the same time, whether or not one epoll_wait had reported them
  leave.add();
  out.wait_for(8);
}

TEST(EngineBlocking, AtTheLimitTheLoopWaitsForAThread) {
  count inside, leave, out, others;
  const auto loops = static_cast<unsigned>(core::get().loop_count());
  const unsigned each = threads_limit + 1, wanted = loops * each;  // no loop runs out of them
  for (unsigned i = 0; i < wanted; ++i)
    post(core::get().loop_at(i % loops), [&] {
      inside.add();
      blocking_region sleeping;
      leave.wait_for(1);
      out.add();
    });
  inside.wait_for(threads_limit);
  EXPECT_EQ(core::get().threads.count(), threads_limit);
  EXPECT_EQ(inside.value(), threads_limit);
  leave.add();
  out.wait_for(wanted);
  post([&] { others.add(); });
  others.wait_for(1);
}

// The program's own loop. In a process of its own, since the choice stands for good.
void drive_by_hand() {
  if (!choose_drive(drive::program)) ::_exit(10);
  int descriptor = borrowed_fd();
  if (descriptor < 0) ::_exit(11);
  int events = 0;
  class noting final : public source {
   public:
    explicit noting(int& at) : at_(at) {}
    void ready(std::uint32_t) override { ++at_; }

   private:
    int& at_;
  };
  test::pair_of_sockets pair;
  registration reading(pair.fd[1].get(), base::make_ref<noting>(events));
  reading.arm(EPOLLIN);
  if (poll() != 0) ::_exit(12);
  int tasks = 0, rings = 0;
  timer clock(any_loop(), [&] { ++rings; });
  clock.schedule(base::from_now(std::chrono::milliseconds(2)));
  auto turn_until = [&](const int& value, int wanted) {
    while (value < wanted) {
      pollfd one{descriptor, POLLIN, 0};
      if (::poll(&one, 1, 20000) != 1) ::_exit(13);
      poll();
    }
  };
  turn_until(rings, 1);
  pair.say(0);
  turn_until(events, 1);
  reading.arm_soon(EPOLLIN);
  turn_until(events, 2);
  post([&] {
    ++tasks;
    post([&] { ++tasks; });
  });
  std::thread([&] { post([&] { ++tasks; }); }).join();
  turn_until(tasks, 3);
  if (core::get().threads.count() != 0) ::_exit(14);
  if (choose_drive(drive::threads)) ::_exit(15);
  ::_exit(0);
}

TEST(EngineDrive, ProgramTurnsTheLoopFromOneDescriptor) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(drive_by_hand(), testing::ExitedWithCode(0), "");
}

TEST(EngineDrive, ChoiceComesTooLateAfterTheFirstUse) {
  any_loop();
  EXPECT_FALSE(choose_drive(drive::program));
  EXPECT_TRUE(choose_drive(drive::threads));
  EXPECT_EQ(borrowed_fd(), -1);
  EXPECT_EQ(poll(), 0u);
}

}  // namespace
}  // namespace openxpc::engine
