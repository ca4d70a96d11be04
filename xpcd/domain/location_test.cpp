#include "domain/location.hpp"

#include <gtest/gtest.h>

namespace openxpc::domain {
namespace {

surroundings of_user(uid_t uid) {
  surroundings here;
  here.euid = uid;
  here.is_private_directory = [](const std::string&, uid_t) { return true; };
  return here;
}

TEST(DomainLocation, OptionWinsOverEverything) {
  surroundings here = of_user(0);
  here.option = "/srv/domain";
  here.xdg_runtime_dir = "/run/user/0";
  here.secure_execution = true;
  EXPECT_EQ(locate(here)->directory, "/srv/domain");
  EXPECT_FALSE(locate(here)->system);
  here.option = "";
  EXPECT_FALSE(locate(here));
}

TEST(DomainLocation, T53_RootWithoutAnOptionMeansSystemWhateverTheEnvironmentSays) {
  surroundings here = of_user(0);
  here.xdg_runtime_dir = "/home/attacker";
  EXPECT_EQ(locate(here)->directory, "/run/xpc");
  EXPECT_TRUE(locate(here)->system);
}

TEST(DomainLocation, T53_SetUidProgramsTakeNothingFromTheEnvironment) {
  surroundings here = of_user(1000);
  here.secure_execution = true;
  here.xdg_runtime_dir = "/run/user/1000";
  outcome<location> found = locate(here);
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().text.find("--domain"), std::string::npos);
}

TEST(DomainLocation, UserHasADirectoryBelowTheRuntimeDirectory) {
  surroundings here = of_user(1000);
  here.xdg_runtime_dir = "/run/user/1000";
  EXPECT_EQ(locate(here)->directory, "/run/user/1000/xpc");
}

TEST(DomainLocation, OnlyTheDomainOfAUserStandsBelowThatOfTheSystem) {
  surroundings here = of_user(1000);
  EXPECT_EQ(locate(here)->system_directory, "/run/xpc") << "where root made it";
  here.xdg_runtime_dir = "/run/user/1000";
  EXPECT_EQ(locate(here)->system_directory, "/run/xpc");
  here.option = "/srv/domain";
  EXPECT_EQ(locate(here)->system_directory, "") << "whoever names it looks nowhere else";
  EXPECT_EQ(locate(of_user(0))->system_directory, "");
}

TEST(DomainLocation, WhereDescriptionsAndLastingStateAre) {
  surroundings here = of_user(1000);
  here.xdg_runtime_dir = "/run/user/1000";
  using paths = std::vector<std::string>;
  EXPECT_EQ(locate(here)->jobs, (paths{"/etc/xpc/agents", "/usr/lib/xpc/agents"}));
  EXPECT_EQ(locate(here)->state, "");
  here.home = "/home/u";
  EXPECT_EQ(locate(here)->jobs.back(), "/home/u/.config/xpc/agents");
  EXPECT_EQ(locate(here)->state, "/home/u/.local/state/xpc");
  here.xdg_config_home = "/c";
  here.xdg_state_home = "/s";
  EXPECT_EQ(locate(here)->jobs.back(), "/c/xpc/agents");
  EXPECT_EQ(locate(here)->state, "/s/xpc");
  here.xdg_state_home = "relative";
  EXPECT_EQ(locate(here)->state, "/home/u/.local/state/xpc");
  here.option = "/d";
  EXPECT_EQ(locate(here)->jobs, paths());
  EXPECT_EQ(locate(here)->state, "/d/.state");
  here = of_user(0);
  EXPECT_EQ(locate(here)->jobs, (paths{"/etc/xpc/daemons", "/usr/lib/xpc/daemons"}));
  EXPECT_EQ(locate(here)->state, "/var/lib/xpc");
}

TEST(DomainLocation, R230_TheSystemsDomainIsRootsInWhicheverDirectory) {
  surroundings here = of_user(1000);
  here.system = true;
  here.option = "/d";
  EXPECT_EQ(locate(here).error().what, trouble::kind::denied);
  here.euid = 0;
  EXPECT_TRUE(locate(here)->system);
  EXPECT_EQ(locate(here)->directory, "/d");
}

TEST(DomainLocation, WithoutRuntimeDirectoryOnlyWhatRootMade) {
  surroundings here = of_user(1000);
  EXPECT_EQ(locate(here)->directory, "/run/xpc/user/1000");
  here.is_private_directory = [](const std::string&, uid_t) { return false; };
  outcome<location> none = locate(here);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().what, trouble::kind::not_found);
  EXPECT_NE(none.error().text.find("--domain DIR"), std::string::npos);
}

TEST(DomainLocation, RefusesARuntimeDirectoryThatOthersCanEnter) {
  surroundings here = of_user(1000);
  here.xdg_runtime_dir = "/run/user/1000";
  here.is_private_directory = [](const std::string&, uid_t) { return false; };
  outcome<location> found = locate(here);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().what, trouble::kind::denied);
  here.xdg_runtime_dir = "relative";
  EXPECT_EQ(locate(here).error().what, trouble::kind::bad_input);
}

}  // namespace
}  // namespace openxpc::domain
