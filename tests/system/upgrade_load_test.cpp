// Upgrades under load: no accepted message is lost or handled twice, no client is stuck.

#include "system/upgrade_load.hpp"

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"
#include "support/sanitizers.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "system/versions.hpp"

namespace system_test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int upgrades = 15;
#else
constexpr int upgrades = 100;
#endif

class UpgradeUnderLoad : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain"};
  const std::string name = "org.example.versions";
  const std::string program = root + "/root/usr/lib/example/service";
  const std::string handled = root + "/handled";

  void load() {
    answer loaded = xpcd.bootstrap(plist("job", {program, name, handled}, {name}));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  static std::string first_of(const std::vector<std::string>& wrong) {
    return wrong.empty() ? "" : std::to_string(wrong.size()) + " wrong, the first: " + wrong[0];
  }
};

TEST_F(UpgradeUnderLoad, T64_ManyInARowLoseNothingAndDoNothingTwice) {
  std::filesystem::create_directories(root + "/root/usr/lib/example");
  install_version(program, 0);
  load();
  clients all(xpcd, name, {.callers = 2, .sender = false, .subscriber = true});
  all.wait_for_progress();
  for (int version = 1; version <= upgrades; ++version) {
    install_version(program, version);
    answer done = upgrade(xpcd, "job");
    ASSERT_TRUE(done) << done.message;
    ASSERT_EQ(text_at(done.reply, "result"), "upgraded") << text_at(done.reply, "reason");
    all.wait_for_progress();
  }
  EXPECT_EQ(first_of(all.finish(handled)), "");
  // One with each version; the harness sees that none of them keeps a descriptor.
  EXPECT_GE(all.subscriptions(), upgrades + 1);
  EXPECT_EQ(text_at(xpcd.open(name).call("hello").reply, "version"), std::to_string(upgrades));
  EXPECT_EQ(number_at(xpcd.print("job"), "generation"), upgrades + 1);
  EXPECT_EQ(number_at(xpcd.print("job"), "quick-failures"), 0);
}

/// A package of one version of the service, with scripts as a packager writes them.
class UpgradeByPackage : public UpgradeUnderLoad {
 protected:
  void SetUp() override {
    if (std::system("command -v dpkg >/dev/null && command -v dpkg-deb >/dev/null") != 0)
      GTEST_SKIP() << "NOT SHOWN: needs dpkg and dpkg-deb";
    std::filesystem::create_directories(root + "/root/var/lib/dpkg/updates");
    std::filesystem::create_directories(root + "/root/var/lib/dpkg/info");
    for (const char* file : {"status", "available"}) {
      std::ofstream(root + "/root/var/lib/dpkg/" + file).flush();
    }
  }
  void script(const std::string& tree, const std::string& which, const std::string& text) {
    const std::string file = tree + "/DEBIAN/" + which;
    std::ofstream(file) << "#!/bin/sh\nset -e\n" << text;
    std::filesystem::permissions(file, std::filesystem::perms(0755));
  }
  /// @return how dpkg ended, and what it printed
  xpc_testing::run_result install(int version, const std::string& behaviour, bool kill_before) {
    const std::string tree = root + "/tree", package = root + "/example.deb";
    std::filesystem::remove_all(tree);
    std::filesystem::create_directories(tree + "/DEBIAN");
    std::filesystem::create_directories(tree + "/usr/lib/example");
    std::ofstream(tree + "/DEBIAN/control")
        << "Package: example\nVersion: 1." << version
        << "\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: a service\n";
    install_version(tree + "/usr/lib/example/service", version, behaviour);
    if (kill_before) {
      // Not by xpcd's word but by force, as careless packages do.
      script(tree, "preinst",
             "for p in /proc/[0-9]*; do\n"
             "  case $(readlink $p/exe) in " +
                 program +
                 "*) kill -KILL ${p#/proc/} || : ;; esac\n"
                 "done\n");
    }
    script(tree, "postinst",
           "PATH=" + std::filesystem::path(xpc_testing::xpcctl_program).parent_path().string() +
               ":$PATH exec sh " + xpc_testing::source_folder + "/packaging/xpc-upgrade --domain " +
               xpcd.directory() + " job\n");
    xpc_testing::run_result built =
        xpc_testing::run("/usr/bin/dpkg-deb",
                         {.arguments = {"--root-owner-group", "-Znone", "--build", tree, package},
                          .keep_stderr = true});
    EXPECT_EQ(built.end.status, 0) << built.error;
    // The scripts run outside the root, where there is a shell.
    return xpc_testing::run(
        "/usr/bin/dpkg",
        {.arguments = {"--root=" + root + "/root", "--force-not-root", "--force-script-chrootless",
                       "--force-bad-path", "--log=" + root + "/dpkg.log", "--install", package},
         .keep_stderr = true});
  }
};

TEST_F(UpgradeByPackage, T64_InstalledOverTheOldOneWhileClientsRun) {
  xpc_testing::run_result said = install(1, "good", false);
  ASSERT_EQ(said.end.status, 0) << said.output << said.error;
  load();
  {
    clients all(xpcd, name, {.callers = 1, .sender = true, .subscriber = true});
    all.wait_for_progress();
    for (int version = 2; version <= 4; ++version) {
      said = install(version, "good", false);
      ASSERT_EQ(said.end.status, 0) << said.output << said.error;
      EXPECT_EQ(text_at(xpcd.open(name).call("hello").reply, "version"), std::to_string(version));
      all.wait_for_progress();
    }
    EXPECT_EQ(first_of(all.finish(handled)), "");
  }
  // One that does not work: dpkg says so, and the service goes on as it was.
  said = install(5, "crash", false);
  EXPECT_NE(said.end.status, 0);
  EXPECT_NE(said.error.find("libraries are not rolled back"), std::string::npos) << said.error;
  EXPECT_EQ(text_at(xpcd.open(name).call("hello").reply, "version"), "4");
}

TEST_F(UpgradeByPackage, T64_APreInstallScriptThatKillsProcessesChangesNothing) {
  ASSERT_EQ(install(1, "good", false).end.status, 0);
  load();
  session client = xpcd.open(name);
  ASSERT_EQ(text_at(client.call("hello").reply, "version"), "1");
  const std::int64_t before = number_at(xpcd.print("job"), "pid");
  xpc_testing::run_result said = install(2, "good", true);
  ASSERT_EQ(said.end.status, 0) << said.output << said.error;
  EXPECT_FALSE(is_alive(static_cast<pid_t>(before)));
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  EXPECT_EQ(text_at(xpcd.open(name).call("hello").reply, "version"), "2");
  // Nor does it help a version that does not work: the last one that did is started.
  said = install(3, "exit", true);
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  EXPECT_EQ(text_at(xpcd.open(name).call("hello").reply, "version"), "2") << xpcd.log();
}

}  // namespace
}  // namespace system_test
