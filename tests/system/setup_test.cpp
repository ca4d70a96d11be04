// The keys that act between the fork and the program, seen by the program itself.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

class Setup : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain"};

  static std::string contents(const std::string& path) {
    std::stringstream all;
    all << std::ifstream(path).rdbuf();
    return all.str();
  }
  /// What a shell text prints that is run as a job with these keys.
  std::string printed(const std::string& text, const std::string& more) {
    const std::string out = root + "/out";
    std::filesystem::remove(out);
    answer loaded = xpcd.bootstrap(plist("job", {"/bin/sh", "-c", text}, {},
                                         "<key>RunAtLoad</key><true/><key>StandardOutPath</key>"
                                         "<string>" +
                                             out + "</string>" + more));
    EXPECT_TRUE(loaded) << loaded.message;
    if (!loaded) return {};
    object_ref job;
    xpc_testing::wait_until("the job to end", [&] {
      job = xpcd.print("job");
      return has(job, "last-exit") || has(job, "reason");
    });
    reason = text_at(job, "reason");
    EXPECT_TRUE(xpcd.verb("bootout", "job"));
    return contents(out);
  }
  std::string reason;  // of the last job that could not be started
};

TEST_F(Setup, UmaskIsTheJobsOwn) {
  EXPECT_EQ(printed("umask", ""), "0022\n");
  EXPECT_EQ(printed("umask", "<key>Umask</key><integer>63</integer>"), "0077\n");
  EXPECT_EQ(printed("umask", "<key>Umask</key><string>027</string>"), "0027\n");
}

TEST_F(Setup, NiceIsTheJobsOwn) {
  const int mine = ::getpriority(PRIO_PROCESS, 0);
  EXPECT_EQ(printed("nice", ""), std::to_string(mine) + "\n");
  EXPECT_EQ(printed("nice", "<key>Nice</key><integer>15</integer>"), "15\n");
}

TEST_F(Setup, AKeyThatTheSystemRefusesIsNamedInTheReason) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may do everything";
  EXPECT_EQ(printed("nice", "<key>Nice</key><integer>-20</integer>"), "");
  EXPECT_EQ(reason, "job: cannot be started: Nice: Permission denied");
  printed("true",
          "<key>HardResourceLimits</key><dict><key>NumberOfFiles</key>"
          "<integer>9000000000</integer></dict>");
  EXPECT_EQ(reason,
            "job: cannot be started: resource limit NumberOfFiles: Operation not permitted");
}

TEST_F(Setup, ResourceLimitsHoldOnBothSides) {
  EXPECT_EQ(printed("ulimit -Sn; ulimit -Hn; ulimit -c",
                    "<key>SoftResourceLimits</key><dict><key>NumberOfFiles</key><integer>31"
                    "</integer><key>Core</key><integer>0</integer></dict>"
                    "<key>HardResourceLimits</key><dict><key>NumberOfFiles</key><integer>47"
                    "</integer></dict>"),
            "31\n47\n0\n");
  // A lower hard limit takes the soft one with it.
  EXPECT_EQ(printed("ulimit -Sn; ulimit -Hn",
                    "<key>HardResourceLimits</key><dict><key>NumberOfFiles</key><integer>40"
                    "</integer></dict>"),
            "40\n40\n");
}

TEST_F(Setup, R244_BackgroundJobsGiveWay) {
  // Fields 19 and 41 of stat: nice value and scheduling policy; 3 is SCHED_BATCH.
  const std::string show = "awk '{print $19, $41}' /proc/$$/stat; ionice -p $$";
  const int mine = ::getpriority(PRIO_PROCESS, 0);
  EXPECT_EQ(printed(show, "<key>ProcessType</key><string>Background</string>"),
            "10 3\nbest-effort: prio 7\n");
  EXPECT_EQ(printed(show,
                    "<key>ProcessType</key><string>Background</string>"
                    "<key>Nice</key><integer>12</integer>"
                    "<key>LowPriorityBackgroundIO</key><true/>"),
            "12 3\nidle\n");
  const std::string standard = printed(show,
                                       "<key>ProcessType</key><string>Interactive</string>"
                                       "<key>LowPriorityBackgroundIO</key><true/>");
  EXPECT_EQ(standard.substr(0, standard.find('\n')), std::to_string(mine) + " 0");
  EXPECT_EQ(standard.find("idle"), std::string::npos) << standard;
  EXPECT_NE(printed(show, "<key>LowPriorityIO</key><true/>").find("idle"), std::string::npos);
}

TEST_F(Setup, StandardInPathIsReadFrom) {
  std::ofstream(root + "/in") << "tea\n";
  EXPECT_EQ(printed("cat", ""), "") << "nothing unless it is given";
  EXPECT_EQ(printed("cat", "<key>StandardInPath</key><string>" + root + "/in</string>"), "tea\n");
  printed("cat", "<key>StandardInPath</key><string>/no/such/file</string>");
  EXPECT_EQ(reason,
            "job: cannot be started: StandardInPath /no/such/file: No such file or directory");
}

TEST_F(Setup, T59_NoNewPrivilegesUnlessDeclared) {
  const std::string show = "grep NoNewPrivs /proc/self/status";
  EXPECT_EQ(printed(show, ""), "NoNewPrivs:\t1\n");
  const std::string inherited = contents("/proc/self/status");
  if (inherited.find("NoNewPrivs:\t0") == std::string::npos) GTEST_SKIP() << "the test has none";
  EXPECT_EQ(printed(show, "<key>NoNewPrivileges</key><false/>"), "NoNewPrivs:\t0\n");
}

TEST_F(Setup, T59_TheJobGetsNothingOfXpcdsOwn) {
  const std::string text =
      "echo $(ls /proc/self/fd | tr '\\n' ' '); env | sed 's/=.*//' | sort | tr '\\n' ' '";
  const std::string got =
      printed(text, "<key>EnvironmentVariables</key><dict><key>TEA</key><string>1</string></dict>");
  // 3 is the domain's directory, 4 the service link, 5 what ls itself opened.
  EXPECT_EQ(got.substr(0, got.find('\n')), "0 1 2 3 4 5");
  for (const char* unwanted : {"OPENXPC_TEST_DIRECTORY", "LISTEN_FDS", "NOTIFY_SOCKET"}) {
    EXPECT_EQ(got.find(unwanted), std::string::npos) << got;
  }
  for (const char* wanted : {"HOME ", "PATH ", "TEA ", "OPENXPC_LINK_FD ", "XDG_RUNTIME_DIR "}) {
    EXPECT_NE(got.find(wanted), std::string::npos) << wanted << "not in " << got;
  }
}

TEST_F(Setup, T59_ASetUidProgramIsRefusedUnlessItMayGainPrivileges) {
  const std::string tool = root + "/tool";
  std::filesystem::copy_file("/bin/true", tool);
  ASSERT_EQ(::chmod(tool.c_str(), 04755), 0);
  answer refused = xpcd.bootstrap(plist("tool", {tool}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.message, "tool: NoNewPrivileges: " + tool +
                                 " is set-uid, which counts for nothing unless this key is given "
                                 "as false");
  EXPECT_TRUE(xpcd.bootstrap(plist("tool", {tool}, {}, "<key>NoNewPrivileges</key><false/>")));
  // The same when it becomes so later.
  ASSERT_EQ(::chmod(tool.c_str(), 0755), 0);
  EXPECT_TRUE(xpcd.bootstrap(plist("late", {tool})));
  ASSERT_EQ(::chmod(tool.c_str(), 02755), 0);
  answer late = xpcd.verb("kickstart", "late");
  ASSERT_FALSE(late);
  EXPECT_NE(late.message.find("NoNewPrivileges: " + tool + " is set-gid"), std::string::npos)
      << late.message;
}

TEST_F(Setup, R245_LeftoversOfTheProcessGroupAreEndedUnlessAbandoned) {
  const std::string text = "sleep 1000 >/dev/null 2>&1 & echo $!";
  const pid_t ended = std::stoi(printed(text, ""));
  wait_until_gone(ended);
  const pid_t left = std::stoi(printed(text, "<key>AbandonProcessGroup</key><true/>"));
  EXPECT_TRUE(is_alive(left));
  ::kill(left, SIGKILL);
  wait_until_gone(left);
}

TEST_F(Setup, R248_AJobWaitsForItsDebugger) {
  const std::string name = "org.example.echo";
  ASSERT_TRUE(xpcd.bootstrap(
      plist("echo", role("echo", {name}), {name}, "<key>WaitForDebugger</key><true/>")));
  ASSERT_TRUE(xpcd.verb("kickstart", "echo"));
  const pid_t pid = static_cast<pid_t>(number_at(xpcd.print("echo"), "pid"));
  ASSERT_GT(pid, 0);
  const std::string stat = "/proc/" + std::to_string(pid) + "/stat";
  xpc_testing::wait_until("the process to stand still", [&] {
    const std::string text = contents(stat);
    return text.substr(text.rfind(')') + 2, 1) == "T";
  });
  // It is the program already, and none of it has run.
  EXPECT_EQ(std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe"),
            xpc_testing::this_program());
  EXPECT_TRUE(texts_at(xpcd.print("echo"), "stderr").empty());
  ::kill(pid, SIGCONT);
  session client = xpcd.open(name);
  answer reply = client.call("hello");
  ASSERT_TRUE(reply) << reply.message;
  EXPECT_EQ(number_at(reply.reply, "pid"), pid);
}

TEST_F(Setup, AJobThatStillWaitsForItsDebuggerEndsWhenAsked) {
  ASSERT_TRUE(xpcd.bootstrap(plist("still", role("foreign"), {},
                                   "<key>WaitForDebugger</key><true/><key>RunAtLoad</key><true/>"
                                   "<key>ExitTimeOut</key><integer>0</integer>")));
  EXPECT_GT(number_at(xpcd.print("still"), "pid"), 0);
  EXPECT_TRUE(xpcd.verb("bootout", "still"));
}

TEST_F(Setup, R239_ExitTimeOutInBothSpellings) {
  for (const char* key : {"ExitTimeOut", "ExitTimeout"}) {
    ASSERT_TRUE(xpcd.bootstrap(plist("stubborn", role("stubborn"), {},
                                     "<key>" + std::string(key) + "</key><integer>1</integer>")));
    EXPECT_EQ(number_at(xpcd.print("stubborn"), "exit-timeout-s"), 1);
    ASSERT_TRUE(xpcd.verb("kickstart", "stubborn"));
    EXPECT_TRUE(xpcd.verb("bootout", "stubborn"));
  }
}

TEST_F(Setup, R232_UserNameCountsInTheSystemDomainOnly) {
  answer loaded = xpcd.bootstrap(plist("user", {"/bin/true"}, {},
                                       "<key>UserName</key><string>no-such-user</string>"
                                       "<key>GroupName</key><string>no-such-group</string>"));
  ASSERT_TRUE(loaded) << loaded.message;
  EXPECT_EQ(texts_at(loaded.reply, "warnings"),
            (std::vector<std::string>{
                "test.plist: UserName: has no effect: it counts in the system domain only",
                "test.plist: GroupName: has no effect: it counts in the system domain only"}));
  EXPECT_TRUE(xpcd.verb("kickstart", "user"));
}

}  // namespace
}  // namespace system_test
