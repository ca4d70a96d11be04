#include <dispatch/dispatch.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>

#include "dispatch/calls.hpp"

namespace {

using dispatch_test::background;
using dispatch_test::event;
using dispatch_test::owned;

/// A source whose handlers are C++ functions; waits for its cancel handler in the end.
class tested_source {
 public:
  tested_source(dispatch_source_type_t type, uintptr_t handle, uintptr_t mask,
                dispatch_queue_t queue, std::function<void(uintptr_t)> on_event)
      : on_event_(std::move(on_event)), source_(dispatch_source_create(type, handle, mask, queue)) {
    dispatch_set_context(source_, this);
    dispatch_source_set_event_handler_f(source_, [](void* at) {
      auto* mine = static_cast<tested_source*>(at);
      mine->on_event_(dispatch_source_get_data(mine->source_));
    });
    dispatch_source_set_cancel_handler_f(source_, [](void* at) {
      auto* mine = static_cast<tested_source*>(at);
      EXPECT_FALSE(mine->over.exchange(true));
      mine->canceled_.give();
    });
  }
  ~tested_source() {
    dispatch_source_cancel(source_);
    canceled_.wait();
    dispatch_release(source_);
  }
  operator dispatch_source_t() const { return source_; }
  std::atomic<bool> over{false};

 private:
  std::function<void(uintptr_t)> on_event_;
  event canceled_;
  dispatch_source_t source_;
};

TEST(DispatchSource, DataAddsUpWhileTheHandlerIsBusy) {
  owned<dispatch_queue_t> queue(dispatch_queue_create("data", nullptr));
  std::atomic<uintptr_t> sum{0};
  event here, go, done;
  bool first = true;
  tested_source source(DISPATCH_SOURCE_TYPE_DATA_ADD, 0, 0, queue, [&](uintptr_t data) {
    if (first) {
      first = false;
      here.give();
      go.wait();
    }
    if ((sum += data) == 101) done.give();
  });
  dispatch_activate(source);
  dispatch_source_merge_data(source, 1);
  here.wait();
  for (int i = 0; i < 100; ++i) dispatch_source_merge_data(source, 1);
  go.give();
  done.wait();
}

TEST(DispatchSource, DataOrAndReplace) {
  event done;
  uintptr_t last = 0;
  tested_source bits(DISPATCH_SOURCE_TYPE_DATA_OR, 0, 0, nullptr, [&](uintptr_t data) {
    last = data;
    done.give();
  });
  dispatch_source_merge_data(bits, 1);  // before activation: waits
  dispatch_source_merge_data(bits, 4);
  dispatch_activate(bits);
  done.wait();
  EXPECT_EQ(last, 5u);
  tested_source newest(DISPATCH_SOURCE_TYPE_DATA_REPLACE, 0, 0, nullptr, [&](uintptr_t data) {
    last = data;
    done.give();
  });
  dispatch_source_merge_data(newest, 7);
  dispatch_source_merge_data(newest, 0);
  dispatch_activate(newest);
  done.wait();
  EXPECT_EQ(last, 0u);
}

TEST(DispatchSource, TimerRepeats) {
  event rung;
  tested_source timer(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, background(), [&](uintptr_t times) {
    EXPECT_GE(times, 1u);
    rung.give();
  });
  dispatch_source_set_timer(timer, dispatch_time(DISPATCH_TIME_NOW, 1000), NSEC_PER_MSEC, 0);
  dispatch_activate(timer);
  rung.wait(5);
}

TEST(DispatchSource, TimerByTheTimeOfDay) {
  event rung;
  tested_source timer(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, background(),
                      [&](uintptr_t) { rung.give(); });
  dispatch_source_set_timer(timer, dispatch_walltime(nullptr, 1000), NSEC_PER_MSEC, 0);
  dispatch_activate(timer);
  rung.wait(3);
}

TEST(DispatchSource, R352_TimerWithoutIntervalRingsOnceAndMayBeCancelledAndReleasedInside) {
  owned<dispatch_queue_t> queue(dispatch_queue_create("timer", nullptr));
  struct state {
    dispatch_source_t source = nullptr;
    std::atomic<int> rung{0};
    event gone;
  } context;
  context.source = dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, queue);
  dispatch_set_context(context.source, &context);
  dispatch_source_set_event_handler_f(context.source, [](void* at) {
    auto* mine = static_cast<state*>(at);
    ++mine->rung;
    dispatch_source_cancel(mine->source);
    dispatch_release(mine->source);
  });
  dispatch_source_set_cancel_handler_f(context.source,
                                       [](void* at) { static_cast<state*>(at)->gone.give(); });
  dispatch_source_set_timer(context.source, DISPATCH_TIME_NOW, DISPATCH_TIME_FOREVER, 0);
  dispatch_resume(context.source);  // the old word for activate
  context.gone.wait();
  EXPECT_EQ(context.rung, 1);
}

TEST(DispatchSource, TimerSetAgainReplacesTheFormer) {
  event rung;
  tested_source timer(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, background(),
                      [&](uintptr_t) { rung.give(); });
  dispatch_source_set_timer(
      timer, dispatch_time(DISPATCH_TIME_NOW, 3600 * static_cast<int64_t>(NSEC_PER_SEC)),
      DISPATCH_TIME_FOREVER, 0);
  dispatch_activate(timer);
  dispatch_source_set_timer(timer, DISPATCH_TIME_NOW, DISPATCH_TIME_FOREVER, 0);
  rung.wait();
}

TEST(DispatchSource, ReadReportsWhatIsLeftAgain) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  event done;
  std::atomic<int> received{0};
  {
    tested_source reader(DISPATCH_SOURCE_TYPE_READ, static_cast<uintptr_t>(pair[0]), 0, nullptr,
                         [&](uintptr_t bytes) {
                           EXPECT_GE(bytes, 1u);
                           char one;
                           ASSERT_EQ(::read(pair[0], &one, 1), 1);  // leaves the rest
                           if (++received == 8) done.give();
                         });
    dispatch_activate(reader);
    ASSERT_EQ(::write(pair[1], "abcd", 4), 4);
    ASSERT_EQ(::write(pair[1], "efgh", 4), 4);
    done.wait();
  }
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST(DispatchSource, ReadAndWriteOnOneDescriptor) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  event readable, writable;
  {
    auto handle = static_cast<uintptr_t>(pair[0]);
    tested_source writer(DISPATCH_SOURCE_TYPE_WRITE, handle, 0, nullptr,
                         [&](uintptr_t) { writable.give(); });
    tested_source reader(DISPATCH_SOURCE_TYPE_READ, handle, 0, nullptr,
                         [&](uintptr_t) { readable.give(); });
    dispatch_activate(writer);
    dispatch_activate(reader);
    writable.wait();
    ASSERT_EQ(::write(pair[1], "x", 1), 1);
    readable.wait();
  }
  ::close(pair[0]);
  ::close(pair[1]);
}

// A program that reads until there is nothing more, and takes that for the end, loses the rest.
TEST(DispatchSource, NoEventWithoutData) {
  constexpr int bytes = 20000;
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
  event done;
  std::atomic<int> received{0}, for_nothing{0};
  {
    tested_source reader(DISPATCH_SOURCE_TYPE_READ, static_cast<uintptr_t>(ends[0]), 0, nullptr,
                         [&](uintptr_t) {
                           char some[4096];
                           const ssize_t got = ::read(ends[0], some, sizeof some);
                           if (got <= 0) ++for_nothing;
                           if (got > 0 && (received += static_cast<int>(got)) == bytes) done.give();
                         });
    dispatch_activate(reader);
    for (int i = 0; i < bytes; ++i) ASSERT_EQ(::write(ends[1], "x", 1), 1);
    done.wait();
  }
  EXPECT_EQ(for_nothing.load(), 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(DispatchSource, ADescriptorStaysBlocking) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const int before = ::fcntl(pair[0], F_GETFL);
  event writable;
  {
    tested_source writer(DISPATCH_SOURCE_TYPE_WRITE, static_cast<uintptr_t>(pair[0]), 0, nullptr,
                         [&](uintptr_t) { writable.give(); });
    dispatch_activate(writer);
    writable.wait(2);
    EXPECT_EQ(::fcntl(pair[0], F_GETFL), before);
  }
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST(DispatchSource, RegularFilesAreAlwaysReadable) {
  int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  event readable;
  {
    tested_source reader(DISPATCH_SOURCE_TYPE_READ, static_cast<uintptr_t>(file), 0, nullptr,
                         [&](uintptr_t) { readable.give(); });
    dispatch_activate(reader);
    readable.wait(2);
  }
  ::close(file);
}

TEST(DispatchSource, R351_SignalThatIsIgnoredStillArrives) {
  for (auto before : {SIG_IGN, SIG_DFL}) {
    ::signal(SIGUSR1, before);
    event arrived, registered;
    {
      tested_source source(DISPATCH_SOURCE_TYPE_SIGNAL, SIGUSR1, 0, nullptr, [&](uintptr_t times) {
        for (uintptr_t i = 0; i < times; ++i) arrived.give();
      });
      static event* when_ready;
      when_ready = &registered;
      dispatch_source_set_registration_handler_f(source, [](void*) { when_ready->give(); });
      dispatch_activate(source);
      registered.wait();
      ::kill(::getpid(), SIGUSR1);
      arrived.wait();
      ::kill(::getpid(), SIGUSR1);
      arrived.wait();
    }
    struct sigaction now{};
    ::sigaction(SIGUSR1, nullptr, &now);
    EXPECT_EQ(now.sa_handler, before);  // as it was
  }
  ::signal(SIGUSR1, SIG_DFL);
}

TEST(DispatchSource, SignalThatThreadsBlockArrivesAndTheProgramsHandlerToo) {
  static std::atomic<int> own{0};
  struct sigaction handler{};
  handler.sa_handler = [](int) { ++own; };
  ::sigaction(SIGUSR2, &handler, nullptr);
  sigset_t just;
  sigemptyset(&just);
  sigaddset(&just, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &just, nullptr);
  event arrived, registered;
  {
    tested_source source(DISPATCH_SOURCE_TYPE_SIGNAL, SIGUSR2, 0, nullptr,
                         [&](uintptr_t) { arrived.give(); });
    static event* when_ready;
    when_ready = &registered;
    dispatch_source_set_registration_handler_f(source, [](void*) { when_ready->give(); });
    dispatch_activate(source);
    registered.wait();
    ::kill(::getpid(), SIGUSR2);
    arrived.wait();
  }
  EXPECT_EQ(own, 1);
  pthread_sigmask(SIG_UNBLOCK, &just, nullptr);
  ::signal(SIGUSR2, SIG_DFL);
}

TEST(DispatchSource, ProcessExit) {
  int gate[2];
  ASSERT_EQ(::pipe2(gate, O_CLOEXEC), 0);
  pid_t child = ::fork();
  if (child == 0) {
    char byte;
    ::close(gate[1]);
    (void)!::read(gate[0], &byte, 1);
    ::_exit(0);
  }
  event ended;
  {
    tested_source source(DISPATCH_SOURCE_TYPE_PROC, static_cast<uintptr_t>(child),
                         DISPATCH_PROC_EXIT, nullptr, [&](uintptr_t what) {
                           EXPECT_EQ(what, DISPATCH_PROC_EXIT);
                           ended.give();
                         });
    dispatch_activate(source);
    ::close(gate[1]);
    ended.wait();
  }
  ::close(gate[0]);
  ::waitpid(child, nullptr, 0);
}

TEST(DispatchSource, SuspendedGathers) {
  event arrived;
  uintptr_t last = 0;
  tested_source source(DISPATCH_SOURCE_TYPE_DATA_ADD, 0, 0, nullptr, [&](uintptr_t data) {
    last = data;
    arrived.give();
  });
  dispatch_activate(source);
  dispatch_suspend(source);
  dispatch_source_merge_data(source, 2);
  dispatch_source_merge_data(source, 3);
  dispatch_resume(source);
  arrived.wait();
  EXPECT_EQ(last, 5u);
}

TEST(DispatchSource, CancelledBeforeActivationOnlyTellsSo) {
  event canceled;
  dispatch_source_t source = dispatch_source_create(DISPATCH_SOURCE_TYPE_DATA_ADD, 0, 0, nullptr);
  dispatch_set_context(source, &canceled);
  dispatch_source_set_event_handler_f(source, [](void*) { ADD_FAILURE(); });
  dispatch_source_set_cancel_handler_f(source, [](void* at) { static_cast<event*>(at)->give(); });
  dispatch_source_cancel(source);
  EXPECT_NE(dispatch_source_testcancel(source), 0);
  dispatch_source_merge_data(source, 1);
  dispatch_activate(source);
  canceled.wait();
  dispatch_release(source);
}

TEST(DispatchSource, RefusesWhatItsTypeDoesNotKnow) {
  EXPECT_EQ(dispatch_source_create(DISPATCH_SOURCE_TYPE_SIGNAL, SIGKILL, 0, nullptr), nullptr);
  EXPECT_EQ(dispatch_source_create(DISPATCH_SOURCE_TYPE_SIGNAL, 1000, 0, nullptr), nullptr);
  EXPECT_EQ(
      dispatch_source_create(DISPATCH_SOURCE_TYPE_READ, static_cast<uintptr_t>(-1), 0, nullptr),
      nullptr);
  EXPECT_EQ(dispatch_source_create(DISPATCH_SOURCE_TYPE_PROC, 1, 0, nullptr), nullptr);
  EXPECT_EQ(dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 2, nullptr), nullptr);
}

}  // namespace
