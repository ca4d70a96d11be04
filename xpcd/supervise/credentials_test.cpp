#include "supervise/credentials.hpp"

#include <gtest/gtest.h>

#include <pwd.h>
#include <unistd.h>

namespace openxpc::supervise {
namespace {

job::process_setup setup(const std::string& user, const std::string& group = {}) {
  job::process_setup result;
  result.user = user;
  result.group = group;
  return result;
}

TEST(Credentials, NoNamesNoCredentials) {
  outcome<std::optional<credentials>> none = credentials_of({});
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST(Credentials, NamesAndNumbersAreLookedUp) {
  for (const char* name : {"root", "0"}) {
    outcome<std::optional<credentials>> root = credentials_of(setup(name));
    ASSERT_TRUE(root && *root) << name;
    const credentials& who = **root;
    EXPECT_EQ(who.uid, 0u);
    EXPECT_EQ(who.gid, 0u);
    EXPECT_EQ(who.user, "root");
    EXPECT_EQ(variables_of(who).at("HOME"), ::getpwuid(0)->pw_dir);
    EXPECT_EQ(variables_of(who).at("USER"), "root");
  }
}

TEST(Credentials, ANumberNeedNotBeKnown) {
  job::process_setup wanted = setup("3999999999", "3999999998");
  wanted.init_groups = false;
  outcome<std::optional<credentials>> found = credentials_of(wanted);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->uid, 3999999999u);
  EXPECT_EQ((*found)->gid, 3999999998u);
  EXPECT_EQ((*found)->groups, std::vector<gid_t>{3999999998u});
}

TEST(Credentials, UnknownNamesAreErrorsThatNameTheKey) {
  EXPECT_EQ(credentials_of(setup("no such user")).error().text,
            "UserName no such user: no such user");
  EXPECT_EQ(credentials_of(setup("root", "no such group")).error().text,
            "GroupName no such group: no such group");
  // The number that system calls take for "leave it as it is" is nobody's.
  EXPECT_FALSE(credentials_of(setup("4294967295")));
}

TEST(Credentials, WithoutAnyNothingChanges) {
  const as_user same(std::nullopt);
  EXPECT_TRUE(same.is_in_force());
}

}  // namespace
}  // namespace openxpc::supervise
