// Tests that must fail: support_test runs them one by one and looks at what the harness says. They
// are part of no other run.
#include "support/child.hpp"
#include "support/mailbox.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <thread>

XPC_TEST_ROLE(stays) {
  xpc_testing::say("ready");
  return xpc_testing::hear() == "go" ? 0 : 1;
}

TEST(MustFail, LeavesDescriptorOpen) { EXPECT_GE(::dup(0), 0); }

TEST(MustFail, ClosesDescriptorOfOthers) { EXPECT_EQ(::close(0), 0); }

TEST(MustFail, LeavesChildRunning) {
  if (::fork() == 0)
    for (;;) ::pause();
}

// Passes: what a killed service manager leaves is nobody's mistake, but it must not stay either.
TEST(MustFail, LeavesOrphan) {
  auto shell = xpc_testing::child::program(
      "/bin/sh", {.arguments = {"-c", "sleep 1000 >/dev/null 2>&1 & echo orphan $!"}});
  std::cout << shell.read_line().value_or("no line") << std::endl;
  EXPECT_EQ(shell.wait().status, 0);
}

TEST(MustFail, NeverEnds) {
  for (;;) ::pause();
}

TEST(MustFail, WaitsForWhatNeverComes) { xpc_testing::mailbox<int>().take(); }

TEST(MustFail, ChildSaysSomethingElse) {
  auto child = xpc_testing::child::role("stays");
  child.expect_line("something else");
}

TEST(MustFail, ChildDoesNotEnd) { xpc_testing::child::role("stays").wait(); }

XPC_TEST_ROLE(says_what_a_sanitizer_says) {
  std::fputs("a.cpp:1:2: runtime error: signed integer overflow\n", stderr);
  return 0;
}

TEST(MustFail, ChildHasAnUnseenReport) {
  auto child = xpc_testing::child::role("says_what_a_sanitizer_says", {.keep_stderr = true});
  EXPECT_EQ(child.wait().status, 0);
}

TEST(MustFail, ServiceKeepsAReport) {
  std::ofstream(xpc_testing::runtime_directory() + "/output")
      << "==1==ERROR: AddressSanitizer: heap-use-after-free";
}

// Passes where no sanitizer is built in.
XPC_TEST_ROLE(earns_a_report) {
#if defined(__SANITIZE_ADDRESS__)
  const volatile char* gone = new char[1];
  delete[] gone;
  return *gone;
#elif defined(__SANITIZE_THREAD__)
  int unguarded = 0;
  std::thread other([&] { ++unguarded; });
  ++unguarded;
  other.join();
#endif
  return 0;
}

TEST(MustFail, NobodyLooksHowAChildEnded) {
  xpc_testing::child::role("earns_a_report").wait();
  // As a service manager starts it.
  const std::string directory = "XDG_RUNTIME_DIR=" + xpc_testing::runtime_directory();
  xpc_testing::child::role(
      "earns_a_report",
      {.environment = {"OPENXPC_TEST_DIRECTORY", "ASAN_OPTIONS", "TSAN_OPTIONS", directory}})
      .wait();
}

TEST(MustFail, StartsRoleThatDoesNotExist) {
  EXPECT_EQ(xpc_testing::child::role("nobody").wait().status, 0);
}
