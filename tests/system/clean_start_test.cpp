// What a service begins with: what is declared, and nothing of whoever started xpcd.

#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "system/manager.hpp"

namespace system_test {
namespace {

constexpr int session_keyring = -3;

std::string contents(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

long keyring() { return ::syscall(SYS_keyctl, 0 /* its number */, session_keyring, 0); }

std::string limit(int resource) {
  rlimit both{};
  ::getrlimit(static_cast<__rlimit_resource>(resource), &both);
  return std::to_string(both.rlim_cur) + "/" + std::to_string(both.rlim_max);
}

/// "NAME value" lines, as the role prints them.
std::map<std::string, std::string> facts_in(const std::string& text) {
  std::map<std::string, std::string> facts;
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t blank = line.find(' ');
    facts[line.substr(0, blank)] = blank == std::string::npos ? "" : line.substr(blank + 1);
  }
  return facts;
}

std::string status_line(const std::string& status, const std::string& name) {
  const std::size_t at = status.find("\n" + name + ":\t");
  if (at == std::string::npos) return "?";
  const std::size_t from = at + name.size() + 3;
  return status.substr(from, status.find('\n', from) - from);
}

class CleanStart : public ::testing::Test {
 protected:
  /// Starts a job, waits until it has printed what `last` begins, gives back what it printed.
  std::map<std::string, std::string> facts_of(const manager& xpcd, const std::string& plist) {
    answer loaded = xpcd.bootstrap(plist);
    EXPECT_TRUE(loaded) << loaded.message;
    answer started = xpcd.verb("kickstart", "facts");
    EXPECT_TRUE(started) << started.message;
    std::map<std::string, std::string> facts;
    xpc_testing::wait_until("the job to print", [&] {
      facts = facts_in(contents(out));
      return facts.count("end") != 0;
    });
    return facts;
  }
  std::string out_key() const { return "<key>StandardOutPath</key><string>" + out + "</string>"; }
  const std::string root = xpc_testing::runtime_directory();
  const std::string out = root + "/out";
};

TEST_F(CleanStart, T59_AServiceHasWhatIsDeclaredAndNothingElse) {
  ::setenv("LD_LIBRARY_PATH", "/nowhere", 1);
  ::setenv("SECRET", "of whoever started xpcd", 1);
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGHUP, &ignore, &before);
  sigset_t blocked, old;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &old);
  manager xpcd(root + "/domain");
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  ::sigaction(SIGHUP, &before, nullptr);
  ::unsetenv("LD_LIBRARY_PATH");
  ::unsetenv("SECRET");

  auto facts = facts_of(
      xpcd, plist("facts", role("facts"), {"org.example.one", "org.example.two"},
                  out_key() + "<key>EnvironmentVariables</key><dict><key>TEA</key><string>green"
                              "</string></dict>"));
  const object_ref job = xpcd.print("facts");
  const std::string pid = std::to_string(number_at(job, "pid"));
  EXPECT_EQ(facts["pid"], pid);
  EXPECT_EQ(facts["group"], pid) << "a process group of its own";
  EXPECT_EQ(facts["descriptors"], "/dev/null " + out + " " + root +
                                      "/domain/.run/facts.err socket socket " + root +
                                      "/domain socket");
  std::string variables = facts["variables"];
  for (const char* declared :
       {"TEA", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "OPENXPC_DOMAIN", "OPENXPC_NAMES",
        "OPENXPC_DOMAIN_FD", "OPENXPC_LINK_FD", "PATH"}) {
    const std::string word = std::string(declared) + ",";
    const std::size_t at = variables.find(word);
    ASSERT_NE(at, std::string::npos) << declared << " not in " << variables;
    variables.erase(at, word.size());
  }
  std::stringstream rest(variables);
  for (std::string name; std::getline(rest, name, ',');) {
    const bool harmless =
        name.compare(0, 3, "LC_") == 0 || name.compare(0, 4, "XDG_") == 0 ||
        std::string("HOME,LANG,LANGUAGE,LOGNAME,SHELL,TMPDIR,TZ,USER,").find(name + ",") !=
            std::string::npos;
    EXPECT_TRUE(harmless) << name;
  }
  EXPECT_EQ(facts["blocked"], "0000000000000000");
  EXPECT_EQ(facts["ignored"], "0000000000000000");
  EXPECT_EQ(facts["new-privileges"], "1");
  EXPECT_EQ(facts["ambient"], "0000000000000000");
  EXPECT_EQ(facts["umask"], "0022");
  EXPECT_EQ(facts["directory"], "/");
  // xpcd raises its own limit; its jobs get what it was started with.
  EXPECT_EQ(facts["files"], limit(RLIMIT_NOFILE));
  EXPECT_EQ(facts["stack"], limit(RLIMIT_STACK));
  EXPECT_EQ(facts["keyring"], std::to_string(keyring())) << "the user's, in the user's own domain";
  EXPECT_TRUE(xpcd.verb("bootout", "facts"));
}

TEST_F(CleanStart, T59_AJobThatLeavesItsProcessGroupEndsWithItsCgroup) {
  manager xpcd(root + "/domain");
  ASSERT_TRUE(xpcd.bootstrap(plist(
      "job", {"/bin/sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!; exec sleep 1000"}, {},
      out_key())));
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  const object_ref job = xpcd.print("job");
  const std::string group = text_at(job, "cgroup");
  if (group.empty()) {
    EXPECT_TRUE(xpcd.verb("bootout", "job"));
    GTEST_SKIP() << "cgroup v2 is not ours here";
  }
  EXPECT_EQ(group.substr(group.rfind('/') + 1), "job@0");
  xpc_testing::wait_until("the job to print", [&] { return !contents(out).empty(); });
  const pid_t child = std::stoi(contents(out));
  const std::string pid = std::to_string(number_at(job, "pid"));
  const std::string members = contents(group + "/cgroup.procs");
  EXPECT_NE(members.find(pid + "\n"), std::string::npos) << members;
  EXPECT_NE(members.find(std::to_string(child) + "\n"), std::string::npos) << members;
  // A new service manager finds the group of the process that it takes over.
  xpcd.replace();
  EXPECT_EQ(text_at(xpcd.print("job"), "cgroup"), group);
  const std::string of_domain = group.substr(0, group.rfind('/'));
  struct stat before{}, after{};
  ASSERT_EQ(::stat(of_domain.c_str(), &before), 0);
  EXPECT_TRUE(xpcd.verb("bootout", "job"));
  wait_until_gone(child);
  xpcd.stop();
  // Another domain may have the number of the directory by now, and with it the name of the group.
  const bool is_there = ::stat(of_domain.c_str(), &after) == 0 && after.st_ino == before.st_ino;
  EXPECT_FALSE(is_there) << of_domain << "\n"
                         << contents(of_domain + "/cgroup.events") << xpcd.log();
}

TEST_F(CleanStart, T62_ALimitThatNobodyWouldEnforceRefusesTheLaunch) {
  manager xpcd(root + "/domain");
  answer loaded = xpcd.bootstrap(
      plist("job", {"/bin/sh", "-c", "exec sleep 1000"}, {},
            "<key>CgroupLimits</key><dict><key>TasksMax</key><integer>5</integer></dict>"));
  ASSERT_TRUE(loaded) << loaded.message;
  answer started = xpcd.verb("kickstart", "job");
  if (started) {
    const std::string group = text_at(xpcd.print("job"), "cgroup");
    EXPECT_EQ(contents(group + "/pids.max"), "5\n");
  } else {
    EXPECT_NE(started.message.find("job: cannot be started: CgroupLimits/TasksMax: "),
              std::string::npos)
        << started.message;
    EXPECT_EQ(text_at(xpcd.print("job"), "state"), "failed");
  }
  EXPECT_TRUE(xpcd.verb("bootout", "job"));
}

TEST_F(CleanStart, T62_ALimitThatDoesNotExistIsAMistakeInTheDescription) {
  manager xpcd(root + "/domain");
  answer loaded = xpcd.bootstrap(
      plist("job", {"/bin/true"}, {},
            "<key>CgroupLimits</key><dict><key>MemoryMin</key><integer>5</integer></dict>"));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(
      loaded.message,
      "test.plist:5: CgroupLimits/MemoryMin: there is no such limit; expected one of CPUQuota, "
      "CPUWeight, IOWeight, MemoryHigh, MemoryMax, MemorySwapMax, TasksMax");
}

class CleanStartOfTheSystem : public CleanStart {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "root's alone";
    ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
    program = root + "/program";
    std::filesystem::copy_file(xpc_testing::this_program(), program);
    ASSERT_EQ(::chmod(program.c_str(), 0755), 0);
  }
  std::string program;
};

TEST_F(CleanStartOfTheSystem, T59_AJobHasASessionKeyringOfItsOwn) {
  if (keyring() < 0) GTEST_SKIP() << "the kernel keeps no keys";
  manager xpcd(root + "/domain", {"--system"});
  std::vector<std::string> arguments = role("facts");
  arguments[0] = program;
  auto facts = facts_of(xpcd, plist("facts", arguments, {}, out_key()));
  EXPECT_NE(facts["keyring"], std::to_string(keyring()));
  EXPECT_GT(std::stol(facts["keyring"]), 0);
  EXPECT_TRUE(xpcd.verb("bootout", "facts"));
}

TEST_F(CleanStartOfTheSystem, T58_SwappedAtAnyMomentOnlyWhatWasCheckedIsStarted) {
  constexpr uid_t nobody = 65534;
  const std::string tool = root + "/tool", good = root + "/good", bad = root + "/bad";
  // A program of somebody else's would leave its mark.
  auto copy = [](const std::string& from, const std::string& to, uid_t owner) {
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
    return ::chown(to.c_str(), owner, owner) == 0 && ::chmod(to.c_str(), 0755) == 0;
  };
  ASSERT_TRUE(copy("/bin/true", tool, 0));
  manager xpcd(root + "/domain", {"--system"});
  ASSERT_TRUE(xpcd.bootstrap(plist("tool", {tool, root + "/evidence"}, {},
                                   "<key>ThrottleInterval</key><integer>0</integer>")));
  std::atomic<bool> done{false};
  std::atomic<int> swaps{0};
  std::thread swapper([&] {
    while (!done) {
      if (!copy("/usr/bin/touch", bad, nobody) || !copy("/bin/true", good, 0)) return;
      ::rename(bad.c_str(), tool.c_str());
      ::rename(good.c_str(), tool.c_str());
      ++swaps;
    }
  });
  int refused = 0, started = 0;
  for (int round = 0; round < 200 && (round < 40 || refused == 0 || started == 0); ++round) {
    answer result = xpcd.verb("kickstart", "tool");
    if (result) {
      ++started;
      continue;
    }
    ++refused;
    const bool named = result.message.find("/tool: belongs to uid 65534") != std::string::npos;
    // Between the two renames it may also have been replaced while it was looked at.
    EXPECT_TRUE(named) << result.message;
  }
  done = true;
  swapper.join();
  EXPECT_GT(swaps.load(), 0);
  EXPECT_TRUE(xpcd.verb("bootout", "tool"));
  EXPECT_FALSE(std::filesystem::exists(root + "/evidence"));
}

}  // namespace
}  // namespace system_test

/// Prints what it was started with, then stays.
XPC_TEST_ROLE(facts) {
  using namespace system_test;
  // First, while nothing of this program's own is open.
  std::string all;
  for (const auto& one : xpc_testing::open_descriptors()) {
    // That of the directory that is read at this moment.
    if (one.target.find("/proc/") == 0) continue;
    const std::string kind = one.target.compare(0, 7, "socket:") == 0 ? "socket" : one.target;
    all += (all.empty() ? "" : " ") + kind;
  }
  std::string names;
  for (char** each = environ; *each != nullptr; ++each) {
    names += std::string(*each, std::string(*each).find('=')) + ",";
  }
  const std::string status = contents("/proc/self/status");
  const mode_t mask = ::umask(0);
  char octal[8];
  std::snprintf(octal, sizeof octal, "%04o", mask);
  auto tell = [](const std::string& name, const std::string& value) {
    std::printf("%s %s\n", name.c_str(), value.c_str());
  };
  tell("pid", std::to_string(::getpid()));
  tell("group", std::to_string(::getpgrp()));
  tell("descriptors", all);
  tell("variables", names);
  tell("blocked", status_line(status, "SigBlk"));
  tell("ignored", status_line(status, "SigIgn"));
  tell("new-privileges", status_line(status, "NoNewPrivs"));
  tell("ambient", status_line(status, "CapAmb"));
  tell("umask", octal);
  tell("directory", std::filesystem::current_path().string());
  tell("files", limit(RLIMIT_NOFILE));
  tell("stack", limit(RLIMIT_STACK));
  tell("keyring", std::to_string(keyring()));
  tell("end", "");
  std::fflush(stdout);
  for (;;) ::pause();
}
