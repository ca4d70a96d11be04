#include "supervise/new_process.hpp"

#include "base/fd.hpp"
#include "supervise/cgroup.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace openxpc::supervise {
namespace {

/// What the new process notes in our memory.
struct notes {
  pid_t pid = 0;
  int pidfd = -1;                   // where a birth puts it
  int pidfd_begun = -1;             // what stood there when the process began
  unsigned long handling[16] = {};  // of SIGUSR2; the handler stands first
  long size = 0;
  char groups[4096];  // its /proc/self/cgroup
};

/// As a start does it: system calls alone, since it shares our memory while we stand still.
__attribute__((no_sanitize("address", "thread", "undefined"))) int look_around(void* argument) {
  notes& seen = *static_cast<notes*>(argument);
  seen.pid = static_cast<pid_t>(::syscall(SYS_getpid));
  seen.pidfd_begun = seen.pidfd;
  ::syscall(SYS_rt_sigaction, SIGUSR2, nullptr, seen.handling, 8);
  const long file = ::syscall(SYS_openat, AT_FDCWD, "/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
  if (file >= 0) seen.size = ::syscall(SYS_read, file, seen.groups, sizeof seen.groups);
  ::syscall(SYS_exit_group, 7);
  return 0;
}

class NewProcess : public ::testing::Test {
 protected:
  born make(int borrowed_cgroup) {
    const auto before = ::signal(SIGUSR2, [](int) {});
    born child = make_process({look_around, &seen_, &seen_.pid, stack_.data(), stack_.size(), false,
                               borrowed_cgroup, &seen_.pidfd},
                              &must_enter_);
    ::signal(SIGUSR2, before);
    if (child.pid < 0) {
      ADD_FAILURE() << std::strerror(errno);
      return child;
    }
    pidfd_.reset(child.pidfd);
    siginfo_t end{};
    EXPECT_EQ(::waitid(P_PIDFD, static_cast<id_t>(child.pidfd), &end, WEXITED), 0);
    EXPECT_EQ(end.si_pid, child.pid);
    EXPECT_EQ(end.si_code, CLD_EXITED);
    EXPECT_EQ(end.si_status, 7);
    EXPECT_EQ(seen_.pid, child.pid) << "it wrote into our memory";
    EXPECT_EQ(seen_.pidfd_begun, child.pidfd);
    EXPECT_EQ(seen_.handling[0] == 0, child.in_cgroup) << "handlers go with a birth in a group";
    return child;
  }

  alignas(16) std::array<char, 65536> stack_;
  notes seen_;
  base::fd pidfd_;
  bool must_enter_ = false;
};

TEST_F(NewProcess, RunsItsFunctionInOurMemoryAndHasADescriptor) {
  const born child = make(-1);
  EXPECT_FALSE(child.in_cgroup);
  EXPECT_FALSE(must_enter_);
}

TEST_F(NewProcess, IsBornInItsCgroup) {
  outcome<std::string> own = cgroup_directory_of("self");
  if (!own) GTEST_SKIP() << "NOT SHOWN: " << own.error().text;
  const std::string path = *own + "/born-" + std::to_string(::getpid());
  if (::mkdir(path.c_str(), 0755) != 0)
    GTEST_SKIP() << "NOT SHOWN: " << path << ": " << std::strerror(errno);
  const base::fd group(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const born child = make(group.get());
  EXPECT_EQ(::rmdir(path.c_str()), 0);
  if (!child.in_cgroup) GTEST_SKIP() << "NOT SHOWN: the kernel has no births in cgroups";
  EXPECT_FALSE(must_enter_);
  ASSERT_GT(seen_.size, 0);
  const std::string groups(seen_.groups, static_cast<std::size_t>(seen_.size));
  EXPECT_NE(groups.find("/born-" + std::to_string(::getpid()) + "\n"), std::string::npos) << groups;
}

TEST_F(NewProcess, IsBornBesideAGroupThatWasKilledWhereTheKernelKillsNewbornsThere) {
  outcome<std::string> own = cgroup_directory_of("self");
  if (!own) GTEST_SKIP() << "NOT SHOWN: " << own.error().text;
  const std::string path = *own + "/killed-" + std::to_string(::getpid());
  if (::mkdir(path.c_str(), 0755) != 0)
    GTEST_SKIP() << "NOT SHOWN: " << path << ": " << std::strerror(errno);
  const base::fd group(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const base::fd kill(::openat(group.get(), "cgroup.kill", O_WRONLY | O_CLOEXEC));
  if (kill) {
    EXPECT_EQ(::write(kill.get(), "1", 1), 1);
  }
  const born child = make(group.get());
  EXPECT_EQ(::rmdir(path.c_str()), 0);
  EXPECT_NE(child.in_cgroup, must_enter_) << "the one or the other";
}

TEST_F(NewProcess, WhatCannotBeBornInTheGroupIsToldToEnterIt) {
  const std::string path = xpc_testing::runtime_directory();
  const base::fd no_group(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const born child = make(no_group.get());
  EXPECT_FALSE(child.in_cgroup);
  EXPECT_TRUE(must_enter_);
}

}  // namespace
}  // namespace openxpc::supervise
