// xpcd where it is not a daemon of a workstation: the first process of a container, without
// privileges, on a file system that nobody can write.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

using xpc_testing::child;
using xpc_testing::run_result;

std::string contents(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string task = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid);
  std::stringstream list(contents(task + "/children"));
  std::vector<pid_t> all;
  for (pid_t one; list >> one;) all.push_back(one);
  return all;
}

class Apart : public ::testing::Test {
 protected:
  std::string write(const std::string& file, const std::string& text) const {
    std::ofstream(root + "/" + file) << text;
    return root + "/" + file;
  }
  const std::string root = xpc_testing::runtime_directory();
  const std::string directory = root + "/domain";
};

class FirstProcess : public Apart {
 protected:
  void SetUp() override {
    if (xpc_testing::run(
            "/usr/bin/unshare",
            {.arguments = {"--pid", "--fork", "--mount-proc", "/bin/true"}, .keep_stderr = true})
            .end.status != 0) {
      GTEST_SKIP() << "no namespace of processes can be made here";
    }
    xpcd.emplace(child::program(
        "/usr/bin/unshare",
        {.arguments = {"--pid", "--fork", "--kill-child", "--mount-proc", xpc_testing::xpcd_program,
                       "--domain", directory, "--ready-fd", "1"},
         .keep_stderr = true}));
    ASSERT_EQ(xpcd->read_line(), "ready") << xpcd->error_text();
    outside = children_of(xpcd->pid()).at(0);
    // Inside it is process 1.
    EXPECT_EQ(contents(directory + "/.lock"), "1\n");
  }
  /// xpcctl in the same namespaces.
  run_result run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--target", std::to_string(outside), "--pid", "--mount",
                                         "--", xpc_testing::xpcctl_program, "--domain", directory});
    return xpc_testing::run("/usr/bin/nsenter",
                            {.arguments = std::move(arguments), .keep_stderr = true});
  }
  std::optional<child> xpcd;
  pid_t outside = 0;  // xpcd, seen from here
};

TEST_F(FirstProcess, LaunchAndStopWork) {
  const std::string name = "org.example.echo";
  run_result said =
      run({"bootstrap", write("echo.plist", plist("echo", role("echo", {name}), {name}))});
  ASSERT_EQ(said.end.status, 0) << said.error;
  said = run({"call", name, R"({"op": "hello"})"});
  ASSERT_EQ(said.end.status, 0) << said.error;
  EXPECT_NE(said.output.find("\"op\": \"hello\""), std::string::npos) << said.output;
  const std::vector<pid_t> services = children_of(outside);
  ASSERT_EQ(services.size(), 1u);
  said = run({"bootout", "echo"});
  EXPECT_EQ(said.end.status, 0) << said.error;
  EXPECT_FALSE(is_alive(services[0]));
  ::kill(outside, SIGTERM);
  EXPECT_EQ(xpcd->wait(), xpc_testing::ending{.status = 0});
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST_F(FirstProcess, OrphansThatComeToItAreReaped) {
  // Each leaves a process behind whose parent is gone; what is left of a process that nobody waits
  // for stays in the table of children.
  const std::string text = "for i in 1 2 3 4 5; do (setsid sh -c 'read line < " + root +
                           "/gate' &) ; done; exec sleep 1000";
  ASSERT_EQ(::mkfifo((root + "/gate").c_str(), 0600), 0);
  run_result said = run({"bootstrap", write("job.plist", plist("job", {"/bin/sh", "-c", text}, {},
                                                               "<key>RunAtLoad</key><true/>"))});
  ASSERT_EQ(said.end.status, 0) << said.error;
  xpc_testing::wait_until("the orphans to come to xpcd",
                          [&] { return children_of(outside).size() == 6; });
  // The gate opens for all of them when its only writer is gone.
  openxpc::base::fd gate(::open((root + "/gate").c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  ASSERT_EQ(::write(gate.get(), "\n\n\n\n\n", 5), 5);
  xpc_testing::wait_until("the orphans to be reaped",
                          [&] { return children_of(outside).size() == 1; });
  gate.reset();
  EXPECT_EQ(run({"bootout", "job"}).end.status, 0);
  EXPECT_TRUE(children_of(outside).empty());
}

class Unprivileged : public Apart {
 protected:
  static constexpr uid_t nobody = 65534;
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "all other tests are run without privileges already";
    ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
    ASSERT_EQ(::mkdir((root + "/home").c_str(), 0700), 0);
    ASSERT_EQ(::chown((root + "/home").c_str(), nobody, nobody), 0);
  }
};

TEST_F(Unprivileged, AnyUserServesADomainOfTheirOwn) {
  const std::string own = root + "/home/domain", name = "org.example.echo";
  auto as_nobody = [](std::vector<std::string> command) {
    std::vector<std::string> all{"--reuid=65534",   "--regid=65534",       "--clear-groups",
                                 "--inh-caps=-all", "--bounding-set=-all", "--"};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  };
  child xpcd = child::program(
      "/usr/bin/setpriv",
      {.arguments = as_nobody({xpc_testing::xpcd_program, "--domain", own, "--ready-fd", "1"}),
       .keep_stderr = true});
  if (xpcd.read_line() != "ready") {
    GTEST_SKIP() << "what was built is for its builder only: " << xpcd.error_text();
  }
  auto run = [&](std::vector<std::string> arguments) {
    std::vector<std::string> all{xpc_testing::xpcctl_program, "--domain", own};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return xpc_testing::run("/usr/bin/setpriv",
                            {.arguments = as_nobody(std::move(all)), .keep_stderr = true});
  };
  const std::string file = write("echo.plist", plist("echo", role("echo", {name}), {name}));
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  run_result said = run({"bootstrap", file});
  ASSERT_EQ(said.end.status, 0) << said.error;
  said = run({"call", name, R"({"op": "hello"})"});
  ASSERT_EQ(said.end.status, 0) << said.error << xpcd.error_text();
  const std::vector<pid_t> services = children_of(xpcd.pid());
  ASSERT_EQ(services.size(), 1u);
  const std::string status = contents("/proc/" + std::to_string(services[0]) + "/status");
  EXPECT_NE(status.find("\nUid:\t65534\t65534\t65534\t65534\n"), std::string::npos) << status;
  EXPECT_NE(status.find("\nCapEff:\t0000000000000000\n"), std::string::npos) << status;
  // The limit is one that nobody keeps for them, for want of a cgroup or of its controller: the
  // reason names it.
  const std::string limited =
      write("limited.plist",
            plist("limited", {"/bin/true"}, {},
                  "<key>CgroupLimits</key><dict><key>TasksMax</key><integer>5</integer></dict>"));
  ASSERT_EQ(::chmod(limited.c_str(), 0644), 0);
  EXPECT_EQ(run({"bootstrap", limited}).end.status, 0);
  said = run({"kickstart", "limited"});
  EXPECT_NE(said.end.status, 0);
  EXPECT_NE(said.error.find("CgroupLimits/TasksMax: "), std::string::npos) << said.error;
  EXPECT_EQ(run({"disable", "echo"}).end.status, 0);
  EXPECT_EQ(run({"bootout", "echo"}).end.status, 0);
  xpcd.kill(SIGTERM);
  EXPECT_EQ(xpcd.wait(), xpc_testing::ending{.status = 0});
}

TEST_F(Apart, OnAReadOnlyFileSystemOnlyWhatMustLastFailsAndSaysWhy) {
  ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
  // The run directory is a mount of its own, so that it stays as it is when all else becomes
  // read-only.
  const std::string prepare =
      "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro / && "
      "for at in $(awk '{print $5}' /proc/self/mountinfo); do case \"$0/\" in \"$at\"/*) "
      "[ \"$at\" = \"$0\" ] || mount -o remount,bind,ro \"$at\" || exit 1 ;; esac; done; "
      "exec \"$@\"";
  auto arguments = [&](std::vector<std::string> command) {
    std::vector<std::string> all{"--mount", "--propagation", "private", "/bin/sh",
                                 "-c",      prepare,         directory};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  };
  const std::string probe = root + "/probe";
  if (xpc_testing::run(
          "/usr/bin/unshare",
          {.arguments = arguments(
               {"/bin/sh", "-c", "! touch \"$0\" && touch \"$1/probe\"", probe, directory}),
           .keep_stderr = true})
          .end.status != 0) {
    GTEST_SKIP() << "mounts cannot be changed here";
  }
  ASSERT_FALSE(std::filesystem::exists(probe));
  const std::string state = root + "/state", name = "org.example.echo";
  child xpcd = child::program(
      "/usr/bin/unshare", {.arguments = arguments({xpc_testing::xpcd_program, "--domain", directory,
                                                   "--state", state, "--ready-fd", "1"}),
                           .keep_stderr = true});
  ASSERT_EQ(xpcd.read_line(), "ready") << xpcd.error_text();
  auto run = [&](std::vector<std::string> words) {
    std::vector<std::string> all{"--target", std::to_string(xpcd.pid()),  "--mount",
                                 "--",       xpc_testing::xpcctl_program, "--domain",
                                 directory};
    all.insert(all.end(), words.begin(), words.end());
    return xpc_testing::run("/usr/bin/nsenter", {.arguments = std::move(all), .keep_stderr = true});
  };
  const std::string file = write("echo.plist", plist("echo", role("echo", {name}), {name}));
  EXPECT_EQ(run({"bootstrap", file}).end.status, 0);
  run_result said = run({"call", name, R"({"op": "hello"})"});
  EXPECT_EQ(said.end.status, 0) << said.error;
  EXPECT_EQ(run({"setenv", "TEA", "green"}).end.status, 0) << "lives with the domain";
  for (const char* verb : {"disable", "enable"}) {
    said = run({verb, "echo"});
    EXPECT_NE(said.end.status, 0) << verb;
    EXPECT_NE(said.error.find("lasting state in " + state), std::string::npos) << said.error;
    EXPECT_NE(said.error.find("Read-only file system"), std::string::npos) << said.error;
  }
  EXPECT_EQ(run({"print-disabled"}).end.status, 0);
  EXPECT_EQ(run({"bootout", "echo"}).end.status, 0);
  xpcd.kill(SIGTERM);
  EXPECT_EQ(xpcd.wait(), xpc_testing::ending{.status = 0});
}

}  // namespace
}  // namespace system_test
