// The system's service manager and the bundles of those who are not root. Root's alone, so the rest
// is passed over by everybody else.

#include "support/places.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/bundle_fixture.hpp"

namespace system_test {
namespace {

namespace fs = std::filesystem;

constexpr uid_t nobody = 65534;

class BundleOfOthers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: needs root";
    if (::access("/usr/bin/setpriv", X_OK) != 0) GTEST_SKIP() << "NOT SHOWN: there is no setpriv";
    ASSERT_EQ(::chmod(root.c_str(), 0755), 0);
    // Wherever the tests were built, these copies are root's and anybody's to run.
    for (const std::string& path : {program, helper}) {
      fs::create_directories(fs::path(path).parent_path());
      fs::copy_file(xpc_testing::this_program(), path);
      ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
    }
    xpcd.emplace(directory, std::vector<std::string>{"--system", "--idle-exit", "1"});
  }
  /// An application of another user. @param more  for setpriv; without: uid and gid 65534
  xpc_testing::child as_other(const std::vector<std::string>& more = {"--reuid=65534",
                                                                      "--regid=65534",
                                                                      "--clear-groups"},
                              const std::string& of = {}) const {
    xpc_testing::child_options options;
    options.arguments = more;
    options.arguments.push_back(of.empty() ? program : of);
    options.arguments.push_back("--xpc-role=application");
    options.keep_stderr = true;
    xpc_testing::child made = xpc_testing::child::program("/usr/bin/setpriv", options);
    made.expect_line("ready");
    return made;
  }
  std::string ask(xpc_testing::child& from, const std::string& word) const {
    from.write_line("through " + directory + " " + name + " " + word);
    return from.read_line().value_or("gone");
  }
  std::string make(const std::string& service = {}) const {
    return make_bundle(services, {.identifier = name, .service = service, .program = helper});
  }

  const std::string root = xpc_testing::runtime_directory();
  const std::string directory = root + "/system", contents = root + "/Demo.app/Contents";
  const std::string program = contents + "/MacOS/Demo", services = contents + "/XPCServices";
  const std::string helper = root + "/helper", name = "org.example.helper";
  std::optional<manager> xpcd;
};

TEST_F(BundleOfOthers, R222_R230_OneOfTypeSystemServesTheWholeMachine) {
  make("<key>ServiceType</key><string>System</string>\n");
  xpc_testing::child other = as_other();
  application first(program, directory), second(program, directory);
  const std::string pid = first.ask("a", name, "pid");
  EXPECT_GT(std::atoi(pid.c_str()), 0) << pid << xpcd->log();
  EXPECT_EQ(second.ask("a", name, "pid"), pid);
  EXPECT_EQ(ask(other, "pid"), pid);
  EXPECT_EQ(ask(other, "rights").substr(0, 4), "0 0 ") << "it is root's";
}

TEST_F(BundleOfOthers, R222_ItRunsAsTheUserOfItsApplicationWithItsGroupsAndLimits) {
  make();
  xpc_testing::child_options options;
  options.arguments = {"--nofile=250:300",      "/usr/bin/setpriv",     "--reuid=65534",
                       "--regid=65533",         "--groups=65533,65532", program,
                       "--xpc-role=application"};
  xpc_testing::child other = xpc_testing::child::program("/usr/bin/prlimit", options);
  other.expect_line("ready");
  const std::string rights = ask(other, "rights");
  EXPECT_EQ(rights.substr(0, rights.rfind(' ')), "65534 65533 65532,65533 nnp 1 files 250 300")
      << xpcd->log();
  EXPECT_NE(rights.substr(rights.rfind(' ') + 1), "/root");
  // Root's own application has one of root's.
  application roots(program, directory);
  EXPECT_EQ(roots.ask("a", name, "rights").substr(0, 4), "0 0 ");
}

TEST_F(BundleOfOthers, PrivilegesAreToBeHadForThoseWhoCanHaveThem) {
  make("<key>NoNewPrivileges</key><false/>\n");
  xpc_testing::child free = as_other();
  EXPECT_PRED_FORMAT2(has_text, ask(free, "rights"), " nnp 0 ");
  xpc_testing::child bound =
      as_other({"--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"});
  EXPECT_PRED_FORMAT2(has_text, ask(bound, "rights"), " nnp 1 ");
}

TEST_F(BundleOfOthers, R222_OneOfTypeUserIsSharedByTheProcessesOfOneUserAlone) {
  make("<key>ServiceType</key><string>User</string>\n");
  xpc_testing::child first = as_other(), second = as_other();
  xpc_testing::child third = as_other({"--reuid=65533", "--regid=65533", "--clear-groups"});
  const std::string pid = ask(first, "pid");
  EXPECT_GT(std::atoi(pid.c_str()), 0) << pid << xpcd->log();
  EXPECT_EQ(ask(second, "pid"), pid);
  EXPECT_NE(ask(third, "pid"), pid);
  EXPECT_EQ(ask(first, "rights").substr(0, 12), "65534 65534 ");
  EXPECT_EQ(ask(third, "rights").substr(0, 6), "65533 ");
}

TEST_F(BundleOfOthers, R225_ItEndsWithItsApplicationThroughRenewalAndDeathOfXpcd) {
  make();
  xpc_testing::child other = as_other();
  const std::string pid = ask(other, "pid");
  ASSERT_GT(std::atoi(pid.c_str()), 0) << pid << xpcd->log();
  ASSERT_EQ(
      xpc_testing::run(xpc_testing::xpcctl_program,
                       {.arguments = {"--domain", directory, "upgrade", "--manager", "--force"}})
          .end.status,
      0)
      << xpcd->log();
  EXPECT_EQ(ask(other, "pid"), pid);
  ASSERT_TRUE(xpc_testing::run(xpc_testing::xpcctl_program,
                               {.arguments = {"--domain", directory, "kill", "KILL",
                                              "pid/" + std::to_string(other.pid()) + "/" + name}})
                  .end.status == 0);
  wait_until_gone(std::atoi(pid.c_str()));
  // The next start is that of an xpcd that was told of it.
  EXPECT_EQ(ask(other, "rights").substr(0, 12), "65534 65534 ") << xpcd->log();
  const std::string next = ask(other, "pid");
  xpcd->replace();
  // Its socket is another one then; who meets the old one asks again, as the library does.
  std::string last;
  xpc_testing::wait_until("the new service manager's one", [&] {
    last = ask(other, "pid");
    return std::atoi(last.c_str()) > 0 && last != next;
  });
  EXPECT_EQ(ask(other, "rights").substr(0, 12), "65534 65534 ");
  wait_until_gone(std::atoi(next.c_str()));
  other.kill(SIGKILL);
  other.wait();
  wait_until_gone(std::atoi(last.c_str()));
}

TEST_F(BundleOfOthers, T58_OnlyRootsFilesCountAndWhatHelpsIsSaid) {
  const std::string bundle = make(), info = bundle + "/Contents/Info.plist";
  ASSERT_EQ(::chown(info.c_str(), nobody, nobody), 0);
  xpc_testing::child other = as_other();
  const std::string said = ask(other, "pid");
  EXPECT_PRED_FORMAT2(has_text, said, info + ": belongs to uid 65534");
  EXPECT_PRED_FORMAT2(has_text, said,
                      "what is uid 65534's own is started by a service manager of that user: xpcd");
}

TEST_F(BundleOfOthers, T56_WhoHasItsRightsFromAFileOrInPartGetsNone) {
  make();
  const std::string own = "has a user or a group of its program's, or changes them";
  xpc_testing::child half =
      as_other({"--ruid=65534", "--euid=65533", "--regid=65534", "--clear-groups"});
  EXPECT_PRED_FORMAT2(has_text, ask(half, "pid"), own);
  xpc_testing::child group =
      as_other({"--reuid=65534", "--rgid=65534", "--egid=65533", "--clear-groups"});
  EXPECT_PRED_FORMAT2(has_text, ask(group, "pid"), own);
  ASSERT_EQ(::chown(program.c_str(), 0, 65533), 0);
  ASSERT_EQ(::chmod(program.c_str(), 02755), 0);
  xpc_testing::child file = as_other({"--reuid=65534", "--regid=65533", "--clear-groups"});
  EXPECT_PRED_FORMAT2(has_text, ask(file, "pid"), own);
}

TEST_F(BundleOfOthers, T56_WhoIsConfinedGetsNone) {
  make();
  if (::access("/usr/bin/unshare", X_OK) != 0) GTEST_SKIP() << "NOT SHOWN: there is no unshare";
  xpc_testing::child_options options;
  options.arguments = {
      "--net", "/usr/bin/setpriv",      "--reuid=65534", "--regid=65534", "--clear-groups",
      program, "--xpc-role=application"};
  xpc_testing::child inside = xpc_testing::child::program("/usr/bin/unshare", options);
  if (inside.read_line() != "ready") GTEST_SKIP() << "NOT SHOWN: no network namespace can be made";
  EXPECT_PRED_FORMAT2(has_text, ask(inside, "pid"),
                      "in another net namespace, and its services would not be");
}

TEST_F(BundleOfOthers, T62_ProcessesOfOneUserAreBounded) {
  make();
  std::vector<xpc_testing::child> all;
  for (int count = 0; count < 128; ++count) all.push_back(as_other());
  for (xpc_testing::child& one : all) {
    one.write_line("control " + directory + " " + name + " 1");
    ASSERT_EQ(one.read_line(), "endpoint") << xpcd->log();
  }
  xpc_testing::child more = as_other();
  EXPECT_PRED_FORMAT2(has_text, ask(more, "pid"),
                      "too many processes of uid 65534 have services of their own here");
  xpc_testing::child third = as_other({"--reuid=65533", "--regid=65533", "--clear-groups"});
  EXPECT_GT(std::atoi(ask(third, "pid").c_str()), 0) << "nobody else is the worse for it";
}

/// In its user's own domain: what it may write itself it must not have run by somebody free.
TEST_F(BundleOfOthers, T56_AConfinedProcessHasOnlyServicesThatAreRoots) {
  if (::access("/usr/bin/unshare", X_OK) != 0) GTEST_SKIP() << "NOT SHOWN: there is no unshare";
  const std::string bundle = make(), info = bundle + "/Contents/Info.plist";
  const std::string home = root + "/home", own = home + "/domain";
  ASSERT_EQ(::mkdir(home.c_str(), 0700), 0);
  ASSERT_EQ(::chown(home.c_str(), nobody, nobody), 0);
  const std::vector<std::string> become{"--reuid=65534", "--regid=65534", "--clear-groups"};
  xpc_testing::child_options manages;
  manages.arguments = become;
  manages.arguments.insert(manages.arguments.end(),
                           {xpc_testing::xpcd_program, "--domain", own, "--ready-fd", "1"});
  xpc_testing::child users = xpc_testing::child::program("/usr/bin/setpriv", manages);
  if (users.read_line() != "ready")
    GTEST_SKIP() << "NOT SHOWN: what was built is for its builder only";
  xpc_testing::child_options options;
  options.arguments = {"--net", "/usr/bin/setpriv"};
  options.arguments.insert(options.arguments.end(), become.begin(), become.end());
  options.arguments.insert(options.arguments.end(), {program, "--xpc-role=application"});
  xpc_testing::child inside = xpc_testing::child::program("/usr/bin/unshare", options);
  if (inside.read_line() != "ready") GTEST_SKIP() << "NOT SHOWN: no network namespace can be made";
  const auto said = [&](xpc_testing::child& one) {
    one.write_line("through " + own + " " + name + " pid");
    return one.read_line().value_or("gone");
  };
  EXPECT_GT(std::atoi(said(inside).c_str()), 0) << "these are root's";
  ASSERT_EQ(::chown(info.c_str(), nobody, nobody), 0);
  EXPECT_PRED_FORMAT2(has_text, said(inside), info + ": belongs to uid 65534");
  EXPECT_PRED_FORMAT2(has_text, said(inside), "is in another net namespace");
  xpc_testing::child outside = as_other();
  EXPECT_GT(std::atoi(said(outside).c_str()), 0) << "whoever is free has his own";
}

}  // namespace
}  // namespace system_test
