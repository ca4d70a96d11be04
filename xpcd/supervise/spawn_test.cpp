#include "supervise/spawn.hpp"

#include "domain/directory.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace openxpc::supervise {
namespace {

class Spawn : public ::testing::Test {
 protected:
  void SetUp() override { root_ = xpc_testing::runtime_directory(); }

  /// Runs a shell text and gives back what it printed and how it ended.
  std::string run(const std::string& text, spawn_plan plan = {}) {
    outcome<program> shell = open_program("/bin/sh", {"sh", "-c", text}, "/bin");
    EXPECT_TRUE(shell);
    base::fd out(::open((root_ + "/out").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    plan.what = &*shell;
    plan.stdout_fd = out.get();
    if (plan.environment.empty()) plan.environment = {"PATH=/usr/bin:/bin"};
    outcome<spawned> child = spawn(plan);
    EXPECT_TRUE(child) << child.error().text;
    if (!child) return {};
    id_ = child->id;
    status_ = wait(*child);
    std::stringstream all;
    all << std::ifstream(root_ + "/out").rdbuf();
    return all.str();
  }
  static siginfo_t wait(const spawned& child) {
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED);
    return info;
  }

  std::string root_;
  process_id id_;
  siginfo_t status_{};
};

TEST_F(Spawn, RunsTheProgramAndKnowsWhoItIs) {
  const std::string printed = run("echo $$; exit 7");
  EXPECT_EQ(printed, std::to_string(id_.pid) + "\n");
  EXPECT_EQ(status_.si_code, CLD_EXITED);
  EXPECT_EQ(status_.si_status, 7);
  EXPECT_GT(id_.start_ticks, 0u);
}

TEST_F(Spawn, AStartThatCannotBeNotedLeavesNothingBehind) {
  const base::fd directory(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Where the file is to be there is something that it cannot replace.
  std::filesystem::create_directory(root_ + "/label.pid");
  outcome<program> shell = open_program("/bin/sh", {"sh", "-c", "exit"}, "/bin");
  ASSERT_TRUE(shell);
  spawn_plan plan;
  plan.what = &*shell;
  plan.run_fd = directory.get();
  plan.run_file = "label.pid";
  outcome<spawned> child = spawn(plan);
  ASSERT_FALSE(child);
  EXPECT_NE(child.error().text.find("Is a directory"), std::string::npos) << child.error().text;
  EXPECT_FALSE(std::filesystem::exists(root_ + "/.label.pid.new"));
}

TEST_F(Spawn, T59_TheChildHasOnlyDeclaredDescriptorsAndVariables) {
  int leak = ::open("/dev/null", O_RDONLY);  // as careless parents leave them: not close-on-exec
  ASSERT_GE(leak, 3);
  spawn_plan plan;
  plan.environment = {"PATH=/usr/bin:/bin", "ONE=1"};
  std::string text = run("echo $(ls /proc/self/fd); exec env", plan);
  ::close(leak);
  EXPECT_EQ(text.substr(0, text.find('\n')), "0 1 2 3");  // 3 is ls's own
  EXPECT_NE(text.find("ONE=1\n"), std::string::npos);
  EXPECT_EQ(text.find("HOME="), std::string::npos) << text;
  EXPECT_EQ(text.find("LISTEN_"), std::string::npos);
  EXPECT_EQ(text.find("OPENXPC_"), std::string::npos);
}

TEST_F(Spawn, T59_SignalsAreDefaultAndTheGroupIsItsOwn) {
  struct sigaction ignore{}, old;
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &old);
  sigset_t block, before;
  ::sigemptyset(&block);
  ::sigaddset(&block, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &block, &before);
  std::string text =
      run("grep -E '^Sig(Blk|Ign):' /proc/self/status; ps -o pgid= -p $$ | tr -d ' '; umask");
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::sigaction(SIGPIPE, &old, nullptr);
  EXPECT_EQ(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n" +
                      std::to_string(id_.pid) + "\n0022\n");
}

TEST_F(Spawn, T59_WhatIsIgnoredHereIsKnown) {
  const std::uint64_t before = ignored_signals(), usr2 = std::uint64_t{1} << (SIGUSR2 - 1);
  EXPECT_EQ(before & usr2, 0u);
  struct sigaction ignore{}, old;
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR2, &ignore, &old);
  EXPECT_EQ(ignored_signals(), before | usr2);
  ignore.sa_handler = [](int) {};
  ::sigaction(SIGUSR2, &ignore, nullptr);
  EXPECT_EQ(ignored_signals(), before) << "what is handled is not ignored";
  ::sigaction(SIGUSR2, &old, nullptr);
}

TEST_F(Spawn, HandsOverListenersDomainAndLink) {
  outcome<domain::directory> domain = domain::directory::open(root_ + "/domain", false);
  ASSERT_TRUE(domain);
  outcome<domain::bound_name> control = domain->publish(domain::control_name);
  outcome<domain::bound_name> one = domain->publish("one"), two = domain->publish("two");
  ASSERT_TRUE(control && one && two);
  spawn_plan plan;
  // Sources that stand where targets go, in the wrong order.
  plan.listeners = {{"two", two->socket.get()}, {"one", one->socket.get()}};
  plan.domain_fd = plan.link_domain_fd = domain->borrowed_fd();
  plan.domain_path = domain->path();
  plan.link_socket = domain::control_name;
  plan.run_fd = domain->borrowed_run_fd();
  plan.run_file = "label.pid";
  plan.generation = 3;
  std::string text =
      run("echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES $OPENXPC_DOMAIN $OPENXPC_DOMAIN_FD "
          "$OPENXPC_LINK_FD;"
          "stat -L -c %i /proc/$$/fd/3 /proc/$$/fd/4; stat -L -c %F /proc/$$/fd/$OPENXPC_DOMAIN_FD "
          "/proc/$$/fd/$OPENXPC_LINK_FD",
          plan);
  struct stat s1, s2;
  ::fstat(one->socket.get(), &s1);
  ::fstat(two->socket.get(), &s2);
  EXPECT_EQ(text, "2 " + std::to_string(id_.pid) + " two:one " + root_ + "/domain 5 6\n" +
                      std::to_string(s2.st_ino) + "\n" + std::to_string(s1.st_ino) +
                      "\ndirectory\nsocket\n");
  // The kernel names the service's own process as the one that connected.
  base::fd link(::accept4(control->socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(link);
  ucred who{};
  socklen_t size = sizeof who;
  ASSERT_EQ(::getsockopt(link.get(), SOL_SOCKET, SO_PEERCRED, &who, &size), 0);
  EXPECT_EQ(who.pid, id_.pid);
  // And it said so before it became the program.
  std::ifstream record(root_ + "/domain/.run/label.pid");
  process_id written;
  std::uint64_t generation = 0;
  record >> written.pid >> written.start_ticks >> written.pidfd_inode >> generation;
  EXPECT_EQ(written, id_);
  EXPECT_EQ(generation, 3u);
}

TEST_F(Spawn, FailuresNameTheStepAndLeaveNoChild) {
  outcome<program> shell = open_program("/bin/sh", {"sh"}, "/bin");
  ASSERT_TRUE(shell);
  spawn_plan plan;
  plan.what = &*shell;
  plan.working_directory = root_ + "/nowhere";
  outcome<spawned> child = spawn(plan);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().text,
            "working directory " + root_ + "/nowhere: No such file or directory");
  EXPECT_EQ(child.error().what, trouble::kind::not_found);

  const std::string broken = root_ + "/broken";
  std::ofstream(broken) << "\x7f"
                           "ELF but no more";
  std::filesystem::permissions(broken, std::filesystem::perms::owner_all);
  outcome<program> bad = open_program(broken, {}, "/bin");
  ASSERT_TRUE(bad);
  plan.what = &*bad;
  plan.working_directory = "/";
  child = spawn(plan);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().text, broken + ": Exec format error");
  EXPECT_EQ(child.error().what, trouble::kind::bad_input);
  siginfo_t none;
  EXPECT_EQ(::waitid(P_ALL, 0, &none, WEXITED | WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(Spawn, DescriptorLimitIsTheJobsOwn) {
  rlimit mine;
  ::getrlimit(RLIMIT_NOFILE, &mine);
  spawn_plan plan;
  plan.descriptor_limit = 77;
  EXPECT_EQ(run("ulimit -n", plan), "77\n");
  rlimit after;
  ::getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(after.rlim_cur, mine.rlim_cur);
}

}  // namespace
}  // namespace openxpc::supervise
