// What xpcd knows when it becomes another version of itself: jobs in every condition, verbs under
// way, sockets.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "system/renewal.hpp"
#include "system/versions.hpp"

namespace system_test {
namespace {

using xpc_testing::child;
using xpc_testing::run_result;

class RenewalState : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain", {"--check-in-time", "5"}};
  const std::string name = "org.example.echo";

  void load(const std::string& label, const std::vector<std::string>& arguments,
            const std::vector<std::string>& names = {}, const std::string& more = "") {
    answer loaded = xpcd.bootstrap(plist(label, arguments, names, more), "/where/it/was.plist");
    ASSERT_TRUE(loaded) << loaded.message;
  }
  /// A job whose first process ends when it is let, not when it is asked to.
  void load_stubborn() {
    ASSERT_EQ(::mkfifo((root + "/gate").c_str(), 0600), 0);
    load("job",
         {"/bin/sh", "-c",
          "cd " + root + "; [ -e stubborn ] && exec sleep 1000; trap '' TERM; : > stubborn; " +
              "read line < gate; exit 5"},
         {}, "<key>RunAtLoad</key><true/><key>ExitTimeOut</key><integer>1000</integer>");
    xpc_testing::wait_until("the job to be stubborn",
                            [&] { return std::filesystem::exists(root + "/stubborn"); });
  }
  void let_it_end() const { std::ofstream(root + "/gate") << "x\n"; }
  child begin(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--domain", xpcd.directory()});
    return child::program(xpc_testing::xpcctl_program,
                          {.arguments = std::move(arguments), .keep_stderr = true});
  }
};

TEST_F(RenewalState, JobsThatDoNotRunAreAsTheyWere) {
  load("waiting", role("echo", {name}), {name});
  load("throttled", {"/bin/sh", "-c", "exit 3"}, {},
       "<key>KeepAlive</key><true/><key>ThrottleInterval</key><integer>1000</integer>");
  load("failed", {"/nowhere/at/all"}, {"org.example.failed"}, "<key>RunAtLoad</key><true/>");
  xpcd.wait_for_state("throttled", "throttled");
  xpcd.wait_for_state("failed", "failed");
  object_ref before = xpcd.print("throttled");
  const std::string reason = text_at(xpcd.print("failed"), "reason");
  EXPECT_NE(reason, "");
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  object_ref after = xpcd.print("throttled");
  EXPECT_EQ(text_at(after, "state"), "throttled");
  EXPECT_EQ(number_at(after, "last-exit/status"), 3);
  for (const char* key : {"starts", "generation", "quick-failures", "last-exit/pid"}) {
    EXPECT_EQ(number_at(after, key), number_at(before, key)) << key;
  }
  EXPECT_EQ(text_at(xpcd.print("failed"), "state"), "failed");
  EXPECT_EQ(text_at(xpcd.print("failed"), "reason"), reason);
  EXPECT_EQ(text_at(xpcd.print("waiting"), "state"), "waiting");
  EXPECT_EQ(text_at(xpcd.print("waiting"), "origin"), "/where/it/was.plist");
  EXPECT_TRUE(xpcd.open(name).call("hello"));
}

TEST_F(RenewalState, AVerbThatWaitsIsAskedForAgainAndDoneOnce) {
  load_stubborn();
  const std::int64_t pid = number_at(xpcd.print("job"), "pid");
  child verb = begin({"kickstart", "--kill", "--pid", "job"});
  xpcd.wait_for_state("job", "stopping");
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  EXPECT_EQ(text_at(xpcd.print("job"), "state"), "stopping");
  EXPECT_TRUE(is_alive(static_cast<pid_t>(pid))) << "it was asked to end, and has not done so";
  let_it_end();
  const std::string said = verb.read_all();
  EXPECT_EQ(verb.wait().status, 0) << verb.error_text() << xpcd.log();
  object_ref job = xpcd.print("job");
  EXPECT_EQ(said, std::to_string(number_at(job, "pid")) + "\n");
  EXPECT_EQ(number_at(job, "starts"), 2) << xpcd.log();
  EXPECT_EQ(number_at(job, "last-exit/pid"), pid);
  EXPECT_EQ(number_at(job, "last-exit/status"), 5);
}

TEST_F(RenewalState, ABootoutThatWaitsComesToItsEnd) {
  load_stubborn();
  child verb = begin({"bootout", "job"});
  xpcd.wait_for_state("job", "stopping");
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  let_it_end();
  EXPECT_EQ(verb.wait().status, 0) << verb.error_text() << xpcd.log();
  EXPECT_EQ(xpcd.verb("print", "job").code, OPENXPC_ERROR_NOT_FOUND);
}

TEST_F(RenewalState, AnUpgradeOfAServiceGoesOnWithItsTime) {
  const std::string program = root + "/service", served = "org.example.versions";
  install_version(program, 1);
  load("job", {program, served}, {served});
  ASSERT_EQ(text_at(xpcd.open(served).call("hello").reply, "version"), "1");
  install_version(program, 2, "hang");
  child verb = begin({"upgrade", "job"});
  xpcd.wait_for_state("job", "upgrading");
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  EXPECT_EQ(verb.wait().status, 69) << xpcd.log();
  EXPECT_NE(verb.error_text().find("did not say that it is ready within 5 s"), std::string::npos)
      << verb.error_text();
  EXPECT_EQ(text_at(xpcd.open(served).call("hello").reply, "version"), "1");
  // The version to go back to is still known to the new one.
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  install_version(program, 3, "exit");
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  EXPECT_EQ(text_at(upgrade(xpcd, "job").reply, "result"), "rolled-back");
  EXPECT_EQ(text_at(xpcd.open(served).call("hello").reply, "version"), "1");
}

TEST_F(RenewalState, SettingsAndHiddenNamesStay) {
  const std::string file = xpcd.directory() + "/" + name;
  answer loaded = xpcd.bootstrap(with_options(plist("echo", role("echo", {name}), {name}),
                                              "<key>HideUntilCheckIn</key><true/>"));
  ASSERT_TRUE(loaded) << loaded.message;
  EXPECT_EQ(begin({"setenv", "TEA", "green"}).wait().status, 0);
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  EXPECT_FALSE(std::filesystem::exists(file));
  child told = begin({"getenv", "TEA"});
  EXPECT_EQ(told.read_line(), "green");
  EXPECT_EQ(told.wait().status, 0);
  ASSERT_TRUE(xpcd.verb("kickstart", "echo"));
  xpc_testing::wait_until("the name to be found", [&] { return std::filesystem::exists(file); });
  EXPECT_TRUE(xpcd.open(name).call("hello"));
}

TEST_F(RenewalState, AServiceWithoutALinkKeepsItsSocketsAndIsNotReplaced) {
  load("foreign", role("foreign"), {"org.example.foreign"}, "<key>RunAtLoad</key><true/>");
  const std::int64_t pid = number_at(xpcd.print("foreign"), "pid");
  struct stat before, after;
  const std::string file = xpcd.directory() + "/org.example.foreign";
  ASSERT_EQ(::stat(file.c_str(), &before), 0);
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  ASSERT_EQ(::stat(file.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(number_at(xpcd.print("foreign"), "pid"), pid);
  EXPECT_TRUE(xpcd.verb("bootout", "foreign"));
  EXPECT_FALSE(is_alive(static_cast<pid_t>(pid)));
}

TEST_F(RenewalState, AChangeOfAPathDuringItIsToldOf) {
  const std::string watched = root + "/watched", log = root + "/log";
  std::ofstream(watched) << "x";
  load("job", {"/bin/sh", "-c", "echo run >> " + log}, {},
       "<key>WatchPaths</key><array><string>" + watched +
           "</string></array><key>ThrottleInterval</key><integer>0</integer>");
  auto runs = [&] {
    std::ifstream in(log);
    int count = 0;
    for (std::string line; std::getline(in, line);) ++count;
    return count;
  };
  for (int round = 0; round < 8; ++round) {
    xpcd.wait_for_state("job", "waiting");
    const int before = runs();
    {
      const std::jthread other([&] { std::ofstream(watched, std::ios::app) << "y"; });
      ASSERT_NO_FATAL_FAILURE(renew(xpcd));
    }
    xpc_testing::wait_until("the job to run", [&] { return runs() > before; });
  }
}

TEST_F(RenewalState, AProgramSaysWhetherItCouldTakeOverWhatIsThere) {
  load("echo", role("echo", {name}), {name});
  auto check = [&] {
    return xpc_testing::run(
        xpc_testing::xpcd_program,
        {.arguments = {"--domain", xpcd.directory(), "--check-state"}, .keep_stderr = true});
  };
  run_result said = check();
  EXPECT_EQ(said.end.status, 0) << said.error;
  EXPECT_NE(said.output.find(" can take 1 jobs over\n"), std::string::npos) << said.output;
  std::ofstream(xpcd.directory() + "/.run/broken.job") << "garbage";
  said = check();
  EXPECT_EQ(said.end.status, 65);
  EXPECT_NE(said.error.find("xpcd: run state broken.job: "), std::string::npos) << said.error;
  std::filesystem::remove(xpcd.directory() + "/.run/broken.job");
}

}  // namespace
}  // namespace system_test
