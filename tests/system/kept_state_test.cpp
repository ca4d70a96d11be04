// What is known of jobs, each kind of it, when xpcd becomes another one by exec, and when it is
// killed and started: both ways nothing is begun anew that was over, and nothing due is forgotten.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "system/renewal.hpp"

namespace system_test {
namespace {

using openxpc::base::fd;
using xpc_testing::child;
using xpc_testing::run_result;

enum class way : unsigned char { exec, kill };

class KeptState : public ::testing::TestWithParam<way> {
 protected:
  static std::string made(const std::string& directory) {
    std::filesystem::create_directories(directory);
    return directory;
  }
  void TearDown() override { ::umount2((root + "/mnt").c_str(), MNT_DETACH); }
  const std::string root = xpc_testing::runtime_directory();
  const std::string descriptions = made(root + "/jobs");
  manager xpcd{root + "/domain", {"--jobs", descriptions, "--state", root + "/state"}};

  /// Another xpcd goes on with what there is.
  void succeed() {
    if (GetParam() == way::exec) {
      ASSERT_NO_FATAL_FAILURE(renew(xpcd));
    } else {
      xpcd.replace();
    }
  }
  /// The same, and something happens while there is nobody to see it.
  void succeed_while(const std::function<void()>& happens) {
    if (GetParam() == way::kill) {
      xpcd.kill();
      happens();
      return xpcd.start();
    }
    child verb = begin_to_leave();
    happens();
    come_back();
    EXPECT_EQ(verb.wait().status, 0) << verb.error_text() << xpcd.log();
  }
  /// xpcd is about to become another one, which waits. @return the verb that it was asked by
  child begin_to_leave() const {
    const std::string program = root + "/pausing";
    std::filesystem::copy_file(xpc_testing::odd_manager_program, program);
    std::ofstream(program, std::ios::app) << std::string(64, '\n') << "@pause";
    EXPECT_EQ(::mkfifo((program + ".go").c_str(), 0600), 0);
    child verb = child::program(
        xpc_testing::xpcctl_program,
        {.arguments = {"--domain", xpcd.directory(), "upgrade", "--manager", "--program", program},
         .keep_stderr = true});
    xpc_testing::wait_until("xpcd to be away",
                            [&] { return std::filesystem::exists(program + ".waits"); });
    return verb;
  }
  void come_back() const { write("pausing.go"); }
  static std::string key(const std::string& name, const std::string& value) {
    return "<key>" + name + "</key>" + value;
  }
  void load(const std::string& script, const std::string& more) {
    answer loaded = xpcd.bootstrap(plist("job", {"/bin/sh", "-c", script}, {}, more));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  object_ref job() const { return xpcd.print("job"); }
  void write(const std::string& file, const std::string& text = "x") const {
    std::ofstream(root + "/" + file) << text;
  }
  run_result run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--domain", xpcd.directory()});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = std::move(arguments), .keep_stderr = true});
  }
};
INSTANTIATE_TEST_SUITE_P(, KeptState, ::testing::Values(way::exec, way::kill), [](const auto& one) {
  return std::string(one.param == way::exec ? "ByExec" : "AfterSIGKILL");
});

TEST_P(KeptState, AThrottledJobWaitsOn) {
  load("exit 3", key("KeepAlive", "<true/>") + key("ThrottleInterval", "<integer>1000</integer>"));
  object_ref before = xpcd.wait_for_state("job", "throttled");
  ASSERT_NO_FATAL_FAILURE(succeed());
  object_ref after = job();
  EXPECT_EQ(text_at(after, "state"), "throttled") << xpcd.log();
  for (const char* which :
       {"starts", "generation", "quick-failures", "last-exit/pid", "last-exit/status"}) {
    EXPECT_EQ(number_at(after, which), number_at(before, which)) << which;
  }
  EXPECT_LE(number_at(after, "timer-ms"), number_at(before, "timer-ms"));
  EXPECT_GT(number_at(after, "timer-ms"), 0);
}

TEST_P(KeptState, AFailedJobRefusesWithTheSameReason) {
  const std::string program = root + "/program";
  answer loaded = xpcd.bootstrap(
      plist("job", {program}, {"org.example.failed"},
            key("RunAtLoad", "<true/>") + key("ThrottleInterval", "<integer>1000</integer>")));
  ASSERT_TRUE(loaded) << loaded.message;
  const std::string reason = text_at(xpcd.wait_for_state("job", "failed"), "reason");
  // If anybody tried now, it could be started.
  std::filesystem::copy_file("/bin/sleep", program);
  ASSERT_NO_FATAL_FAILURE(succeed());
  EXPECT_EQ(text_at(job(), "state"), "failed") << xpcd.log();
  EXPECT_EQ(text_at(job(), "reason"), reason);
  const answer refused = xpcd.open("org.example.failed").call("hello");
  EXPECT_EQ(refused.code, OPENXPC_ERROR_LAUNCH_FAILED);
  EXPECT_NE(refused.message.find(reason), std::string::npos) << refused.message;
}

TEST_P(KeptState, AJobThatFinishedIsNotStartedAgain) {
  load("echo the last words >&2; exit 0",
       key("KeepAlive", "<dict>" + key("SuccessfulExit", "<false/>") + "</dict>") +
           key("ThrottleInterval", "<integer>0</integer>"));
  xpcd.wait_for_state("job", "waiting");
  ASSERT_NO_FATAL_FAILURE(succeed());
  EXPECT_EQ(text_at(job(), "state"), "waiting") << xpcd.log();
  EXPECT_EQ(number_at(job(), "starts"), 1);
  EXPECT_EQ(text_at(job(), "last-exit/text"), "exited with status 0");
  EXPECT_EQ(texts_at(job(), "stderr"), std::vector<std::string>{"the last words"});
}

TEST_P(KeptState, PathsAreWatchedOnAndThatAJobOnceRanIsKnown) {
  load("exit 0", key("ThrottleInterval", "<integer>0</integer>") +
                     key("KeepAlive",
                         "<dict>" + key("AfterInitialDemand", "<true/>") +
                             key("PathState", "<dict>" + key(root + "/on", "<true/>") + "</dict>") +
                             "</dict>"));
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  xpcd.wait_for_state("job", "waiting");
  ASSERT_NO_FATAL_FAILURE(succeed());
  EXPECT_EQ(number_at(job(), "starts"), 1);
  write("on");
  xpc_testing::wait_until("the job to run again", [&] { return number_at(job(), "starts") > 1; });
}

TEST_P(KeptState, TimesAreKept) {
  for (const std::string& more :
       {key("StartInterval", "<integer>1000</integer>"),
        key("StartCalendarInterval", "<dict>" + key("Month", "<integer>1</integer>") +
                                         key("Day", "<integer>1</integer>") + "</dict>")}) {
    load("exit 0", more);
    const std::int64_t before = number_at(job(), "next-start-ms");
    ASSERT_GT(before, 0);
    ASSERT_NO_FATAL_FAILURE(succeed());
    EXPECT_LE(number_at(job(), "next-start-ms"), before) << more;
    EXPECT_EQ(number_at(job(), "starts"), 0) << more;
    ASSERT_TRUE(xpcd.verb("bootout", "job"));
  }
}

TEST_P(KeptState, AChangeDuringARunStartsTheNextOne) {
  write("watched");
  ASSERT_EQ(::mkfifo((root + "/gate").c_str(), 0600), 0);
  load("read line < " + root + "/gate",
       key("WatchPaths", "<array><string>" + root + "/watched</string></array>") +
           key("ThrottleInterval", "<integer>0</integer>"));
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  const auto pid = number_at(job(), "pid");
  // Files have their times from a clock that goes by ticks.
  const auto begun = std::filesystem::file_time_type::clock::now();
  xpc_testing::wait_until("a change after the start", [&] {
    write("watched", "changed");
    return std::filesystem::last_write_time(root + "/watched") > begun;
  });
  ASSERT_NO_FATAL_FAILURE(succeed());
  EXPECT_EQ(number_at(job(), "pid"), pid);
  write("gate", "go\n");
  xpc_testing::wait_until("the job to run again", [&] { return number_at(job(), "starts") == 2; });
}

TEST_P(KeptState, ChangesThatNobodySawAreActedOn) {
  write("watched");
  load("exit 0", key("WatchPaths", "<array><string>" + root + "/watched</string></array>") +
                     key("ThrottleInterval", "<integer>0</integer>"));
  ASSERT_NO_FATAL_FAILURE(succeed_while([&] { write("watched", "changed"); }));
  xpc_testing::wait_until("the job to run", [&] { return number_at(job(), "starts") == 1; });
}

TEST_P(KeptState, AMountThatNobodySawStartsTheJob) {
  // Whatever somebody else mounts would start the job.
  xpcd.kill();
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    GTEST_SKIP() << "NOT SHOWN: a mount namespace cannot be made here";
  xpcd.start();
  const std::string at = made(root + "/mnt");
  const auto mount = [&] { return ::mount("none", at.c_str(), "tmpfs", 0, nullptr) == 0; };
  if (!mount()) GTEST_SKIP() << "NOT SHOWN: nothing can be mounted here";
  load("exit 0", key("StartOnMount", "<true/>") + key("ThrottleInterval", "<integer>0</integer>"));
  ASSERT_NO_FATAL_FAILURE(succeed());
  EXPECT_EQ(number_at(job(), "starts"), 0) << "it was mounted before";
  ASSERT_EQ(::umount2(at.c_str(), MNT_DETACH), 0);
  // The kernel gives a mount's number to the next one: xpcd must have seen the end of it.
  xpc_testing::wait_until("xpcd to see that nothing is mounted there", [&] {
    std::ifstream in(xpcd.directory() + "/.run/mounts", std::ios::binary);
    const std::string known{std::istreambuf_iterator<char>(in), {}};
    return !known.empty() && known.find(at) == std::string::npos;
  });
  ASSERT_NO_FATAL_FAILURE(succeed_while([&] { EXPECT_TRUE(mount()); }));
  xpc_testing::wait_until("the job to run", [&] { return number_at(job(), "starts") == 1; });
  EXPECT_EQ(::umount2(at.c_str(), MNT_DETACH), 0);
}

TEST_P(KeptState, ThereIsStillSomebodyInTheWayOfASocket) {
  const fd other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* address = reinterpret_cast<sockaddr*>(&where);
  ASSERT_EQ(::bind(other.get(), address, size), 0);
  ASSERT_EQ(::getsockname(other.get(), address, &size), 0);
  const std::string port = std::to_string(::ntohs(where.sin_port));
  fd first = fd::copy(other.get());
  // Free for the moment in which the job is loaded; then somebody has it.
  load("exit 0",
       key("Sockets",
           "<dict>" +
               key("it", "<dict>" + key("SockFamily", "<string>IPv4</string>") +
                             key("SockNodeName", "<string>127.0.0.2</string>") +
                             key("SockServiceName", "<string>" + port + "</string>") + "</dict>") +
               "</dict>"));
  where.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK + 1);
  xpcd.kill();
  fd taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(taken.get(), address, size), 0);
  ASSERT_EQ(::listen(taken.get(), 1), 0);
  xpcd.start();
  EXPECT_FALSE(has(job(), "sockets"));
  ASSERT_NO_FATAL_FAILURE(succeed());
  EXPECT_FALSE(has(job(), "sockets"));
  taken.reset();
  xpc_testing::wait_until("the job to listen", [&] { return has(job(), "sockets"); });
  const fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), address, size), 0);
  xpc_testing::wait_until("the client to start it", [&] { return number_at(job(), "starts") > 0; });
}

TEST_P(KeptState, WhatWasRemovedStaysRemoved) {
  const std::string file = descriptions + "/job.plist";
  const auto is_there = [&] { return static_cast<bool>(xpcd.verb("print", "job")); };
  for (const bool once : {false, true}) {
    SCOPED_TRACE(once);
    ASSERT_EQ(xpcd.stop(), xpc_testing::ending{.status = 0});
    std::ofstream(file) << plist("job", {"/bin/true"}, {},
                                 once ? key("LaunchOnlyOnce", "<true/>") : "");
    xpcd.start();
    ASSERT_TRUE(is_there());
    ASSERT_TRUE(xpcd.verb(once ? "kickstart" : "bootout", "job"));
    xpc_testing::wait_until("the job to be gone", [&] { return !is_there(); });
    for (int again = 0; again < 2; ++again) {
      ASSERT_NO_FATAL_FAILURE(succeed());
      EXPECT_FALSE(is_there());
    }
    // A verb may bring it back; and so does a domain that ended and begins anew.
    if (!once) {
      ASSERT_EQ(run({"bootstrap", file}).end.status, 0);
      ASSERT_NO_FATAL_FAILURE(succeed());
      EXPECT_TRUE(is_there());
      ASSERT_TRUE(xpcd.verb("bootout", "job"));
    }
    ASSERT_EQ(xpcd.stop(), xpc_testing::ending{.status = 0});
    EXPECT_FALSE(std::filesystem::exists(xpcd.directory() + "/.run"));
    xpcd.start();
    EXPECT_TRUE(is_there());
  }
}

TEST_P(KeptState, SettingsOfTheDomain) {
  ASSERT_TRUE(xpcd.verb("disable", "other"));
  ASSERT_EQ(run({"setenv", "TEA", "green"}).end.status, 0);
  ASSERT_EQ(run({"submit", "-l", "job", "--", "/bin/sleep", "1000"}).end.status, 0);
  object_ref before = xpcd.wait_for_state("job", "running");
  ASSERT_NO_FATAL_FAILURE(succeed());
  EXPECT_FALSE(xpcd.bootstrap(plist("other", {"/bin/true"})));
  EXPECT_EQ(run({"getenv", "TEA"}).output, "green\n");
  EXPECT_EQ(number_at(job(), "pid"), number_at(before, "pid"));
  EXPECT_EQ(text_at(job(), "origin"), text_at(before, "origin"));
}

TEST_P(KeptState, AnswersOfRequests) {
  load("exec sleep 1000", "");
  const auto restart = [&] {
    const run_result said = run({"--request-id", "once", "kickstart", "--kill", "--pid", "job"});
    EXPECT_EQ(said.end.status, 0) << said.error;
    return said.output;
  };
  const auto becomes = [&] {
    const run_result said = renewal(xpcd, {"--force", "--request-id", "renewal"});
    EXPECT_NE(said.output.find("\"result\": \"upgraded\""), std::string::npos) << said.output;
    object_ref question = dictionary();
    set(question, "op", "print");
    return number_at(xpcd.ask(question).reply, "generation");
  };
  const std::string pid = restart();
  const std::int64_t generation = becomes();
  ASSERT_NO_FATAL_FAILURE(succeed());
  EXPECT_EQ(restart(), pid);
  EXPECT_EQ(becomes(), GetParam() == way::exec ? generation + 1 : 1) << "it is known still";
}

/// What came due while there was no xpcd.
class Absence : public KeptState {
 protected:
  /// As if the job had been loaded, and xpcd been killed, long ago.
  void age(std::chrono::seconds by) const {
    const std::string file = xpcd.directory() + "/.run/job.job";
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const object_ref all(
        ::openxpc_object_decode(bytes.data(), bytes.size(), OPENXPC_ENCODING_FILE, nullptr));
    ASSERT_TRUE(all);
    set(all, "loaded", number_at(all, "loaded") - std::chrono::nanoseconds(by).count());
    void* aged = nullptr;
    std::size_t size = 0;
    ASSERT_TRUE(::openxpc_object_encode(all.get(), OPENXPC_ENCODING_FILE, &aged, &size, nullptr));
    std::ofstream(file, std::ios::binary)
        .write(static_cast<const char*>(aged), static_cast<std::streamsize>(size));
    std::free(aged);
  }
  std::int64_t starts_after(const std::string& more, std::chrono::seconds absence) {
    load("exit 0", more);
    EXPECT_EQ(number_at(job(), "starts"), 0);
    xpcd.kill();
    age(absence);
    xpcd.start();
    const std::int64_t count = number_at(job(), "starts");
    EXPECT_TRUE(xpcd.verb("bootout", "job"));
    return count;
  }
};
INSTANTIATE_TEST_SUITE_P(, Absence, ::testing::Values(way::kill));

TEST_P(Absence, WhatCameDueIsDoneOnce) {
  using std::chrono::seconds;
  const std::string interval = key("StartInterval", "<integer>100</integer>");
  EXPECT_EQ(starts_after(interval, seconds(250)), 1) << xpcd.log();
  EXPECT_EQ(starts_after(interval, seconds(50)), 0) << xpcd.log();
  const std::string every_minute = key("StartCalendarInterval", "<dict/>");
  EXPECT_EQ(starts_after(every_minute, seconds(150)), 1) << xpcd.log();
  const std::string once_a_year =
      key("StartCalendarInterval", "<dict>" + key("Month", "<integer>1</integer>") +
                                       key("Day", "<integer>1</integer>") + "</dict>");
  EXPECT_EQ(starts_after(once_a_year, seconds(150)), 0) << xpcd.log();
}

TEST_P(Absence, AChangeOfAPathIsNoticed) {
  write("watched");
  load("exit 0", key("WatchPaths", "<array><string>" + root + "/watched</string></array>") +
                     key("ThrottleInterval", "<integer>0</integer>"));
  xpcd.replace();
  EXPECT_EQ(number_at(job(), "starts"), 0) << "nothing has changed since it was loaded";
  xpcd.kill();
  write("watched", "changed");
  xpcd.start();
  EXPECT_EQ(number_at(job(), "starts"), 1) << xpcd.log();
  xpcd.wait_for_state("job", "waiting");
  xpcd.replace();
  EXPECT_EQ(number_at(job(), "starts"), 1) << "that was answered";
}

/// While one xpcd becomes the next.
class Unseen : public KeptState {};
INSTANTIATE_TEST_SUITE_P(, Unseen, ::testing::Values(way::exec));

TEST_P(Unseen, ADomainThatIsRemovedEnds) {
  load("exec sleep 1000", key("RunAtLoad", "<true/>"));
  const auto pid = static_cast<pid_t>(number_at(job(), "pid"));
  child verb = begin_to_leave();
  std::filesystem::rename(xpcd.directory(), root + "/elsewhere");
  come_back();
  EXPECT_EQ(xpcd.wait(), xpc_testing::ending{.status = 0}) << xpcd.log();
  EXPECT_FALSE(is_alive(pid));
  verb.kill(SIGKILL);
  verb.wait();
}

}  // namespace
}  // namespace system_test
