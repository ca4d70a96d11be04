#include "engine/fork.hpp"

#include "engine/blocking.hpp"
#include "engine/core.hpp"
#include "engine/registration.hpp"
#include "engine/test_support.hpp"
#include "engine/timer.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace openxpc::engine {
namespace {

using test::count;

class idle final : public source {
 public:
  void ready(std::uint32_t) override {}
};

/// Runs `body` in a forked child; its answer becomes the exit status.
template <class F>
int in_fork(F&& body) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

TEST(EngineFork, ChildHasADeadEngineThatAnswersAtOnce) {
  test::pair_of_sockets pair;
  registration reading(pair.fd[1].get(), base::make_ref<idle>());
  reading.arm(EPOLLIN);
  timer clock(any_loop(), [] {});
  clock.schedule(base::from_now(std::chrono::hours(1)));
  EXPECT_FALSE(forked());
  EXPECT_EQ(generation(), 0u);
  EXPECT_EQ(in_fork([&] {
              if (!forked() || generation() != 1) return 1;
              if (reading.arm(EPOLLIN) || errno != EBADF) return 2;
              reading.arm_soon(EPOLLIN);
              if (post([] {})) return 3;
              clock.schedule(base::from_now(std::chrono::hours(1)));
              if (clock.cancel()) return 4;
              blocking_region nothing;
              registration another(pair.fd[0].get(), base::make_ref<idle>());
              if (another || another.arm(EPOLLIN)) return 5;
              reading.remove();
              return in_fork([] { return generation() == 2 ? 0 : 6; });
            }),
            0);
  EXPECT_TRUE(clock.cancel());  // the parent's is as it was
}

TEST(EngineFork, ChildKeepsNoRegisteredConnectionOpen) {
  test::pair_of_sockets pair;
  registration reading(pair.fd[1].get(), base::make_ref<idle>());
  reading.arm(EPOLLIN);
  test::count nothing;
  int gate[2];
  ASSERT_EQ(::pipe2(gate, O_CLOEXEC), 0);
  pid_t child = ::fork();
  if (child == 0) {
    char byte;
    ::close(gate[1]);
    // The child's own number is there still, and dead: closing it later must not hit a stranger.
    bool dead = ::recv(pair.fd[1].get(), &byte, 1, 0) == 0 &&
                ::send(pair.fd[1].get(), "x", 1, MSG_NOSIGNAL) < 0;
    ::close(pair.fd[0].get());
    (void)!::read(gate[0], &byte, 1);  // lives until the parent says so
    ::_exit(dead ? 0 : 1);
  }
  reading.remove();
  pair.fd[1].reset();
  char byte;
  EXPECT_EQ(::recv(pair.fd[0].get(), &byte, 1, 0),
            0);  // would wait for ever if the child held the other end
  ::close(gate[1]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  ::close(gate[0]);
}

TEST(EngineFork, ChildSharesNoEpollSetWithItsParent) {
  loop& where = next_loop();
  int number = where.epoll_fd();
  EXPECT_EQ(in_fork([&] { return ::fcntl(number, F_GETFD) == -1 && errno == EBADF ? 0 : 1; }), 0);
}

TEST(EngineFork, CallbackThatReturnsInTheChildEndsTheChild) {
  count done;
  std::atomic<pid_t> child{-1};
  post([&] {
    pid_t made = ::fork();
    if (made == 0) return;
    child = made;
    done.add();
  });
  done.wait_for(1);
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child.load());
  EXPECT_EQ(status, 0);
}

TEST(EngineFork, UnderLoadNothingIsHeldUp) {
  std::atomic<bool> stop{false};
  count turns;
  unsigned posted = 0;
  std::thread noise([&] {
    auto target = base::make_ref<idle>();
    while (!stop) {
      test::pair_of_sockets pair;
      registration reading(pair.fd[1].get(), target);
      reading.arm(EPOLLIN);
      timer clock(any_loop(), [] {});
      clock.schedule(base::from_now(std::chrono::milliseconds(1)));
      post([&] { turns.add(); });
      ++posted;
    }
  });
  turns.wait_for(1);  // an engine that nobody has used yet begins afresh in a child
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(in_fork([&] { return forked() && !post([] {}) ? 0 : 1; }), 0);
  stop = true;
  noise.join();
  turns.wait_for(posted);
}

void use_first_in_a_child() {
  int answer = in_fork([] {
    if (forked()) return 1;
    count done;
    if (!post([&] { done.add(); })) return 2;
    done.wait_for(1);
    return 0;
  });
  ::_exit(answer);
}

TEST(EngineFork, ChildOfAProcessThatNeverUsedItBeginsAfresh) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(use_first_in_a_child(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace openxpc::engine
