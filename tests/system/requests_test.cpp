// Requests that are asked for twice: because an answer was lost, because xpcd was replaced in the
// middle.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <filesystem>
#include <fstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

using xpc_testing::child;
using xpc_testing::run_result;

class Requests : public ::testing::Test {
 protected:
  answer order(const std::string& op, const std::string& label, const std::string& id,
               const char* key = "label") const {
    object_ref request = dictionary();
    set(request, "op", op);
    set(request, key, label);
    if (!id.empty()) set(request, "request-id", id);
    return xpcd.ask(request);
  }
  static bool was_loaded(const answer& removed) {
    EXPECT_TRUE(removed) << removed.message;
    return removed && ::xpc_dictionary_get_bool(removed.reply.get(), "was-loaded");
  }
  run_result run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--domain", directory});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = std::move(arguments), .keep_stderr = true});
  }
  const std::string directory = xpc_testing::runtime_directory() + "/domain";
  manager xpcd{directory};
};

TEST_F(Requests, ABootoutThatIsRepeatedIsAnsweredAsTheFirst) {
  ASSERT_TRUE(xpcd.bootstrap(plist("job", {"/bin/true"})));
  answer first = order("bootout", "job", "r1");
  ASSERT_TRUE(first) << first.message;
  answer second = order("bootout", "job", "r1");
  ASSERT_TRUE(second) << second.message;
  EXPECT_EQ(text_at(second.reply, "label"), "job");
  EXPECT_TRUE(was_loaded(first) && was_loaded(second));
  EXPECT_FALSE(was_loaded(order("bootout", "job", "r2"))) << "another request finds no job";
  EXPECT_FALSE(was_loaded(order("bootout", "job", ""))) << "and so does one without an id";
  EXPECT_FALSE(was_loaded(order("bootout", "another", "r1"))) << "the same id for another job";
  xpcd.replace();
  EXPECT_TRUE(was_loaded(order("bootout", "job", "r1"))) << "a new service manager knows it";
  xpcd.stop();
  EXPECT_FALSE(std::filesystem::exists(directory + "/.run")) << "they end with the domain";
}

TEST_F(Requests, WhatIsDoneOnceIsNotDoneAgainByAnyVerb) {
  ASSERT_TRUE(xpcd.bootstrap(plist("job", {"/bin/sleep", "1000"})));
  object_ref restart = dictionary();
  set(restart, "op", "kickstart");
  set(restart, "label", "job");
  ::xpc_dictionary_set_bool(restart.get(), "kill", true);
  set(restart, "request-id", "r1");
  answer first = xpcd.ask(restart);
  ASSERT_TRUE(first) << first.message;
  answer second = xpcd.ask(restart);
  ASSERT_TRUE(second) << second.message;
  EXPECT_EQ(number_at(first.reply, "pid"), number_at(second.reply, "pid"));
  EXPECT_EQ(number_at(xpcd.print("job"), "starts"), 1);
  // A failure changed nothing: it is no answer for ever.
  EXPECT_FALSE(order("kickstart", "late", "r2"));
  ASSERT_TRUE(xpcd.bootstrap(plist("late", {"/bin/true"})));
  EXPECT_TRUE(order("kickstart", "late", "r2"));
}

TEST_F(Requests, TwoThatAskForTheSameAtOnceGetTheSameAnswer) {
  ASSERT_TRUE(xpcd.bootstrap(plist("stubborn", role("stubborn"), {},
                                   "<key>ExitTimeOut</key><integer>1</integer>"
                                   "<key>RunAtLoad</key><true/>")));
  std::vector<child> both;
  for (int count = 0; count < 2; ++count) {
    both.push_back(child::program(
        xpc_testing::xpcctl_program,
        {.arguments = {"--domain", directory, "--request-id", "same", "bootout", "stubborn"}}));
  }
  for (child& one : both) EXPECT_EQ(one.wait(), xpc_testing::ending{.status = 0});
  EXPECT_FALSE(xpcd.verb("print", "stubborn"));
}

TEST_F(Requests, XpcctlAsksAgainWhenXpcdIsReplacedInTheMiddle) {
  ASSERT_TRUE(xpcd.bootstrap(plist("stubborn", role("stubborn"), {},
                                   "<key>ExitTimeOut</key><integer>0</integer>"
                                   "<key>RunAtLoad</key><true/>")));
  const auto pid = static_cast<pid_t>(number_at(xpcd.print("stubborn"), "pid"));
  child bootout = child::program(
      xpc_testing::xpcctl_program,
      {.arguments = {"--domain", directory, "bootout", "stubborn"}, .keep_stderr = true});
  xpc_testing::wait_until("the request to be begun",
                          [&] { return text_at(xpcd.print("stubborn"), "state") == "stopping"; });
  xpcd.kill();
  // Its end is what was asked for: whoever takes over finds nothing left to end.
  ::kill(pid, SIGKILL);
  wait_until_gone(pid);
  xpcd.start();
  EXPECT_EQ(bootout.wait(), xpc_testing::ending{.status = 0}) << bootout.error_text();
  EXPECT_EQ(bootout.error_text(), "") << "it was loaded when that was asked for";
  EXPECT_FALSE(xpcd.verb("print", "stubborn"));
}

TEST_F(Requests, AreGivenOnTheCommandLineByWhoeverRepeatsThem) {
  ASSERT_TRUE(xpcd.bootstrap(plist("one", {"/bin/true"})));
  ASSERT_TRUE(xpcd.bootstrap(plist("two", {"/bin/true"})));
  for (const char* verb : {"bootout", "remove"}) {
    EXPECT_EQ(run({"--request-id", "r", verb, "one", "two"}).end.status, 0) << verb;
  }
  EXPECT_EQ(run({"bootout", "one"}).error, "xpcctl: nothing is loaded as one\n");
}

TEST_F(Requests, OnlyTheLastAreRemembered) {
  ASSERT_TRUE(xpcd.bootstrap(plist("job", {"/bin/true"})));
  ASSERT_TRUE(was_loaded(order("bootout", "job", "first")));
  for (int count = 0; count < 64; ++count) {
    object_ref request = dictionary();
    set(request, "op", "setenv");
    set(request, "name", "NUMBER");
    set(request, "value", std::to_string(count));
    set(request, "request-id", std::to_string(count));
    ASSERT_TRUE(xpcd.ask(request));
  }
  EXPECT_FALSE(was_loaded(order("bootout", "job", "first")));
  // The oldest of those that are remembered is not done again.
  object_ref request = dictionary();
  set(request, "op", "setenv");
  set(request, "name", "NUMBER");
  set(request, "value", "0");
  set(request, "request-id", "5");
  ASSERT_TRUE(xpcd.ask(request));
  EXPECT_EQ(run({"getenv", "NUMBER"}).output, "63\n");
}

}  // namespace
}  // namespace system_test
