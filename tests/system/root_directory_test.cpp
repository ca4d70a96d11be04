// RootDirectory: jobs of the system domain that see one directory only. Root's alone.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/manager.hpp"

namespace fs = std::filesystem;
using openxpc::base::fd;

namespace {

std::string contents(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

/// What somebody finds who goes up from a directory's descriptor as far as it goes.
bool finds_above(int borrowed_directory, const char* what) {
  std::string up;
  for (int i = 0; i < 32; ++i) {
    struct stat found;
    if (::fstatat(borrowed_directory, (up + what).c_str(), &found, 0) == 0) return true;
    up += "../";
  }
  return false;
}

}  // namespace

/// looks_around FILE...: says where it is and which of the files it sees, and whether the
/// descriptor of its domain leads to them.
XPC_TEST_ROLE(looks_around) {
  char here[256];
  xpc_testing::say(::getcwd(here, sizeof here) ? here : std::strerror(errno));
  const char* text = std::getenv("OPENXPC_DOMAIN_FD");
  const int domain = text ? std::atoi(text) : -1;
  struct stat control;
  xpc_testing::say(::fstatat(domain, ".control", &control, 0) == 0 ? "has its domain"
                                                                   : "has no domain");
  for (const std::string& file : call.arguments) {
    if (::access(file.c_str(), F_OK) == 0) xpc_testing::say("sees " + file);
    if (finds_above(domain, file.c_str() + 1)) xpc_testing::say("reaches " + file);
  }
  return 0;
}

namespace system_test {
namespace {

TEST(RootDirectoryOfAUser, IsRefusedWithLineAndKey) {
  const std::string root = xpc_testing::runtime_directory();
  const manager xpcd(root + "/domain");
  answer refused = xpcd.bootstrap(
      plist("caged", {"/bin/true"}, {}, "<key>RootDirectory</key><string>/srv</string>"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.message,
            "test.plist:5: RootDirectory: only root may change the root of a job, and without it "
            "the job would see all files; load it into the system domain");
  EXPECT_FALSE(xpcd.verb("print", "caged"));
}

/// A directory with what this test program needs to run in there.
class RootDirectory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: only root may change a root";
    ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
    for (const char* one : {"/bin", "/work", "/proc"}) fs::create_directories(jail + one);
    fs::copy_file(xpc_testing::this_program(), jail + "/bin/service");
    ASSERT_EQ(::chmod((jail + "/bin/service").c_str(), 0755), 0);
    std::ofstream(root + "/outside") << "x";
    bring_libraries(xpc_testing::this_program());
    bring_libraries("/bin/sh");
    fs::copy_file("/bin/sh", jail + "/bin/sh");
    std::ofstream(jail + "/bin/script") << "#!/bin/sh\necho $0 $1 >&2; echo done\n";
    ASSERT_EQ(::chmod((jail + "/bin/script").c_str(), 0755), 0);
    xpcd.emplace(root + "/domain", std::vector<std::string>{"--system"});
  }
  /// Each library, and the loader, where it is outside.
  void bring_libraries(const std::string& program) {
    const xpc_testing::run_result said = xpc_testing::run("/usr/bin/ldd", {.arguments = {program}});
    std::istringstream words(said.output);
    for (std::string word; words >> word;) {
      if (word.front() != '/') continue;
      fs::create_directories(fs::path(jail + word).parent_path());
      fs::copy_file(word, jail + word, fs::copy_options::skip_existing);
    }
  }
  std::string caged(const std::string& more = {}) {
    return "<key>RootDirectory</key><string>" + jail + "</string>" + more;
  }
  /// Starts it, waits for its end, gives what it said.
  std::string said(const std::string& label, const std::vector<std::string>& arguments,
                   const std::string& more = {}) {
    const std::string out = root + "/" + label;
    answer loaded = xpcd->bootstrap(
        plist(label, arguments, {},
              caged(more + "<key>StandardOutPath</key><string>" + out + "</string>")));
    if (!loaded) return loaded.message;
    answer started = xpcd->verb("kickstart", label);
    if (!started) return started.message;
    xpc_testing::wait_until(label + " to end",
                            [&] { return has(xpcd->print(label), "last-exit"); });
    return contents(out);
  }

  const std::string root = xpc_testing::runtime_directory();
  const std::string jail = root + "/jail";
  std::optional<manager> xpcd;
};

TEST_F(RootDirectory, TheProgramIsTheOneInsideAndSeesNothingElse) {
  const std::vector<std::string> looks{"/bin/service", "--xpc-role=looks_around", "/bin/service",
                                       root + "/outside"};
  EXPECT_EQ(said("inside", looks, "<key>WorkingDirectory</key><string>/work</string>"),
            "/work\nhas its domain\nsees /bin/service\n");
  const fd free_one(::open(xpcd->directory().c_str(), O_PATH | O_CLOEXEC));
  EXPECT_TRUE(finds_above(free_one.get(), (root + "/outside").c_str() + 1))
      << "another descriptor would lead there";
  EXPECT_EQ(text_at(xpcd->print("inside"), "root-directory"), jail);
  xpc_testing::run_result shown =
      xpc_testing::run(xpc_testing::xpcctl_program,
                       {.arguments = {"--domain", xpcd->directory(), "print", "inside"}});
  EXPECT_NE(shown.output.find("root directory       " + jail + "\n"), std::string::npos)
      << shown.output;
}

TEST_F(RootDirectory, AlsoForAnotherUserWhoCannotLeaveByTheDomain) {
  const std::vector<std::string> looks{"/bin/service", "--xpc-role=looks_around", root + "/outside",
                                       "/etc/passwd"};
  std::ofstream(root + "/user") << "";
  ASSERT_EQ(::chmod((root + "/user").c_str(), 0666), 0);
  EXPECT_EQ(said("user", looks, "<key>UserName</key><string>65534</string>"),
            "/\nhas its domain\n");
}

TEST_F(RootDirectory, ScriptsAndPlainNamesAreLookedUpInside) {
  EXPECT_EQ(said("script", {"/bin/script", "x"}), "done\n");
  EXPECT_EQ(texts_at(xpcd->print("script"), "stderr"), (std::vector<std::string>{"/bin/script x"}));
  EXPECT_EQ(said("plain", {"script", "y"},
                 "<key>EnvironmentVariables</key><dict><key>PATH</key>"
                 "<string>/nowhere:/bin</string></dict>"),
            "done\n");
}

TEST_F(RootDirectory, WhatIsNotThereOrNotRootsAloneIsRefusedByName) {
  EXPECT_EQ(said("outside", {"/bin/true"}), "outside: cannot be started: RootDirectory " + jail +
                                                ": /bin/true: No such file or directory");
  EXPECT_EQ(said("lost", {"/bin/service"}, "<key>WorkingDirectory</key><string>/home</string>"),
            "lost: cannot be started: working directory /home: No such file or directory");
  ASSERT_EQ(::chmod((jail + "/bin").c_str(), 0777), 0);
  EXPECT_EQ(said("open", {"/bin/service"}),
            "open: RootDirectory " + jail +
                ": /bin: others than root may write there, in the system domain nobody may");
  ASSERT_EQ(::chmod((jail + "/bin").c_str(), 0755), 0);
  ASSERT_EQ(::chown(jail.c_str(), 65534, 65534), 0);
  EXPECT_EQ(said("foreign", {"/bin/service"}),
            "foreign: RootDirectory " + jail +
                ": belongs to uid 65534, in the system domain it must be root's");
}

TEST_F(RootDirectory, AServiceInsideIsFoundAndSurvivesTheServiceManager) {
  // What a library finds descriptors through; in a mount namespace of the test's own it would not
  // be in that of xpcd.
  ASSERT_EQ(
      ::mount("proc", (jail + "/proc").c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr),
      0)
      << std::strerror(errno);
  struct unmounts {
    std::string where;
    ~unmounts() { ::umount2(where.c_str(), MNT_DETACH); }
  } const at_end{jail + "/proc"};
  const std::string name = "org.example.caged";
  ASSERT_TRUE(xpcd->bootstrap(
      for_anybody(plist("caged", {"/bin/service", "--xpc-role=echo", name}, {name}, caged()))));
  session client = xpcd->open(name);
  answer reply = client.call("hello");
  ASSERT_TRUE(reply) << reply.message << xpcd->log();
  const auto checked_in = [&] {
    return ::xpc_dictionary_get_bool(xpcd->print("caged").get(), "checked-in");
  };
  xpc_testing::wait_until("it to check in", checked_in);
  xpcd->replace();
  xpc_testing::wait_until("it to check in again", checked_in);
  answer again = xpcd->open(name).call("hello");
  ASSERT_TRUE(again) << again.message;
  EXPECT_EQ(number_at(again.reply, "pid"), number_at(reply.reply, "pid"));
}

}  // namespace
}  // namespace system_test
