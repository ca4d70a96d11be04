// Services in bundles beside a program: found by it alone, launched for it, gone with it.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "system/application.hpp"

namespace system_test {
namespace {

class Bundle : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  const std::string directory = root + "/domain";
  const std::string contents = root + "/Demo.app/Contents";
  const std::string program = contents + "/MacOS/Demo";
  const std::string services = contents + "/XPCServices";
  const std::string name = "org.example.helper";
  manager xpcd{directory};
  void SetUp() override { install_program(program); }

  pid_t pid_at(application& from, const std::string& id = "a") {
    return static_cast<pid_t>(std::atoi(from.ask(id, name, "pid").c_str()));
  }
};

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

TEST_F(Bundle, R222_AllConnectionsOfAnApplicationReachTheSameProcess) {
  make_bundle(services, {.identifier = name});
  application first(program, directory), second(program, directory);
  const pid_t helper = pid_at(first);
  EXPECT_GT(helper, 0) << xpcd.log();
  EXPECT_EQ(pid_at(first, "b"), helper);
  // Another process of the same program is another application.
  EXPECT_NE(pid_at(second), helper);
}

TEST_F(Bundle, R225_ItEndsWithItsApplication) {
  make_bundle(services, {.identifier = name});
  pid_t helper = 0;
  {
    application demo(program, directory);
    helper = pid_at(demo);
    ASSERT_GT(helper, 0) << xpcd.log();
    demo.process().kill(SIGKILL);
    demo.process().wait();
  }
  wait_until_gone(helper);
}

}  // namespace
}  // namespace system_test
