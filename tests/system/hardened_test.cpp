// T34: jobs that nobody of their own user can read, trace or change. Root's alone.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <grp.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "system/manager.hpp"

using openxpc::base::fd;

namespace {

constexpr uid_t nobody = 65534;
constexpr gid_t hardened_group = 3999999990;

std::string contents(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

std::string of_process(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

bool become_nobody() {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(nobody, nobody, nobody) == 0 &&
         ::setresuid(nobody, nobody, nobody) == 0;
}

bool opens(const std::string& path, int flags) {
  return static_cast<bool>(fd(::open(path.c_str(), flags | O_CLOEXEC)));
}

bool traces(pid_t pid) {
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) < 0) return false;
  ::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
  ::waitpid(pid, nullptr, __WALL);
  ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  return true;
}

/// Writes what is there already over the beginning of the first mapping that can be written.
bool writes_memory(pid_t pid) {
  std::istringstream maps(contents(of_process(pid, "maps")));
  std::uintptr_t address = 4096;  // whoever may not look is refused before that counts
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw-p ") == std::string::npos) continue;
    address = std::stoull(line, nullptr, 16);
    break;
  }
  char byte = 0;
  iovec here{&byte, 1}, there{reinterpret_cast<void*>(address), 1};
  return ::process_vm_readv(pid, &here, 1, &there, 1, 0) == 1 &&
         ::process_vm_writev(pid, &here, 1, &there, 1, 0) == 1;
}

bool takes_descriptor(pid_t pid) {
  const fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return static_cast<bool>(fd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), 0, 0))));
}

}  // namespace

/// attacks PID: what another process of user nobody can do to that one, a word each.
XPC_TEST_ROLE(attacks) {
  const pid_t pid = std::atoi(call.arguments.at(0).c_str());
  if (!become_nobody()) return 1;
  std::string all = "it";
  if (opens(of_process(pid, "mem"), O_RDWR)) all += " opens its memory,";
  if (opens(of_process(pid, "maps"), O_RDONLY)) all += " reads its maps,";
  if (opens(of_process(pid, "environ"), O_RDONLY)) all += " reads its variables,";
  if (writes_memory(pid)) all += " writes its memory,";
  if (takes_descriptor(pid)) all += " takes its descriptors,";
  if (traces(pid)) all += " traces it,";
  xpc_testing::say(all + " no more");
  return 0;
}

/// attacks_children PID: tries the same, as often as it can, with each child of that process, and
/// says which it met and which it got into.
XPC_TEST_ROLE(attacks_children) {
  const std::string children =
      "/proc/" + call.arguments.at(0) + "/task/" + call.arguments.at(0) + "/children";
  if (!become_nobody()) return 1;
  std::set<pid_t> met, hit;
  xpc_testing::say("ready");
  for (;;) {
    std::ifstream list(children);
    if (!list) return 2;
    for (pid_t pid = 0; list >> pid;) {
      const bool in = opens(of_process(pid, "mem"), O_RDWR) || traces(pid);
      if (in && hit.insert(pid).second) xpc_testing::say("hit " + std::to_string(pid));
      if (!in && met.insert(pid).second) xpc_testing::say("met " + std::to_string(pid));
    }
  }
}

namespace system_test {
namespace {

TEST(HardenedJobOfAUser, T34_IsRefusedWithLineAndKey) {
  const std::string root = xpc_testing::runtime_directory();
  const manager xpcd(root + "/domain");
  answer refused = xpcd.bootstrap(plist("job", {"/bin/true"}, {},
                                        "<key>UserName</key><string>nobody</string>\n"
                                        "<key>Hardened</key><true/>"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.message,
            "test.plist:6: Hardened: only xpcd of the system domain can start a program that its "
            "own user cannot change; load it there");
}

class HardenedJob : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "root's alone";
    ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
    ASSERT_TRUE(install("/bin/sleep", "sleep", 0711));
    xpcd.emplace(root + "/domain",
                 std::vector<std::string>{"--system", "--hardened-group", "3999999990"});
  }
  bool install(const std::string& from, const std::string& name, mode_t mode) {
    const std::string to = root + "/" + name;
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
    return ::chmod(to.c_str(), mode) == 0;
  }
  std::string job(const std::string& label, const std::vector<std::string>& arguments,
                  const std::string& more = "<key>Hardened</key><true/>") {
    return plist(label, arguments, {},
                 "<key>UserName</key><string>65534</string>"
                 "<key>ThrottleInterval</key><integer>0</integer>" +
                     more);
  }
  pid_t start(const std::string& label, const std::string& plist) {
    answer loaded = xpcd->bootstrap(plist);
    EXPECT_TRUE(loaded) << loaded.message;
    answer started = xpcd->verb("kickstart", label);
    EXPECT_TRUE(started) << started.message;
    const auto pid = static_cast<pid_t>(number_at(xpcd->print(label), "pid"));
    // Half way through its exec a process is root's file in /proc, whatever program it becomes.
    const std::string last_argument("\0001000\0", 6);
    xpc_testing::wait_until("the program to have its arguments", [&] {
      return contents(of_process(pid, "cmdline")).find(last_argument) != std::string::npos;
    });
    return pid;
  }
  static std::string attacks_on(pid_t pid) {
    xpc_testing::child attacker =
        xpc_testing::child::role("attacks", {.arguments = {std::to_string(pid)}});
    const std::string said = attacker.read_line().value_or("");
    EXPECT_EQ(attacker.wait().status, 0);
    return said;
  }
  const std::string root = xpc_testing::runtime_directory();
  std::optional<manager> xpcd;
};

TEST_F(HardenedJob, T34_NobodyOfItsUserGetsIntoItAndItsGroupSaysSo) {
  const pid_t hardened = start("hardened", job("hardened", {root + "/sleep", "1000"}));
  EXPECT_EQ(attacks_on(hardened), "it no more");
  const std::string status = contents(of_process(hardened, "status"));
  const std::string gid = std::to_string(hardened_group);
  EXPECT_NE(status.find("\nUid:\t65534\t65534\t65534\t65534\n"), std::string::npos) << status;
  EXPECT_NE(status.find("\nGid:\t" + gid + "\t" + gid + "\t" + gid + "\t" + gid + "\n"),
            std::string::npos)
      << status;
  EXPECT_NE(status.find("\nGroups:\t65534 \n"), std::string::npos) << status;
  EXPECT_NE(status.find("\nNoNewPrivs:\t1\n"), std::string::npos) << status;
  EXPECT_NE(status.find("\nCapEff:\t0000000000000000\n"), std::string::npos) << status;
  EXPECT_TRUE(::xpc_dictionary_get_bool(xpcd->print("hardened").get(), "hardened"));
  xpc_testing::run_result shown =
      xpc_testing::run(xpc_testing::xpcctl_program,
                       {.arguments = {"--domain", xpcd->directory(), "print", "hardened"}});
  EXPECT_NE(shown.output.find("  hardened             yes\n"), std::string::npos) << shown.output;
  // The attacks are good ones: without the key they all succeed.
  ASSERT_TRUE(install("/bin/sleep", "plain", 0755));
  const pid_t plain = start("plain", job("plain", {root + "/plain", "1000"}, ""));
  EXPECT_EQ(attacks_on(plain),
            "it opens its memory, reads its maps, reads its variables, writes its memory, takes "
            "its descriptors, traces it, no more");
}

TEST_F(HardenedJob, T34_NobodyGetsInFromTheFirstInstructionOn) {
  ASSERT_TRUE(xpcd->bootstrap(job("hardened", {root + "/sleep", "1000"})));
  xpc_testing::child attacker =
      xpc_testing::child::role("attacks_children", {.arguments = {std::to_string(xpcd->pid())}});
  attacker.expect_line("ready");
  object_ref request = dictionary();
  set(request, "op", "kickstart");
  set(request, "label", "hardened");
  ::xpc_dictionary_set_bool(request.get(), "kill", true);
  for (int round = 0; round < 50; ++round) {
    answer started = xpcd->ask(request);
    ASSERT_TRUE(started) << started.message;
    // It goes for each process from the moment that it is there.
    attacker.expect_line("met " + std::to_string(number_at(xpcd->print("hardened"), "pid")));
  }
  ASSERT_TRUE(xpcd->verb("bootout", "hardened"));
  ASSERT_TRUE(install("/bin/sleep", "plain", 0755));
  const pid_t plain = start("plain", job("plain", {root + "/plain", "1000"}, ""));
  std::string last;
  // It may meet one that is not the job's user yet.
  while (last != "hit " + std::to_string(plain)) last = attacker.read_line().value();
}

TEST_F(HardenedJob, T34_AServiceChecksInAndIsFoundAgainByAnotherXpcd) {
  const std::string name = "org.example.hardened";
  ASSERT_TRUE(install(xpc_testing::this_program(), "service", 0711));
  ASSERT_EQ(::chown((root + "/service").c_str(), 0, hardened_group), 0);
  ASSERT_EQ(::chmod((root + "/service").c_str(), 02711), 0);
  std::vector<std::string> arguments = role("echo", {name});
  arguments[0] = root + "/service";
  ASSERT_TRUE(xpcd->bootstrap(
      for_anybody(plist("service", arguments, {name},
                        "<key>UserName</key><string>65534</string><key>Hardened</key><true/>"))));
  answer reply = xpcd->open(name).call("hello");
  ASSERT_TRUE(reply) << reply.message << xpcd->log();
  const auto checked_in = [&] {
    return ::xpc_dictionary_get_bool(xpcd->print("service").get(), "checked-in");
  };
  xpc_testing::wait_until("it to check in", checked_in);
  const std::int64_t pid = number_at(xpcd->print("service"), "pid");
  EXPECT_EQ(attacks_on(static_cast<pid_t>(pid)), "it no more");
  xpcd->replace();
  xpc_testing::wait_until("it to check in again", checked_in);
  EXPECT_EQ(number_at(xpcd->print("service"), "pid"), pid);
  ASSERT_TRUE(xpcd->open(name).call("hello"));
}

TEST_F(HardenedJob, T34_WhatWouldNotBeHardenedIsRefusedByName) {
  auto refusal = [&](const std::string& text) {
    answer loaded = xpcd->bootstrap(text);
    return loaded ? "loaded" : loaded.message;
  };
  ASSERT_TRUE(install("/bin/sleep", "open", 0755));
  EXPECT_EQ(
      refusal(job("job", {root + "/open"})),
      "job: Hardened: " + root + "/open: others than root may read it; its mode must be 0711");
  std::ofstream(root + "/script") << "#!/bin/sh\n";
  ASSERT_EQ(::chmod((root + "/script").c_str(), 0711), 0);
  EXPECT_EQ(
      refusal(job("job", {root + "/script"})),
      "job: Hardened: " + root + "/script: is a script, whose interpreter everybody may read");
  EXPECT_EQ(refusal(plist("job", {root + "/sleep"}, {},
                          "<key>UserName</key><string>0</string><key>Hardened</key><true/>")),
            "job: Hardened: UserName must not be root, who may read and change every process");
  EXPECT_EQ(
      refusal(job("job", {root + "/open"}, "<key>GroupName</key><string>3999999990</string>")),
      "job: GroupName: the group 3999999990 is for jobs with Hardened alone");
  // Made readable after it was loaded: what is started is judged again.
  ASSERT_EQ(refusal(job("job", {root + "/sleep", "1000"})), "loaded");
  ASSERT_EQ(::chmod((root + "/sleep").c_str(), 0755), 0);
  answer started = xpcd->verb("kickstart", "job");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.message, "job: cannot be started: Hardened: " + root +
                                 "/sleep: others than root may read it; its mode must be 0711");
  xpc_testing::run_result said = xpc_testing::run(
      xpc_testing::xpcctl_program, {.arguments = {"lint", "--system", "-"}, .keep_stderr = true},
      plist("job", {"/bin/true"}, {}, "<key>Hardened</key><true/>"));
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_NE(said.error.find(":5: Hardened: needs UserName"), std::string::npos) << said.error;
}

TEST_F(HardenedJob, T34_WithoutTheGroupTheLaunchIsRefused) {
  const manager other(root + "/other", {"--system", "--hardened-group", "no-such-group"});
  ASSERT_TRUE(other.bootstrap(job("job", {root + "/sleep", "1000"})));
  answer started = other.verb("kickstart", "job");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.message,
            "job: cannot be started: Hardened: there is no group no-such-group, see xpcd(8)");
}

}  // namespace
}  // namespace system_test
