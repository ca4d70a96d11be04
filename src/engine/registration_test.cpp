#include "engine/registration.hpp"

#include "base/fd.hpp"
#include "engine/core.hpp"
#include "engine/test_support.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

namespace openxpc::engine {
namespace {

using test::count;
using test::pair_of_sockets;

/// Counts its calls; what else it does is up to the test.
class counting final : public source {
 public:
  explicit counting(base::function<void(std::uint32_t)> then = nullptr) : then_(std::move(then)) {}
  ~counting() override {
    if (gone) gone->add();
  }
  void ready(std::uint32_t events) override {
    last_events = events;
    if (then_) then_(events);
    calls.add();
  }
  count calls;
  std::atomic<std::uint32_t> last_events{0};
  count* gone = nullptr;

 private:
  base::function<void(std::uint32_t)> then_;
};

/// Everything that the loop had to do when this was called has been done.
void pass_by(loop& where) {
  count passed;
  ASSERT_TRUE(post(where, [&] { passed.add(); }));
  passed.wait_for(1);
  // A batch ends with its tasks; the second task comes in a later batch, after the events that the
  // first one's kernel call reported.
  ASSERT_TRUE(post(where, [&] { passed.add(); }));
  passed.wait_for(2);
}

TEST(EngineRegistration, ReportsWhatIsReadyAlready) {
  pair_of_sockets pair;
  pair.say(0);
  auto target = base::make_ref<counting>();
  registration reading(pair.fd[1].get(), target);
  ASSERT_TRUE(reading.arm(EPOLLIN));
  target->calls.wait_for(1);
  EXPECT_EQ(target->last_events.load(), std::uint32_t{EPOLLIN});
}

TEST(EngineRegistration, IsSpentAfterOneEvent) {
  pair_of_sockets pair;
  auto target = base::make_ref<counting>();
  registration reading(pair.fd[1].get(), target);
  reading.arm(EPOLLIN);
  pair.say(0);
  target->calls.wait_for(1);
  pair.say(0);
  pass_by(reading.where());
  EXPECT_EQ(target->calls.value(), 1u);
  reading.arm(EPOLLIN);  // level-triggered: what was missed is reported now
  target->calls.wait_for(2);
}

TEST(EngineRegistration, ReportsNothingBeforeTheFirstArm) {
  pair_of_sockets pair;
  auto target = base::make_ref<counting>();
  registration reading(pair.fd[1].get(), target);
  pair.fd[0].reset();  // a hang-up, which epoll reports without being asked
  pass_by(reading.where());
  EXPECT_EQ(target->calls.value(), 0u);
  reading.arm(EPOLLIN);
  target->calls.wait_for(1);
  EXPECT_TRUE(target->last_events.load() & EPOLLHUP);
}

TEST(EngineRegistration, CanBeArmedAgainInsideItsEvent) {
  pair_of_sockets pair;
  registration reading;
  auto target = base::make_ref<counting>([&](std::uint32_t) {
    char byte;
    EXPECT_EQ(::recv(pair.fd[1].get(), &byte, 1, 0), 1);
    reading.arm(EPOLLIN);
  });
  reading = registration(pair.fd[1].get(), target);
  reading.arm(EPOLLIN);
  for (unsigned i = 1; i <= 100; ++i) {
    pair.say(0);
    target->calls.wait_for(i);
  }
  reading.remove();
  pass_by(any_loop());
}

TEST(EngineRegistration, ReplacesWhatWasWaitedFor) {
  pair_of_sockets pair;
  auto target = base::make_ref<counting>();
  registration both(pair.fd[1].get(), target);
  both.arm(EPOLLIN);
  both.arm(EPOLLIN | EPOLLOUT);
  target->calls.wait_for(1);
  EXPECT_EQ(target->last_events.load(), std::uint32_t{EPOLLOUT});
}

TEST(EngineRegistration, KeepsNothingOfTheSourceAfterRemove) {
  pair_of_sockets pair;
  count gone;
  {
    auto target = base::make_ref<counting>();
    target->gone = &gone;
    registration reading(pair.fd[1].get(), target);
    reading.arm(EPOLLIN);
    reading.remove();
    reading.remove();  // idempotent
  }
  EXPECT_EQ(gone.value(), 1u);
}

TEST(EngineRegistration, KeepsTheSourceAliveWhileItsEventRuns) {
  pair_of_sockets pair;
  count gone, inside, leave;
  auto target = base::make_ref<counting>([&](std::uint32_t) {
    inside.add();
    leave.wait_for(1);
    EXPECT_EQ(gone.value(), 0u);
  });
  target->gone = &gone;
  registration reading(pair.fd[1].get(), std::move(target));
  reading.arm(EPOLLIN);
  pair.say(0);
  inside.wait_for(1);
  reading.remove();
  EXPECT_EQ(gone.value(), 0u);
  leave.add();
  gone.wait_for(1);
}

// One loop gets a batch of two events while it is held up. The first one's callback removes the
// second's registration: the second event is on its way already and must find nobody, also when its
// slot has a new owner.
TEST(EngineRegistration, StaleEventFindsNobody) {
  loop& where = next_loop();
  pair_of_sockets first, second, third;
  registration one, two, three;
  auto stranger = base::make_ref<counting>();
  auto removed = base::make_ref<counting>();
  std::atomic<bool> done{false};
  auto remover = base::make_ref<counting>([&](std::uint32_t) {
    two.remove();
    three = registration(third.fd[1].get(), stranger, where);
    three.arm(EPOLLIN);
    done = true;
  });
  one = registration(first.fd[1].get(), remover, where);
  two = registration(second.fd[1].get(), removed, where);
  count held, go;
  post(where, [&] {
    held.add();
    go.wait_for(1);
  });
  held.wait_for(1);
  one.arm(EPOLLIN);
  two.arm(EPOLLIN);
  first.say(0);
  second.say(0);
  go.add();
  remover->calls.wait_for(1);
  pass_by(where);
  EXPECT_TRUE(done);
  EXPECT_EQ(removed->calls.value(), 0u);
  EXPECT_EQ(stranger->calls.value(), 0u);
  third.say(0);
  stranger->calls.wait_for(1);
}

TEST(EngineRegistration, SpreadsOverTheLoops) {
  pair_of_sockets pair;
  auto target = base::make_ref<counting>();
  std::size_t loops = core::get().loop_count();
  std::vector<registration> all;
  std::array<unsigned, core::loops_limit> used{};
  for (std::size_t i = 0; i < 3 * loops; ++i) all.emplace_back(pair.fd[1].get(), target);
  for (auto& each : all)
    for (std::size_t i = 0; i < loops; ++i) used[i] += &each.where() == &core::get().loop_at(i);
  for (std::size_t i = 0; i < loops; ++i) EXPECT_EQ(used[i], 3u);
}

TEST(EngineRegistration, SaysWhenTheKernelRefuses) {
  base::fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  registration reading(file.get(), base::make_ref<counting>());
  EXPECT_FALSE(reading.arm(EPOLLIN));
  EXPECT_EQ(errno, EPERM);
}

TEST(EngineLateArm, ComesWithoutFurtherCalls) {
  pair_of_sockets pair;
  auto target = base::make_ref<counting>();
  registration reading(pair.fd[1].get(), target);
  reading.arm(EPOLLIN);
  pair.say(0);
  target->calls.wait_for(1);
  reading.arm_soon(EPOLLIN);
  target->calls.wait_for(2);
  EXPECT_FALSE(reading.hold());  // it has fired
}

TEST(EngineLateArm, HoldCallsItOff) {
  pair_of_sockets pair;
  auto target = base::make_ref<counting>();
  registration reading(pair.fd[1].get(), target);
  reading.arm(EPOLLIN);
  pair.say(0);
  target->calls.wait_for(1);
  unsigned held = 0;
  // hold() may lose the race against the clock only when this thread was off the core for a tick.
  for (unsigned i = 0; i < 200; ++i) {
    unsigned before = target->calls.value();
    reading.arm_soon(EPOLLIN);
    if (reading.hold()) {
      pass_by(reading.where());
      EXPECT_EQ(target->calls.value(), before);
      ++held;
    } else {
      target->calls.wait_for(before + 1);
    }
  }
  EXPECT_GT(held, 0u);
  EXPECT_FALSE(reading.hold());
}

TEST(EngineLateArm, NeverOverwritesALaterArm) {
  pair_of_sockets pair;
  auto target = base::make_ref<counting>();
  registration both(pair.fd[1].get(), target);
  both.arm(EPOLLOUT);
  target->calls.wait_for(1);
  for (unsigned i = 2; i < 300; ++i) {
    both.arm_soon(EPOLLIN);  // nothing to read: if this came last, nothing would happen any more
    if (i % 16 == 0) std::this_thread::yield();
    both.arm(EPOLLIN | EPOLLOUT);
    target->calls.wait_for(i);
  }
}

TEST(EngineLateArm, FirstOfAllArmsAtOnce) {
  pair_of_sockets pair;
  pair.say(0);
  auto target = base::make_ref<counting>();
  registration reading(pair.fd[1].get(), target);
  reading.arm_soon(EPOLLIN);
  target->calls.wait_for(1);
}

TEST(EngineLateArm, SurvivesItsRegistration) {
  auto target = base::make_ref<counting>();
  for (unsigned i = 0; i < 200; ++i) {
    pair_of_sockets pair;
    registration reading(pair.fd[1].get(), target);
    reading.arm(EPOLLIN);
    pair.say(0);
    target->calls.wait_for(i + 1);
    reading.arm_soon(EPOLLIN);
    reading.remove();
  }
}

}  // namespace
}  // namespace openxpc::engine
