#include "support/child.hpp"
#include "support/role.hpp"

#include <dispatch/dispatch.h>

#include <gtest/gtest.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "dispatch/calls.hpp"

namespace {

using dispatch_test::background;
using dispatch_test::event;
using dispatch_test::owned;

TEST(DispatchGeneric, WaitsForWhatIsGiven) {
  owned<dispatch_semaphore_t> semaphore(dispatch_semaphore_create(1));
  EXPECT_EQ(dispatch_wait(static_cast<dispatch_semaphore_t>(semaphore), DISPATCH_TIME_NOW), 0);
  EXPECT_NE(dispatch_wait(static_cast<dispatch_semaphore_t>(semaphore), DISPATCH_TIME_NOW), 0);
  dispatch_semaphore_signal(semaphore);
  owned<dispatch_group_t> group(dispatch_group_create());
  EXPECT_EQ(dispatch_wait(static_cast<dispatch_group_t>(group), DISPATCH_TIME_NOW), 0);
  dispatch_group_enter(group);
  EXPECT_NE(dispatch_wait(static_cast<dispatch_group_t>(group), DISPATCH_TIME_NOW), 0);
  dispatch_group_leave(group);
}

TEST(DispatchGeneric, CancelsASource) {
  event canceled;
  dispatch_source_t source = dispatch_source_create(DISPATCH_SOURCE_TYPE_DATA_ADD, 0, 0, nullptr);
  dispatch_set_context(source, &canceled);
  dispatch_source_set_cancel_handler_f(source, [](void* at) { static_cast<event*>(at)->give(); });
  dispatch_activate(source);
  EXPECT_EQ(dispatch_testcancel(source), 0);
  dispatch_cancel(source);
  EXPECT_NE(dispatch_testcancel(source), 0);
  canceled.wait();
  dispatch_release(source);
}

TEST(DispatchGeneric, WorkloopIsASerialQueue) {
  owned<dispatch_workloop_t> loop(dispatch_workloop_create_inactive("org.example.loop"));
  EXPECT_STREQ(dispatch_queue_get_label(loop), "org.example.loop");
  dispatch_workloop_set_autorelease_frequency(loop, DISPATCH_AUTORELEASE_FREQUENCY_NEVER);
  int value = 0;
  event done;
  dispatch_test::async(loop, [&] { value = 1; });
  dispatch_test::async(loop, [&] {
    EXPECT_EQ(value, 1);
    dispatch_assert_queue_barrier(loop);
    done.give();
  });
  dispatch_activate(static_cast<dispatch_workloop_t>(loop));
  done.wait();
}

TEST(DispatchGeneric, ServiceClassFloorIsAccepted) {
  owned<dispatch_queue_t> queue(dispatch_queue_create(nullptr, nullptr));
  dispatch_set_qos_class_floor(static_cast<dispatch_queue_t>(queue), QOS_CLASS_UTILITY, -3);
  EXPECT_EQ(dispatch_queue_get_qos_class(queue, nullptr), QOS_CLASS_UNSPECIFIED);
}

TEST(DispatchGeneric, DebugPrintsOneLine) {
  owned<dispatch_queue_t> queue(dispatch_queue_create("org.example.debugged", nullptr));
  testing::internal::CaptureStderr();
  dispatch_debug(static_cast<dispatch_queue_t>(queue), "after %d", 3);
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_NE(line.find("queue 0x"), std::string::npos) << line;
  EXPECT_NE(line.find("org.example.debugged: after 3\n"), std::string::npos) << line;
}

TEST(DispatchGenericDeathTest, ObjectsOfAnotherKindAreMisuse) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  owned<dispatch_queue_t> queue(dispatch_queue_create(nullptr, nullptr));
  auto* at = static_cast<dispatch_queue_t>(queue);
  EXPECT_DEATH(dispatch_wait(at, DISPATCH_TIME_NOW), "dispatch_wait: .*another type");
  EXPECT_DEATH(dispatch_cancel(at), "dispatch_cancel: .*another type");
  EXPECT_DEATH(std::exit(static_cast<int>(dispatch_testcancel(dispatch_get_main_queue()))),
               "another type");
  EXPECT_DEATH(dispatch_set_qos_class_floor(at, 99, 0), "no such service class");
  EXPECT_DEATH(dispatch_workloop_set_autorelease_frequency(static_cast<dispatch_workloop_t>(at),
                                                           DISPATCH_AUTORELEASE_FREQUENCY_NEVER),
               "active");
}

TEST(DispatchSource, TypesThatLinuxLacksHaveNoSource) {
  for (auto type : {DISPATCH_SOURCE_TYPE_MACH_SEND, DISPATCH_SOURCE_TYPE_MACH_RECV,
                    DISPATCH_SOURCE_TYPE_MEMORYPRESSURE, DISPATCH_SOURCE_TYPE_VNODE})
    EXPECT_EQ(dispatch_source_create(type, 0, DISPATCH_VNODE_WRITE, nullptr), nullptr);
}

/// A source that gives `fired` at each event and `registered` once it watches; not cancelled.
struct watched {
  watched(dispatch_source_type_t type, uintptr_t handle, uintptr_t mask)
      : source(dispatch_source_create(type, handle, mask, nullptr)) {
    dispatch_set_context(source, this);
    dispatch_source_set_event_handler_f(source,
                                        [](void* at) { static_cast<watched*>(at)->fired.give(); });
    dispatch_source_set_registration_handler_f(
        source, [](void* at) { static_cast<watched*>(at)->registered.give(); });
    dispatch_source_set_cancel_handler_f(source,
                                         [](void* at) { static_cast<watched*>(at)->over.give(); });
    dispatch_activate(source);
    registered.wait();
  }
  void cancel() {
    dispatch_source_cancel(source);
    over.wait();
    dispatch_release(source);
  }
  event fired, registered, over;
  dispatch_source_t source;
};

/// Leaves the process without a free descriptor number, as long as it lives.
class no_descriptors {
 public:
  no_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    // The limit counts from the lowest free number on.
    int lowest = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
    ::close(lowest);
    rlimit none{static_cast<rlim_t>(lowest), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(DispatchSource, WithoutDescriptorsItWaitsUntilThereAreSome) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  pid_t child = ::fork();
  if (child == 0)
    for (;;) ::pause();
  // The manager's own descriptors come first.
  dispatch_test::event warm;
  dispatch_test::after(DISPATCH_TIME_NOW + 1, background(), [&] { warm.give(); });
  warm.wait();
  auto none = std::make_unique<no_descriptors>();
  watched reader(DISPATCH_SOURCE_TYPE_READ, static_cast<uintptr_t>(ends[0]), 0);
  watched process(DISPATCH_SOURCE_TYPE_PROC, static_cast<uintptr_t>(child), DISPATCH_PROC_EXIT);
  none.reset();
  reader.fired.wait();
  reader.cancel();
  ::kill(child, SIGKILL);
  process.fired.wait();
  process.cancel();
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(DispatchSource, ProcessThatIsGoneIsReported) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  watched process(DISPATCH_SOURCE_TYPE_PROC, static_cast<uintptr_t>(child), DISPATCH_PROC_EXIT);
  process.fired.wait();
  process.cancel();
}

TEST(DispatchSource, IgnoredChildrenLeaveNoZombies) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "NOT SHOWN: ThreadSanitizer keeps a signal back from a thread that sleeps";
#endif
  ::signal(SIGCHLD, SIG_IGN);
  watched children(DISPATCH_SOURCE_TYPE_SIGNAL, SIGCHLD, 0);
  pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  children.fired.wait();
  // The kernel has reaped it by itself: there is nothing left to wait for.
  EXPECT_EQ(::waitpid(child, nullptr, 0), -1);
  EXPECT_EQ(errno, ECHILD);
  children.cancel();
  ::signal(SIGCHLD, SIG_DFL);
}

/// A daemon that silences a signal only after its source was activated.
XPC_TEST_ROLE(ignores_late) {
  watched usr1(DISPATCH_SOURCE_TYPE_SIGNAL, SIGUSR1, 0);
  ::signal(SIGUSR1, SIG_IGN);
  dispatch_source_set_event_handler_f(usr1.source, [](void*) { ::_exit(7); });
  dispatch_test::async(dispatch_get_main_queue(), [] { ::kill(::getpid(), SIGUSR1); });
  dispatch_main();
}

TEST(DispatchSource, R351_SignalIgnoredAfterActivationArrivesFromDispatchMainOn) {
  auto daemon = xpc_testing::child::role("ignores_late");
  EXPECT_EQ(daemon.wait(), (xpc_testing::ending{7, 0}));
}

}  // namespace
