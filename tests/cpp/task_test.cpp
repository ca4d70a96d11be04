// Pending, task, executor, run_loop.

#include "support/mailbox.hpp"

#include <xpc/task.hpp>

#include <gtest/gtest.h>

#include <poll.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using xpc_testing::event;
using xpc_testing::mailbox;

namespace {

/// Something pending that the test completes by hand.
class by_hand {
 public:
  xpc::pending<int> get() {
    at_->retain();
    return {at_, xpc::detail::cell<int>::operations()};
  }
  void complete(xpc::result<int> with) { at_->complete(std::move(with)); }
  ~by_hand() { at_->release(); }

 private:
  xpc::detail::cell<int>* at_ = new xpc::detail::cell<int>;
};

xpc::task<int> number(int n) { co_return n; }
xpc::task<int> failing() {
  xpc::result<int>(xpc::failure(xpc::errc::denied, "no")).value();
  co_return 1;
}
xpc::task<int> throwing() {
  if (true) throw std::runtime_error("oops");
  co_return 1;
}
xpc::task<int> awaiting(xpc::pending<int> what) {
  auto how = co_await what;
  co_return how;
}

struct counting {
  explicit counting(int& of) : n(of) { ++n; }
  counting(counting&& other) noexcept : n(other.n) { ++n; }
  ~counting() { --n; }
  int& n;
};

}  // namespace

TEST(CppTask, IsColdUntilAwaitedOrStarted) {
  int alive = 0;
  bool ran = false;
  auto make = [&](counting) -> xpc::task<> {
    ran = true;
    co_return;
  };
  {
    auto cold = make(counting(alive));
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(ran);
  make(counting(alive)).start().wait().value();
  EXPECT_TRUE(ran);
  EXPECT_EQ(alive, 0);
}

TEST(CppTask, PassesOnValuesFailuresAndExceptions) {
  EXPECT_EQ(number(3).start().wait().value(), 3);
  EXPECT_EQ(failing().start().wait().error(), xpc::errc::denied);
  EXPECT_THROW((void)throwing().start().wait(), std::runtime_error);
  auto outer = []() -> xpc::task<std::string> {
    auto good = co_await number(3);
    auto bad = co_await failing();
    bool caught = false;
    try {
      (void)co_await throwing();
    } catch (const std::runtime_error&) {
      caught = true;
    }
    co_return std::to_string(*good) + std::string(bad.error().message()) + (caught ? "caught" : "");
  };
  EXPECT_EQ(outer().start().wait().value(), "3nocaught");
}

TEST(CppTask, AwaitsWithoutDeepRecursion) {
  auto many = []() -> xpc::task<int> {
    int sum = 0;
    for (int i = 0; i < 200'000; ++i) sum += (co_await number(1)).value();
    co_return sum;
  };
  EXPECT_EQ(many().start().wait().value(), 200'000);
  auto settled = []() -> xpc::task<int> {
    int sum = 0;
    for (int i = 0; i < 200'000; ++i) sum += (co_await xpc::detail::settled<int>(1)).value();
    co_return sum;
  };
  EXPECT_EQ(settled().start().wait().value(), 200'000);
}

TEST(CppTask, MeetsItsOutcomeFromAnotherThread) {
  for (int round = 0; round < 2'000; ++round) {
    by_hand source;
    auto started = awaiting(source.get()).start();
    std::thread other([&] { source.complete(round); });
    EXPECT_EQ(started.wait().value(), round);
    other.join();
  }
}

TEST(CppTask, GoesOnOnItsExecutorAndHandsItOn) {
  mailbox<xpc::unique_function<void()>> posted;
  xpc::executor mine([&](xpc::unique_function<void()> work) { posted.put(std::move(work)); });
  by_hand source;
  std::vector<std::thread::id> seen;
  auto inner = [&]() -> xpc::task<> {
    seen.push_back(std::this_thread::get_id());
    (void)co_await source.get();
    seen.push_back(std::this_thread::get_id());
  };
  auto outer = [&]() -> xpc::task<> {
    (co_await inner()).value();
    seen.push_back(std::this_thread::get_id());
  };
  auto started = outer().start(mine);
  EXPECT_TRUE(seen.empty());
  posted.take()();
  std::thread([&] { source.complete(1); }).join();
  EXPECT_FALSE(started.ready());
  posted.take()();
  ASSERT_TRUE(started.ready());
  started.wait().value();
  EXPECT_EQ(seen, std::vector<std::thread::id>(3, std::this_thread::get_id()));
}

TEST(CppTask, MovesToAnotherExecutor) {
  xpc::run_loop one, two;
  std::thread::id at_one, at_two;
  auto moving = [&]() -> xpc::task<> {
    at_one = std::this_thread::get_id();
    co_await xpc::this_task::move_to(two.executor());
    at_two = std::this_thread::get_id();
    (co_await xpc::this_task::sleep(0s)).value();
    EXPECT_EQ(at_two, std::this_thread::get_id());
    co_await xpc::this_task::move_to(one.executor());
    EXPECT_EQ(at_one, std::this_thread::get_id());
    two.stop();
  };
  std::thread second([&] { two.run(); });
  EXPECT_TRUE(one.run(moving()));
  second.join();
  EXPECT_NE(at_one, at_two);
}

TEST(CppTask, IsAskedToEndThroughItsStopToken) {
  by_hand never;
  event begun;
  auto waiting = [&]() -> xpc::task<int> {
    auto token = co_await xpc::this_task::stop_token();
    EXPECT_FALSE(token.stop_requested());
    begun.set();
    auto how = co_await never.get();
    EXPECT_TRUE(token.stop_requested());
    EXPECT_EQ(how.error(), xpc::errc::canceled);
    co_return 5;  // it ends by itself, and its outcome is its own
  };
  auto started = waiting().start();
  begun.wait();
  started.cancel();
  EXPECT_EQ(started.wait().value(), 5);

  std::stop_source outer;
  auto nested = [&]() -> xpc::task<int> { co_return co_await xpc::this_task::sleep(24h) ? 1 : 2; };
  auto outermost = [&]() -> xpc::task<int> { co_return co_await nested(); };
  auto second = outermost().start({}, outer.get_token());
  outer.request_stop();
  EXPECT_EQ(second.wait().value(), 2);
}

TEST(CppTask, ThrowingAPendingAwayCancels) {
  event ended;
  auto sleeping = [&]() -> xpc::task<> {
    EXPECT_EQ((co_await xpc::this_task::sleep(24h)).error(), xpc::errc::canceled);
    ended.set();
  };
  {
    auto thrown_away = sleeping().start();
  }
  ended.wait();
}

TEST(CppTask, DetachedItGoesOn) {
  by_hand source;
  event ended;
  auto waiting = [&]() -> xpc::task<> {
    EXPECT_EQ((co_await source.get()).value(), 3);
    ended.set();
  };
  waiting().start().detach();
  source.complete(3);
  ended.wait();
}

TEST(CppTask, TheCallableLivesUntilItsTaskHasEnded) {
  auto watched = std::make_shared<int>(41);
  std::weak_ptr<int> alive = watched;
  by_hand source;
  auto started = xpc::start({}, [watched = std::move(watched), &source]() -> xpc::task<int> {
    auto how = co_await source.get();
    co_return *watched + how.value();
  });
  EXPECT_FALSE(alive.expired());
  source.complete(1);
  EXPECT_EQ(started.wait().value(), 42);
  EXPECT_TRUE(alive.expired());
}

TEST(CppPending, TellsOnceNowOrLater) {
  by_hand source;
  int told = 0;
  source.get().then([&](xpc::result<int> how) { told += how.value(); });
  EXPECT_EQ(told, 0);
  source.complete(3);
  EXPECT_EQ(told, 3);
  xpc::detail::settled<int>(4).then([&](xpc::result<int> how) { told += how.value(); });
  EXPECT_EQ(told, 7);
  mailbox<xpc::unique_function<void()>> posted;
  xpc::executor mine([&](xpc::unique_function<void()> work) { posted.put(std::move(work)); });
  xpc::detail::settled<int>(5).then(mine, [&](xpc::result<int> how) { told += how.value(); });
  EXPECT_EQ(told, 7);
  posted.take()();
  EXPECT_EQ(told, 12);
}

TEST(CppPending, WaitsForAnotherThread) {
  by_hand source;
  auto pending = source.get();
  EXPECT_FALSE(pending.ready());
  std::thread other([&] { source.complete(xpc::failure("no")); });
  EXPECT_EQ(pending.wait().error().message(), "no");
  other.join();
}

TEST(CppPending, CancelsOnlyWhatHasNoOutcomeYet) {
  by_hand source;
  auto first = source.get();
  source.complete(1);
  first.cancel();
  EXPECT_EQ(first.wait().value(), 1);
  by_hand other;
  auto second = other.get();
  second.cancel();
  EXPECT_TRUE(second.ready());
  EXPECT_EQ(second.wait().error(), xpc::errc::canceled);
}

TEST(CppPendingDeathTest, AnOutcomeIsTakenOnce) {
  auto pending = xpc::detail::settled<int>(1);
  EXPECT_TRUE(pending.wait());
  EXPECT_DEATH((void)pending.wait(),
               "XPC API Misuse: xpc::pending::wait: its outcome was taken before");
}

TEST(CppRunLoop, RunsWhatIsPostedInOrder) {
  xpc::run_loop loop;
  std::vector<int> seen;
  for (int i = 0; i < 5; ++i) loop.executor().post([&seen, i] { seen.push_back(i); });
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(loop.poll(), 5u);
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(loop.poll(), 0u);
}

TEST(CppRunLoop, IsReadableWhileThereIsWork) {
  xpc::run_loop loop;
  pollfd readable{loop.borrowed_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&readable, 1, 0), 0);
  loop.executor().post([] {});
  EXPECT_EQ(::poll(&readable, 1, 0), 1);
  loop.poll();
  EXPECT_EQ(::poll(&readable, 1, 0), 0);
}

TEST(CppRunLoop, StopsFromAnywhere) {
  xpc::run_loop loop;
  std::thread other([&] { loop.stop(); });
  loop.run();
  other.join();
  // A stop that comes before counts for the next run, once.
  loop.stop();
  loop.run();
  int ran = 0;
  loop.executor().post([&] {
    ++ran;
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(ran, 1);
}

TEST(CppRunLoop, ATaskThatIsStoppedIsAskedToEnd) {
  xpc::run_loop loop;
  event ended;
  auto sleeping = [&]() -> xpc::task<> {
    EXPECT_FALSE(co_await xpc::this_task::sleep(24h));
    ended.set();
  };
  loop.executor().post([&] { loop.stop(); });
  EXPECT_EQ(loop.run(sleeping()).error(), xpc::errc::canceled);
  loop.poll();
  EXPECT_TRUE(ended.happened());
}

TEST(CppRunLoop, RunsACallableThatReturnsATask) {
  xpc::run_loop loop;
  int base = 40;
  EXPECT_EQ(loop.run([base]() -> xpc::task<int> {
                  (void)co_await xpc::this_task::sleep(1ms);
                  co_return base + 2;
                })
                .value(),
            42);
  EXPECT_THROW((void)loop.run(throwing()), std::runtime_error);
}

TEST(CppRunLoop, DestroyingItRunsWhatIsThereAndDropsTheRest) {
  std::optional<xpc::executor> outlives;
  int ran = 0;
  {
    xpc::run_loop loop;
    outlives = loop.executor();
    outlives->post([&] { ++ran; });
  }
  EXPECT_EQ(ran, 1);
  outlives->post([&] { ++ran; });
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(number(1).start(*outlives).wait().error(), xpc::errc::canceled);
}

TEST(CppRunLoopDeathTest, WaitingForItsOwnTaskIsMisuse) {
  EXPECT_DEATH(
      {
        xpc::run_loop loop;
        auto outer = [&]() -> xpc::task<> {
          (void)xpc::this_task::sleep(1ms).wait();  // needs nobody here
          auto inner = number(1).start(loop.executor());
          (void)inner.wait();
          co_return;
        };
        (void)loop.run(outer());
      },
      "this thread is the one that has to run the task");
}

TEST(CppExecutor, IsTheSameOnlyWhereItIs) {
  xpc::run_loop loop;
  EXPECT_EQ(loop.executor(), loop.executor());
  EXPECT_NE(loop.executor(), xpc::executor());
  bool ran = false;
  xpc::executor().post([&] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST(CppFunction, MovesWhatItHoldsSmallOrLarge) {
  xpc::unique_function<int(int)> small = [n = std::make_unique<int>(1)](int x) { return *n + x; };
  std::array<int, 100> many{};
  many[99] = 5;
  xpc::unique_function<int(int)> large = [many](int x) { return many[99] + x; };
  std::swap(small, large);
  EXPECT_EQ(small(1), 6);
  EXPECT_EQ(large(1), 2);
  small = nullptr;
  EXPECT_FALSE(small);
  EXPECT_TRUE(large);
}
