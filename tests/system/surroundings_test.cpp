// Jobs for some domains only, that run once, or when something is mounted.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

std::string key(const std::string& name, const std::string& value) {
  return "<key>" + name + "</key>" + value;
}

class Surroundings : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain"};

  std::string printed(const std::string& label) {
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = {"--domain", xpcd.directory(), "print", label}})
        .output;
  }
};

TEST_F(Surroundings, R234_AJobOfAnotherSessionIsNotLoadedAndItsKeyIsNamed) {
  const std::string session = key("LimitLoadToSessionType", "<string>System</string>");
  answer refused = xpcd.bootstrap(plist("daemon", {"/bin/true"}, {}, session));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.message,
            "test.plist:5: LimitLoadToSessionType: keeps the job out of the domain of a user, "
            "which has Aqua, Background and StandardIO");
  EXPECT_FALSE(xpcd.verb("print", "daemon"));
  ASSERT_TRUE(xpcd.bootstrap(
      plist("agent", {"/bin/true"}, {},
            key("LimitLoadToSessionType",
                "<array><string>LoginWindow</string><string>Background</string></array>"))));
  EXPECT_EQ(texts_at(xpcd.print("agent"), "session-types"),
            (std::vector<std::string>{"LoginWindow", "Background"}));
  if (::geteuid() != 0) return;
  const manager machine(root + "/machine", {"--system"});
  ASSERT_TRUE(machine.bootstrap(plist("daemon", {"/bin/true"}, {}, session)));
  refused = machine.bootstrap(
      plist("agent", {"/bin/true"}, {}, key("LimitLoadToSessionType", "<string>Aqua</string>")));
  EXPECT_EQ(refused.message,
            "test.plist:5: LimitLoadToSessionType: keeps the job out of the system domain, which "
            "has System");
}

TEST_F(Surroundings, AssociatedBundlesAreKeptAndPrinted) {
  ASSERT_TRUE(
      xpcd.bootstrap(plist("job", {"/bin/true"}, {},
                           key("AssociatedBundleIdentifiers",
                               "<array><string>org.a</string><string>org.b</string></array>"))));
  xpcd.replace();
  EXPECT_NE(printed("job").find("bundles              org.a org.b\n"), std::string::npos)
      << printed("job");
}

TEST_F(Surroundings, LaunchOnlyOnceForgetsTheJobAfterItsRun) {
  const std::string text =
      plist("once", {"/bin/sh", "-c", "echo run >>" + root + "/runs"}, {"org.example.once"},
            key("LaunchOnlyOnce", "<true/>") + key("KeepAlive", "<true/>"));
  answer loaded = xpcd.bootstrap(text);
  ASSERT_TRUE(loaded) << loaded.message;
  xpc_testing::wait_until("it to be forgotten", [&] { return !xpcd.verb("print", "once"); });
  EXPECT_EQ(xpcd.open_fails("org.example.once"), OPENXPC_ERROR_NOT_FOUND);
  std::string all;
  std::getline(std::ifstream(root + "/runs"), all, '\0');
  EXPECT_EQ(all, "run\n");
  EXPECT_TRUE(xpcd.bootstrap(text)) << "whoever loads it again means it";
}

TEST_F(Surroundings, LaunchOnlyOnceCountsARunThatAnXpcdBeforeThisOneBegan) {
  ASSERT_TRUE(xpcd.bootstrap(plist("once", role("foreign"), {}, key("LaunchOnlyOnce", "<true/>"))));
  ASSERT_TRUE(xpcd.verb("kickstart", "once"));
  const auto pid = static_cast<pid_t>(number_at(xpcd.print("once"), "pid"));
  xpcd.replace();
  EXPECT_EQ(number_at(xpcd.print("once"), "pid"), pid);
  xpcd.kill();
  ::kill(pid, SIGKILL);
  wait_until_gone(pid);
  xpcd.start();
  xpc_testing::wait_until("it to be forgotten", [&] { return !xpcd.verb("print", "once"); });
}

TEST_F(Surroundings, StartOnMountStartsTheJobAtEveryMountAndAtNoUnmount) {
  const std::string place = root + "/place";
  ASSERT_EQ(::mkdir(place.c_str(), 0700), 0);
  if (::mount("none", place.c_str(), "tmpfs", 0, nullptr) != 0) {
    GTEST_SKIP() << "NOT SHOWN: needs the right to mount";
  }
  auto starts = [&] { return number_at(xpcd.print("job"), "starts"); };
  ASSERT_TRUE(xpcd.bootstrap(
      plist("job", {"/bin/true"}, {},
            key("StartOnMount", "<true/>") + key("ThrottleInterval", "<integer>0</integer>"))));
  EXPECT_EQ(starts(), 0) << "what is there already is no mount";
  const std::string first = place + "/first", second = place + "/second";
  for (const std::string& each : {first, second}) ASSERT_EQ(::mkdir(each.c_str(), 0700), 0);
  ASSERT_EQ(::mount("none", first.c_str(), "tmpfs", 0, nullptr), 0);
  xpc_testing::wait_until("it to start", [&] { return starts() >= 1; });
  xpcd.wait_for_state("job", "waiting");
  const std::int64_t before = starts();
  // At another place: the kernel gives a new mount the number of one that is gone.
  EXPECT_EQ(::umount(first.c_str()), 0);
  ASSERT_EQ(::mount("none", second.c_str(), "tmpfs", 0, nullptr), 0);
  xpc_testing::wait_until("it to start again", [&] { return starts() > before; });
  EXPECT_NE(printed("job").find("start on mount       yes\n"), std::string::npos);
  EXPECT_EQ(::umount(second.c_str()), 0);
  EXPECT_EQ(::umount(place.c_str()), 0);
}

}  // namespace
}  // namespace system_test
