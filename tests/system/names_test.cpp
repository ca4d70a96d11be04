// What a description says about single names, with services that have them.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>

#include "system/manager.hpp"

namespace system_test {
namespace {

class Names : public ::testing::Test {
 protected:
  const std::string directory = xpc_testing::runtime_directory() + "/domain";
  const std::string name = "org.example.echo";
  manager xpcd{directory};

  void load(const std::string& options, const std::vector<std::string>& arguments,
            const std::string& more = {}) {
    answer loaded = xpcd.bootstrap(with_options(plist("job", arguments, {name}, more), options));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  bool is_there() const { return std::filesystem::exists(directory + "/" + name); }
  ino_t inode() const {
    struct stat file{};
    return ::stat((directory + "/" + name).c_str(), &file) == 0 ? file.st_ino : 0;
  }
  /// A call, and another that has the service end with status 0.
  void use_and_end() {
    session client = xpcd.open(name);
    answer reply = client.call("hello");
    ASSERT_TRUE(reply) << reply.message << xpcd.log();
    EXPECT_FALSE(client.call("exit"));
    xpcd.wait_for_state("job", "waiting");
  }
  std::int64_t kickstart() {
    EXPECT_TRUE(xpcd.verb("kickstart", "job"));
    return number_at(xpcd.print("job"), "pid");
  }
};

const std::string reset = "<key>ResetAtClose</key><true/>";
const std::string hide = "<key>HideUntilCheckIn</key><true/>";

TEST_F(Names, R241_ResetAtCloseGivesTheNameANewSocketAtEveryExit) {
  load(reset, role("echo", {name}));
  for (int round = 0; round < 3; ++round) {
    const ino_t before = inode();
    use_and_end();
    EXPECT_NE(inode(), 0u);
    EXPECT_NE(inode(), before) << "round " << round;
  }
  EXPECT_EQ(number_at(xpcd.print("job"), "starts"), 3);
}

TEST_F(Names, R243_WithoutItTheSocketOutlivesTheService) {
  load("", role("echo", {name}));
  const ino_t before = inode();
  use_and_end();
  EXPECT_EQ(inode(), before);
  use_and_end();
}

TEST_F(Names, R242_HideUntilCheckInReservesTheNameAndNobodyFindsIt) {
  load(hide, role("foreign"));
  EXPECT_FALSE(is_there());
  EXPECT_EQ(xpcd.open_fails(name), OPENXPC_ERROR_NOT_FOUND);
  answer second = xpcd.bootstrap(plist("other", {"/bin/true"}, {name}));
  EXPECT_EQ(second.message, "other: the name " + name + " is taken by the job job");
  // It runs, and never says that it is ready.
  ASSERT_GT(kickstart(), 0);
  EXPECT_EQ(xpcd.open_fails(name), OPENXPC_ERROR_NOT_FOUND);
  const xpc_testing::run_result why = xpc_testing::run(
      xpc_testing::xpcctl_program, {.arguments = {"--domain", directory, "why-not", name}});
  EXPECT_NE(why.output.find("bad   it is hidden until its service checks in"), std::string::npos)
      << why.output;
  ASSERT_TRUE(xpcd.verb("bootout", "job"));
  EXPECT_EQ(xpcd.stop(), xpc_testing::ending{.status = 0});
  EXPECT_FALSE(std::filesystem::exists(directory)) << "no file was left";
}

TEST_F(Names, R242_ItIsRenamedIntoViewAtCheckInAndHiddenAgainAtTheEnd) {
  load(hide, role("echo", {name}));
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(is_there());
    kickstart();
    xpc_testing::wait_until("the name to be seen", [&] { return is_there(); });
    use_and_end();
    EXPECT_FALSE(is_there());
    EXPECT_EQ(xpcd.open_fails(name), OPENXPC_ERROR_NOT_FOUND);
  }
}

TEST_F(Names, ANewServiceManagerKeepsHiddenWhatIsHiddenAndShowsWhatIsShown) {
  load(hide, role("echo", {name}));
  xpcd.replace();
  EXPECT_EQ(xpcd.open_fails(name), OPENXPC_ERROR_NOT_FOUND);
  const std::int64_t pid = kickstart();
  xpc_testing::wait_until("the name to be seen", [&] { return is_there(); });
  xpcd.replace();
  answer reply = xpcd.open(name).call("hello");
  ASSERT_TRUE(reply) << reply.message << xpcd.log();
  EXPECT_EQ(number_at(reply.reply, "pid"), pid);
  // While nobody serves the domain the service ends, and the next one finds that out.
  xpcd.kill();
  ::kill(static_cast<pid_t>(pid), SIGKILL);
  wait_until_gone(static_cast<pid_t>(pid));
  EXPECT_TRUE(is_there());
  xpcd.start();
  xpc_testing::wait_until("the name to be hidden", [&] { return !is_there(); });
}

}  // namespace
}  // namespace system_test
