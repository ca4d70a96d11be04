// Services in bundles beside a program: found by it alone, launched for it, gone with it.

#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "system/bundle_fixture.hpp"
#include "system/renewal.hpp"

namespace system_test {
namespace {

TEST_F(Bundle, R349_AServiceIsFoundByItsIdentifierAndItsProgramIsNamedLikeTheBundle) {
  make_bundle(services, {.identifier = name});
  make_bundle(services, {.identifier = "org.example.other",
                         .more = "<key>CFBundleExecutable</key><string>run</string>\n",
                         .directory = "Other",
                         .executable = "run"});
  application demo(program, directory);
  const pid_t helper = pid_at(demo);
  EXPECT_GT(helper, 0) << xpcd.log();
  EXPECT_TRUE(is_alive(helper));
  // The bundle's directory is called otherwise, and so is its program.
  const std::string other = demo.ask("b", "org.example.other", "pid");
  EXPECT_GT(std::atoi(other.c_str()), 0) << other << xpcd.log();
}

TEST_F(Bundle, TheFilesMayStandInTheBundleItself) {
  make_bundle(services, {.identifier = name, .flat = true});
  application demo(program, directory);
  EXPECT_GT(pid_at(demo), 0) << xpcd.log();
}

TEST_F(Bundle, ASessionFindsItToo) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  const pid_t helper = pid_at(demo);
  EXPECT_EQ(demo.say("session " + name + " pid"), std::to_string(helper)) << xpcd.log();
}

TEST_F(Bundle, R220_R221_WhatTheDictionarySaysIsWhatTheServiceGets) {
  make_bundle(services, {.identifier = name,
                         .service = "<key>EnvironmentVariables</key><dict><key>COLOUR</key>"
                                    "<string>blue</string></dict>\n"
                                    "<key>RunLoopType</key><string>NSRunLoop</string>\n"});
  application demo(program, directory, {"COLOUR=red", "SECRET=mine"});
  EXPECT_EQ(demo.ask("a", name, "$COLOUR"), "blue") << xpcd.log();
  EXPECT_EQ(demo.ask("a", name, "$SECRET"), "unset");
}

TEST_F(Bundle, R222_AllConnectionsOfAnApplicationReachTheSameProcess) {
  make_bundle(services, {.identifier = name});
  application first(program, directory), second(program, directory);
  const pid_t helper = pid_at(first);
  EXPECT_GT(helper, 0) << xpcd.log();
  EXPECT_EQ(pid_at(first, "b"), helper);
  // Another process of the same program is another application.
  EXPECT_NE(pid_at(second), helper);
}

TEST_F(Bundle, R222_OneOfTypeUserServesAllProcessesOfTheUserThatHaveIt) {
  make_bundle(services,
              {.identifier = name, .service = "<key>ServiceType</key><string>User</string>\n"});
  pid_t helper = 0;
  application second(program, directory);
  {
    application first(program, directory);
    helper = pid_at(first);
    EXPECT_GT(helper, 0) << xpcd.log();
    EXPECT_EQ(pid_at(second), helper);
    first.process().kill(SIGKILL);
    first.process().wait();
  }
  EXPECT_EQ(pid_at(second), helper);
  second.process().kill(SIGKILL);
  second.process().wait();
  wait_until_gone(helper);
}

TEST_F(Bundle, R223_TheServicesOfAPrefixAreForEachOfItsProgramsOneInstanceEach) {
  install_program(root + "/usr/bin/one");
  install_program(root + "/usr/bin/two");
  make_bundle(root + "/usr/lib/xpc/services", {.identifier = name});
  make_bundle(root + "/usr/lib/one/XPCServices", {.identifier = "org.example.ones"});
  application one(root + "/usr/bin/one", directory), two(root + "/usr/bin/two", directory);
  application demo(program, directory);
  const pid_t helper = pid_at(one);
  EXPECT_GT(helper, 0) << xpcd.log();
  EXPECT_GT(pid_at(two), 0) << xpcd.log();
  EXPECT_NE(pid_at(two), helper);
  EXPECT_GT(std::atoi(one.ask("b", "org.example.ones", "pid").c_str()), 0) << xpcd.log();
  // A program that has none of them beside it sees none.
  EXPECT_PRED_FORMAT2(has_text, two.ask("b", "org.example.ones", "pid"), "error: ");
  EXPECT_PRED_FORMAT2(has_text, demo.ask("a", name, "pid"), "error: there is no service " + name);
}

TEST_F(Bundle, R224_ItLeadsASessionOfItsOwnUnlessItJoinsTheExistingOne) {
  make_bundle(services, {.identifier = name});
  make_bundle(services, {.identifier = "org.example.joins",
                         .service = "<key>JoinExistingSession</key><true/>\n"});
  application demo(program, directory);
  EXPECT_EQ(demo.ask("a", name, "leads-session"), "yes") << xpcd.log();
  EXPECT_EQ(demo.ask("b", "org.example.joins", "leads-session"), "no") << xpcd.log();
}

TEST_F(Bundle, R225_ItEndsWithItsApplication) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  const pid_t helper = pid_at(demo);
  ASSERT_GT(helper, 0) << xpcd.log();
  demo.process().kill(SIGKILL);
  demo.process().wait();
  wait_until_gone(helper);
}

TEST_F(Bundle, R225_AProcessThatBecomesAnotherProgramIsAnotherApplication) {
  make_bundle(services, {.identifier = name});
  install_program(root + "/Other.app/Contents/MacOS/Other");
  make_bundle(root + "/Other.app/Contents/XPCServices", {.identifier = name});
  application demo(program, directory);
  const pid_t helper = pid_at(demo);
  ASSERT_GT(helper, 0) << xpcd.log();
  EXPECT_EQ(demo.say("become " + root + "/Other.app/Contents/MacOS/Other"), "becoming");
  demo.process().expect_line("ready");
  const pid_t other = pid_at(demo);
  EXPECT_GT(other, 0) << xpcd.log();
  EXPECT_NE(other, helper);
  wait_until_gone(helper);
}

TEST_F(Bundle, R226_WithMultipleInstancesEachConnectionOrEachNumberHasItsOwn) {
  make_bundle(services, {.identifier = name, .service = "<key>_MultipleInstances</key><true/>\n"});
  application demo(program, directory);
  const pid_t first = pid_at(demo, "a"), second = pid_at(demo, "b");
  EXPECT_GT(first, 0) << xpcd.log();
  EXPECT_GT(second, 0) << xpcd.log();
  EXPECT_NE(first, second);
  EXPECT_EQ(pid_at(demo, "a"), first);
  EXPECT_EQ(demo.say("instance x " + name + " 1"), "made");
  EXPECT_EQ(demo.say("instance y " + name + " 1"), "made");
  EXPECT_EQ(demo.say("instance z " + name + " 2"), "made");
  const pid_t chosen = pid_at(demo, "x");
  EXPECT_GT(chosen, 0) << xpcd.log();
  EXPECT_EQ(pid_at(demo, "y"), chosen);
  EXPECT_NE(pid_at(demo, "z"), chosen);
}

TEST_F(Bundle, R226_AServiceWithOneInstanceHasNoneToChoose) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  EXPECT_EQ(demo.say("instance x " + name + " 1"), "made");
  EXPECT_PRED_FORMAT2(has_text, demo.ask("x", name, "pid"),
                      "XPCService/_MultipleInstances: is not true");
}

TEST_F(Bundle, R227_ItIsEndedWhenNobodyNeedsItAndStartsAnew) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  const pid_t helper = pid_at(demo);
  ASSERT_GT(helper, 0) << xpcd.log();
  EXPECT_EQ(demo.say("drop a"), "dropped");
  wait_until_gone(helper);
  EXPECT_GT(pid_at(demo), 0) << xpcd.log();
}

TEST_F(Bundle, ACrashedServiceStartsAgainWithTheNextMessage) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  const pid_t helper = pid_at(demo);
  ASSERT_GT(helper, 0) << xpcd.log();
  ASSERT_EQ(::kill(helper, SIGTERM), 0);
  wait_until_gone(helper);
  // The old connection may learn of it by this very message.
  pid_t next = 0;
  xpc_testing::wait_until("a new process", [&] { return (next = pid_at(demo)) > 0; });
  EXPECT_NE(next, helper);
}

TEST_F(Bundle, R229_OnlyXpcConnectionCreateSearchesThemAndFindsThemFirst) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  EXPECT_PRED_FORMAT2(has_text, demo.ask("mach", name, "pid"), "error: there is no service");
  // The user has a job of that name as well.
  answer loaded = xpcd.bootstrap(plist("echo", role("helper", {name}), {name}));
  ASSERT_TRUE(loaded) << loaded.message;
  application another(program, directory);
  const std::string ours = another.ask("a", name, "$OPENXPC_APPLICATION");
  EXPECT_EQ(ours, std::to_string(another.pid())) << xpcd.log();
  EXPECT_EQ(another.ask("mach", name, "$OPENXPC_APPLICATION"), "unset");
}

TEST_F(Bundle, R231_PrivilegedLooksInTheSystemDomainAlone) {
  make_bundle(services, {.identifier = name});
  ASSERT_TRUE(xpcd.bootstrap(plist("echo", role("helper", {name}), {name})));
  application demo(program, directory);
  EXPECT_GT(std::atoi(demo.ask("mach", name, "pid").c_str()), 0) << xpcd.log();
  EXPECT_PRED_FORMAT2(has_text, demo.ask("mach-privileged", name, "pid"), "error: ");
}

TEST_F(Bundle, AfterXpcdWasKilledItsServicesGoOnAndEndWithTheirApplication) {
  make_bundle(services, {.identifier = name});
  application first(program, directory), second(program, directory);
  const pid_t helper = pid_at(first), seconds = pid_at(second);
  ASSERT_GT(helper, 0) << xpcd.log();
  ASSERT_GT(seconds, 0) << xpcd.log();
  xpcd.kill();
  second.process().kill(SIGKILL);
  second.process().wait();
  xpcd.start();
  // The one without an application is ended, the other one's conversation goes on.
  wait_until_gone(seconds);
  EXPECT_EQ(pid_at(first), helper) << xpcd.log();
  // A new connection gets a process that the new xpcd has started.
  const pid_t next = pid_at(first, "b");
  EXPECT_GT(next, 0) << xpcd.log();
  wait_until_gone(helper);
  first.process().kill(SIGKILL);
  first.process().wait();
  wait_until_gone(next);
}

TEST_F(Bundle, AnUpgradeOfXpcdLeavesApplicationsTheirServices) {
  make_bundle(services, {.identifier = name});
  application first(program, directory), second(program, directory);
  const pid_t helper = pid_at(first), seconds = pid_at(second);
  ASSERT_GT(helper, 0) << xpcd.log();
  ASSERT_GT(seconds, 0) << xpcd.log();
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  // Old conversations go on, and new ones come to the same process.
  EXPECT_EQ(pid_at(first), helper) << xpcd.log();
  EXPECT_EQ(pid_at(first, "b"), helper) << xpcd.log();
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  EXPECT_EQ(pid_at(second, "b"), seconds) << xpcd.log();
  second.process().kill(SIGKILL);
  second.process().wait();
  wait_until_gone(seconds);
  EXPECT_TRUE(is_alive(helper));
  first.process().kill(SIGKILL);
  first.process().wait();
  wait_until_gone(helper);
}

}  // namespace
}  // namespace system_test
