#include "supervise/cgroup.hpp"

#include "supervise/spawn.hpp"
#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace openxpc::supervise {
namespace {

std::string contents(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

constexpr const char* unified =
    "22 1 0:20 / / rw - ext4 /dev/vda rw\n"
    "31 22 0:28 / /sys/fs/cgroup rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate\n";

std::string place(const std::string& mountinfo, const std::string& groups) {
  outcome<std::string> found = cgroup_directory(mountinfo, groups);
  return found ? *found : "none: " + found.error().text;
}

TEST(CgroupPlace, IsBelowTheMountOfVersion2) {
  EXPECT_EQ(place(unified, "0::/user.slice/a.service\n"), "/sys/fs/cgroup/user.slice/a.service");
  EXPECT_EQ(place(unified, "0::/\n"), "/sys/fs/cgroup");
  // Beside version 1, whose lines and mounts are passed over.
  const std::string both =
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(place(both, "4:memory:/x\n0::/y\n"), "/sys/fs/cgroup/unified/y");
}

TEST(CgroupPlace, OfAMountedPartIsTheRest) {
  const std::string part = "31 22 0:28 /docker/1 /sys/fs/c\\040g rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(place(part, "0::/docker/1/a\n"), "/sys/fs/c g/a");
  EXPECT_EQ(place(part, "0::/docker/1\n"), "/sys/fs/c g");
  EXPECT_EQ(place(part, "0::/docker/12\n"), "none: the cgroup /docker/12 is not mounted");
}

TEST(CgroupPlace, IsNowhereForAGroupThatCannotBeReached) {
  EXPECT_EQ(place(unified, "0::/../other\n"), "none: the cgroup /../other is not mounted");
  EXPECT_EQ(place("22 1 0:20 / / rw - ext4 /dev/vda rw\n", "0::/\n"),
            "none: no cgroup v2 is mounted");
  EXPECT_EQ(place(unified, "4:memory:/x\n"), "none: the kernel has no cgroup v2");
  EXPECT_EQ(place("no such table", "0::/\n"), "none: no cgroup v2 is mounted");
}

/// Directories and files that the kernel would make, so that each of its answers can be given.
class FakeCgroups : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mkdir(own.c_str(), 0755), 0);
    ASSERT_EQ(::mkdir((own + "/xpc-1-2").c_str(), 0755), 0);
    write("cgroup.controllers", "cpu memory pids\n");
    write("cgroup.subtree_control", "");
    write("xpc-1-2/cgroup.controllers", "cpu memory pids\n");
    write("xpc-1-2/cgroup.subtree_control", "");
  }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(own + "/" + file) << text;
  }
  void make_group(const std::string& name) const {
    ASSERT_EQ(::mkdir((own + "/xpc-1-2/" + name).c_str(), 0755), 0);
    for (const char* file : {"memory.max", "pids.max", "cpu.max", "cpu.weight", "cgroup.procs"}) {
      write("xpc-1-2/" + name + "/" + file, "");
    }
    write("xpc-1-2/" + name + "/cgroup.events", "populated 0\n");
  }
  std::string refusal(const std::vector<job::group_limit>& limits) {
    outcome<job_cgroup> made = cgroups(own, "xpc-1-2").make("job", limits);
    return made ? "none" : made.error().text;
  }
  const std::string own = xpc_testing::runtime_directory() + "/own";
};

TEST_F(FakeCgroups, T62_LimitsAreWrittenAndTheirControllersEnabled) {
  make_group("job@0");
  cgroups all(own, "xpc-1-2");
  outcome<job_cgroup> made = all.make(
      "job", {{"CPUQuota", 150}, {"CPUWeight", 20}, {"MemoryMax", 1 << 20}, {"TasksMax", 7}});
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->path(), own + "/xpc-1-2/job@0");
  EXPECT_EQ(contents(made->path() + "/cpu.max"), "150000 100000");
  EXPECT_EQ(contents(made->path() + "/cpu.weight"), "20");
  EXPECT_EQ(contents(made->path() + "/memory.max"), "1048576");
  EXPECT_EQ(contents(made->path() + "/pids.max"), "7");
  EXPECT_EQ(contents(own + "/xpc-1-2/cgroup.subtree_control").substr(0, 5), "+pids");
}

TEST_F(FakeCgroups, T62_ALimitWithoutItsControllerIsRefusedByName) {
  make_group("job@0");
  EXPECT_EQ(refusal({{"IOWeight", 5}}),
            "CgroupLimits/IOWeight: there is no io controller in " + own);
  EXPECT_EQ(refusal({}), "none");
  write("xpc-1-2/cgroup.controllers", "");
  std::filesystem::remove(own + "/cgroup.subtree_control");
  EXPECT_EQ(refusal({{"TasksMax", 5}}),
            "CgroupLimits/TasksMax: " + own + "/cgroup.subtree_control: No such file or directory");
}

TEST_F(FakeCgroups, T62_ALimitThatTheKernelDoesNotKeepIsRefused) {
  make_group("job@0");
  const std::string file = own + "/xpc-1-2/job@0/memory.max";
  write("xpc-1-2/job@0/memory.max", "9999999999");  // longer than what is written over it
  EXPECT_EQ(refusal({{"MemoryMax", 4096}}),
            "CgroupLimits/MemoryMax: " + file + " does not keep 4096, it says 4096999999");
  std::filesystem::remove(file);
  EXPECT_EQ(refusal({{"MemoryMax", 4096}}),
            "CgroupLimits/MemoryMax: " + file + ": No such file or directory");
}

TEST_F(FakeCgroups, WhatIsLeftInAGroupIsNotMixedWithTheNextRun) {
  make_group("job@0");
  make_group("job@1");
  cgroups all(own, "xpc-1-2");
  write("xpc-1-2/job@0/cgroup.events", "populated 1\n");
  outcome<job_cgroup> second = all.make("job", {});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->path(), own + "/xpc-1-2/job@1");
  write("xpc-1-2/job@0/cgroup.events", "populated 0\n");
  outcome<job_cgroup> third = all.make("job", {});
  ASSERT_TRUE(third);
  EXPECT_EQ(third->path(), own + "/xpc-1-2/job@0");
}

TEST_F(FakeCgroups, OneThatAnotherUserLeftUnderItsNameIsNotTaken) {
  constexpr uid_t somebody = 65534;
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give it to somebody";
  ASSERT_EQ(::chown((own + "/xpc-1-2").c_str(), somebody, somebody), 0);
  make_group("job@0");
  cgroups all(own, "xpc-1-2");
  outcome<job_cgroup> group = all.make("job", {});
  ASSERT_TRUE(group);
  EXPECT_FALSE(*group);
  group = all.make("job", {{"TasksMax", 10}});
  ASSERT_FALSE(group);
  EXPECT_NE(group.error().text.find("belongs to another user"), std::string::npos)
      << group.error().text;
}

TEST_F(FakeCgroups, AnXpcdInAGroupOfItsOwnMakesThoseOfItsJobsBesideIt) {
  make_group("job@0");
  ASSERT_EQ(::mkdir((own + "/xpcd.manager").c_str(), 0755), 0);
  cgroups all(own + "/xpcd.manager", "xpc-1-2");
  outcome<job_cgroup> made = all.make("job", {{"TasksMax", 7}});
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->path(), own + "/xpc-1-2/job@0");
}

TEST_F(FakeCgroups, OneThatSomebodyKeepsLockedIsUsedAllTheSame) {
  make_group("job@0");
  const base::fd held(::open((own + "/xpc-1-2").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_EX | LOCK_NB), 0);
  cgroups all(own, "xpc-1-2");
  outcome<job_cgroup> group = all.make("job", {{"TasksMax", 10}});
  ASSERT_TRUE(group) << group.error().text;
  EXPECT_EQ(group->path(), own + "/xpc-1-2/job@0");
}

TEST_F(FakeCgroups, WithoutOneAJobIsStartedUnlessItDeclaresLimits) {
  cgroups none(trouble{trouble::kind::not_found, "no cgroup v2 is mounted"}, "xpc-1-2");
  outcome<job_cgroup> made = none.make("job", {});
  ASSERT_TRUE(made);
  EXPECT_FALSE(*made);
  EXPECT_FALSE(made->is_populated());
  made->kill();
  made = none.make("job", {{"TasksMax", 5}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text,
            "CgroupLimits/TasksMax: needs a cgroup of the job's own: no cgroup v2 is mounted");
  cgroups unreachable(own + "/nothing", "xpc-1-2");
  EXPECT_TRUE(unreachable.make("job", {}));
  EXPECT_FALSE(unreachable.make("job", {{"TasksMax", 5}}));
}

/// The machine's own hierarchy, where it lets us make groups.
class RealCgroups : public ::testing::Test {
 protected:
  void SetUp() override {
    outcome<std::string> found = cgroup_directory_of("self");
    if (!found) GTEST_SKIP() << found.error().text;
    own = *found;
    base::fd here(::open(xpc_testing::runtime_directory().c_str(), O_PATH | O_CLOEXEC));
    name = cgroup_name(here.get());
    if (::mkdir((own + "/" + name).c_str(), 0755) != 0) GTEST_SKIP() << own << " is not ours";
  }
  static spawned start(const job_cgroup& group, const std::string& text) {
    outcome<program> shell = open_program("/bin/sh", {"sh", "-c", text}, "/bin");
    spawn_plan plan;
    plan.what = &*shell;
    plan.cgroup_fd = group.borrowed_fd();
    plan.environment = {"PATH=/usr/bin:/bin"};
    outcome<spawned> child = spawn(plan);
    EXPECT_TRUE(child) << child.error().text;
    return std::move(*child);
  }
  static void reap(const spawned& child) {
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED);
  }
  std::string own, name;
};

TEST_F(RealCgroups, T59_AProcessBeginsInItsGroupAndLeavesItOnlyByItsEnd) {
  cgroups all(own, name);
  outcome<job_cgroup> made = all.make("job", {});
  ASSERT_TRUE(made);
  ASSERT_TRUE(*made);
  EXPECT_FALSE(made->is_populated());
  // setsid takes its child out of the process group, out of the cgroup it cannot.
  const spawned child = start(*made, "setsid sleep 1000 & exec sleep 1000");
  EXPECT_TRUE(made->is_populated());
  const job_cgroup found = all.find(child.id.pid, "job");
  EXPECT_EQ(found.path(), made->path());
  EXPECT_FALSE(all.find(child.id.pid, "jo"));
  EXPECT_FALSE(all.find(::getpid(), "job"));
  made->kill();
  reap(child);
  xpc_testing::wait_until("the group to be empty", [&] { return !made->is_populated(); });
  all.forget("job");
  EXPECT_FALSE(std::filesystem::exists(made->path()));
}

TEST_F(RealCgroups, GroupsOfADomainThatNobodyServesAreRemovedByTheNext) {
  {
    // Until it is as one leaves it that was killed, nobody may take it for that.
    const base::fd held(::open((own + "/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::flock(held.get(), LOCK_SH | LOCK_NB), 0);
    ASSERT_EQ(::mkdir((own + "/" + name + "/left@0").c_str(), 0755), 0);
  }
  {
    cgroups other(own, name + "-other");
    ASSERT_TRUE(other.make("job", {}));
    EXPECT_FALSE(std::filesystem::exists(own + "/" + name));
    // One that is served stays, also while nothing runs in it.
    cgroups third(own, name + "-third");
    ASSERT_TRUE(third.make("job", {}));
    EXPECT_TRUE(std::filesystem::exists(own + "/" + name + "-other/job@0"));
    third.forget("job");
    other.forget("job");
  }
  EXPECT_FALSE(std::filesystem::exists(own + "/" + name + "-other"));
}

TEST_F(RealCgroups, ADomainThatEndsLeavesNothingOfWhatWasThereBefore) {
  {
    const base::fd held(::open((own + "/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::flock(held.get(), LOCK_SH | LOCK_NB), 0);
    ASSERT_EQ(::mkdir((own + "/" + name + "/unknown@0").c_str(), 0755), 0);
    cgroups all(own, name);
    outcome<job_cgroup> made = all.make("job", {});
    ASSERT_TRUE(made);
    ASSERT_TRUE(*made);
    all.forget("job");
  }
  EXPECT_FALSE(std::filesystem::exists(own + "/" + name));
}

TEST_F(RealCgroups, ManyDomainsThatComeAndGoLeaveEachOtherAlone) {
  constexpr int domains = 4, rounds = 100;
  std::atomic<int> without{0}, left{0};
  std::vector<std::thread> all;
  for (int each = 0; each < domains; ++each) {
    all.emplace_back([&, mine = name + "-" + std::to_string(each)] {
      for (int round = 0; round < rounds; ++round) {
        {
          cgroups one(own, mine);
          outcome<job_cgroup> made = one.make("job", {});
          // Each looks for what others abandoned, and may meet this one before it is held.
          if (!made || !*made || !std::filesystem::exists(made->path())) ++without;
          one.forget("job");
        }
        if (std::filesystem::exists(own + "/" + mine)) ++left;
      }
    });
  }
  for (std::thread& one : all) one.join();
  EXPECT_EQ(without.load(), 0);
  EXPECT_EQ(left.load(), 0);
}

TEST_F(RealCgroups, T62_LimitsHoldOrTheLaunchIsRefused) {
  cgroups all(own, name);
  outcome<job_cgroup> made = all.make("job", {{"TasksMax", 9}});
  std::stringstream controllers(contents(own + "/cgroup.controllers"));
  bool has_pids = false;
  for (std::string word; controllers >> word;) has_pids = has_pids || word == "pids";
  if (!has_pids) {
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().text, "CgroupLimits/TasksMax: there is no pids controller in " + own);
  } else if (made) {
    EXPECT_EQ(contents(made->path() + "/pids.max"), "9\n");
  } else {
    // Other processes stand in our way, in our own group.
    EXPECT_NE(made.error().text.find("cgroup.subtree_control: Device or resource busy"),
              std::string::npos)
        << made.error().text;
  }
  all.forget("job");
}

}  // namespace
}  // namespace openxpc::supervise
