#include "support/child.hpp"
#include "support/mailbox.hpp"
#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace xpc_testing;

namespace {

// Runs one test of the must_fail program and gives what the harness said about it.
run_result must_fail(const std::string& test, std::vector<std::string> environment = {}) {
  environment.push_back("OPENXPC_TEST_PATIENCE=1");
  std::string program = std::filesystem::path(this_program()).parent_path() / "must_fail";
  return run(program, {.arguments = {"--gtest_filter=MustFail." + test},
                       .environment = std::move(environment),
                       .borrowed_fds = {},
                       .directory = {}});
}

bool mentions(const run_result& result, const std::string& text) {
  if ((result.output + result.error).find(text) != std::string::npos) return true;
  ADD_FAILURE() << "nothing about \"" << text << "\" in:\n" << result.output << result.error;
  return false;
}

}  // namespace

TEST(SupportHonesty, LeakedDescriptorFailsTheTest) {
  run_result result = must_fail("LeavesDescriptorOpen");
  EXPECT_EQ(result.end, (ending{1, 0}));
  EXPECT_TRUE(mentions(result, "was left open: pipe:"));
}

TEST(SupportHonesty, ClosedForeignDescriptorFailsTheTest) {
  run_result result = must_fail("ClosesDescriptorOfOthers");
  EXPECT_EQ(result.end, (ending{1, 0}));
  EXPECT_TRUE(mentions(result, "descriptor 0 is not the test's own and was closed"));
}

TEST(SupportHonesty, LeftChildFailsTheTest) {
  run_result result = must_fail("LeavesChildRunning");
  EXPECT_EQ(result.end, (ending{1, 0}));
  EXPECT_TRUE(mentions(result, "still runs"));
}

TEST(SupportHonesty, WatchdogNamesTheTestThatNeverEnds) {
  run_result result =
      must_fail("NeverEnds",
                {"OPENXPC_TEST_WATCHDOG=1",
                 // Its details are more than a signal handler may do; what matters is said before.
                 "TSAN_OPTIONS=report_signal_unsafe=0"});
  EXPECT_EQ(result.end, (ending{-1, SIGABRT}));
  EXPECT_TRUE(mentions(result, "watchdog: MustFail.NeverEnds did not end within 1 s"));
  EXPECT_TRUE(mentions(result, "thread "));
}

TEST(SupportHonesty, WaitThatIsNeverAnsweredFailsTheTest) {
  EXPECT_TRUE(mentions(must_fail("WaitsForWhatNeverComes"), "nothing arrived in the mailbox"));
  EXPECT_TRUE(mentions(must_fail("ChildDoesNotEnd"), "does not end"));
}

TEST(SupportHonesty, WrongChildFailsTheTest) {
  EXPECT_TRUE(mentions(must_fail("ChildSaysSomethingElse"),
                       "child said \"ready\" where the test expects \"something else\""));
  EXPECT_TRUE(mentions(must_fail("StartsRoleThatDoesNotExist"), "there is no role nobody"));
}

TEST(SupportHonesty, SanitizerReportOfAChildFailsTheTest) {
  EXPECT_TRUE(mentions(must_fail("ChildHasAnUnseenReport"),
                       "started says: a.cpp:1:2: runtime error: signed integer overflow"));
  EXPECT_TRUE(mentions(must_fail("ServiceKeepsAReport"),
                       "started says: ==1==ERROR: AddressSanitizer: heap-use-after-free"));
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  run_result result = must_fail("NobodyLooksHowAChildEnded", {"OPENXPC_TEST_DIRECTORY"});
  EXPECT_EQ(result.end, (ending{1, 0}));
  const std::size_t first = result.output.find("started says: ====");
  EXPECT_NE(first, result.output.npos) << result.output;
  EXPECT_NE(result.output.find("started says: ====", first + 1), result.output.npos)
      << result.output;
#endif
}

XPC_TEST_ROLE(echo_arguments) {
  std::string all;
  for (const std::string& one : call.arguments) all += "[" + one + "]";
  say(all);
  say(hear());
  return 7;
}

TEST(SupportChild, RoleGetsArgumentsLinesAndGivesItsStatus) {
  child echo = child::role("echo_arguments", {.arguments = {"a", "b c"}});
  echo.expect_line("[a][b c]");
  EXPECT_TRUE(echo.alive());
  echo.write_line("over");
  echo.expect_line("over");
  EXPECT_EQ(echo.wait(), (ending{7, 0}));
  EXPECT_FALSE(echo.alive());
}

XPC_TEST_ROLE(use_descriptors) {
  // Descriptors 0 to 2 and the two handed over, and nothing else of the test program's.
  if (descriptor_count() != 5) return 1;
  if (::write(call.borrowed_fd(1), "second", 6) != 6) return 2;
  return ::write(call.borrowed_fd(0), "first", 5) == 5 ? 0 : 3;
}

TEST(SupportChild, DescriptorsArriveInOrderAndNothingElseDoes) {
  int one[2], two[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, two), 0);
  // Handed over in an order in which each must not overwrite the other.
  child user = child::role("use_descriptors", {.borrowed_fds = {two[1], one[1]}});
  EXPECT_EQ(user.wait(), (ending{0, 0}));
  char text[16] = {};
  EXPECT_EQ(::recv(two[0], text, sizeof text, MSG_DONTWAIT), 5);
  EXPECT_STREQ(text, "first");
  for (int descriptor : {one[0], one[1], two[0], two[1]}) ::close(descriptor);
}

XPC_TEST_ROLE(print_environment) {
  for (const std::string& name : call.arguments) {
    const char* value = std::getenv(name.c_str());
    say(value ? value : "(unset)");
  }
  say(runtime_directory());
  return 0;
}

TEST(SupportChild, EnvironmentIsChangedAsAskedAndTheDirectoryShared) {
  ::setenv("GONE", "x", 1);
  child printer = child::role("print_environment",
                              {.arguments = {"GONE", "NEW"}, .environment = {"GONE", "NEW=y"}});
  printer.expect_line("(unset)");
  printer.expect_line("y");
  printer.expect_line(runtime_directory());
  EXPECT_EQ(printer.wait().status, 0);
}

TEST(SupportChild, KillIsReportedAsSignal) {
  child cat = child::program("/bin/cat");
  cat.kill(SIGKILL);
  EXPECT_EQ(cat.wait(), (ending{-1, SIGKILL}));
  cat.kill(SIGKILL);
}

TEST(SupportChild, RunGivesOutputErrorAndStatus) {
  run_result result =
      run("/bin/sh", {.arguments = {"-c", "read x; echo out $x; echo err >&2; exit 3"}}, "in");
  EXPECT_EQ(result.output, "out in\n");
  EXPECT_EQ(result.error, "err\n");
  EXPECT_EQ(result.end.status, 3);
}

TEST(SupportSurroundings, DirectoryIsOwnAndEmptyAndNamedByTheEnvironment) {
  EXPECT_EQ(std::getenv("XDG_RUNTIME_DIR"), runtime_directory());
  EXPECT_TRUE(std::filesystem::is_empty(runtime_directory()));
  EXPECT_LT(runtime_directory().size(), 60u);
}

TEST(SupportHonesty, OrphanThatKnowsTheTestsDirectoryIsEnded) {
  std::string pid = must_fail("LeavesOrphan").output;
  const std::string mark = "orphan ";
  ASSERT_NE(pid.find(mark), std::string::npos) << pid;
  pid = pid.substr(pid.find(mark) + mark.size());
  pid = pid.substr(0, pid.find('\n'));
  // Killed is not dead at once; dead, it may not yet be taken away by whoever inherited it.
  wait_until("the orphan is dead", [&] {
    std::ifstream status("/proc/" + pid + "/stat");
    std::string number, name, state = "gone";
    status >> number >> name >> state;
    return state == "gone" || state == "Z" || state == "X";
  });
}

TEST(SupportMailbox, GivesInOrderWhatOtherThreadsPut) {
  mailbox<int> box;
  event done;
  std::thread putter([&] {
    for (int i = 0; i < 100; ++i) box.put(i);
    done.set();
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(box.take(), i);
  done.wait();
  EXPECT_EQ(box.try_take(), std::nullopt);
  putter.join();
}
