#include "supervise/hardened.hpp"

#include <gtest/gtest.h>

#include <grp.h>

#include <cerrno>

namespace openxpc::supervise {
namespace {

constexpr const char* unused = "3999999990";

struct hardening {
  failure_of why;
  std::optional<credentials> who;
};

hardening harden_with(job::process_setup setup, const std::string& group) {
  hardening result;
  outcome<std::optional<credentials>> who = credentials_of(setup);
  EXPECT_TRUE(who);
  result.who = *who;
  result.why = harden(setup, group, &result.who);
  return result;
}

job::process_setup as(const std::string& user, bool hardened = true) {
  job::process_setup setup;
  setup.user = user;
  setup.hardened = hardened;
  setup.init_groups = false;
  return setup;
}

TEST(Hardened, T34_TheGroupBecomesTheProcessesOwnAndTheUsersStaysBeside) {
  const hardening done = harden_with(as("65534"), unused);
  ASSERT_FALSE(done.why) << done.why->text;
  EXPECT_EQ(done.who->gid, 3999999990u);
  EXPECT_EQ(done.who->groups, std::vector<gid_t>{65534});
}

TEST(Hardened, T34_OneThatAsksForNothingIsLeftAsItIs) {
  const hardening plain = harden_with(as("65534", false), unused);
  ASSERT_FALSE(plain.why) << plain.why->text;
  EXPECT_EQ(plain.who->gid, 65534u);
  EXPECT_FALSE(harden_with(as("65534", false), "no such group").why);
}

TEST(Hardened, T34_NobodyElseGetsTheGroup) {
  job::process_setup thief = as("65534", false);
  thief.group = unused;
  hardening refused = harden_with(thief, unused);
  ASSERT_TRUE(refused.why);
  EXPECT_EQ(refused.why->text, "GroupName: the group 3999999990 is for jobs with Hardened alone");
  EXPECT_EQ(refused.why->number, EPERM);
  refused = harden_with(as("65534", false), "65534");
  ASSERT_TRUE(refused.why);
  EXPECT_EQ(refused.why->text, "UserName: the group 65534 is for jobs with Hardened alone");
}

TEST(Hardened, T34_AGroupThatProvesNothingIsRefused) {
  EXPECT_EQ(harden_with(as("65534"), "no such group").why->text,
            "Hardened: there is no group no such group, see xpcd(8)");
  EXPECT_EQ(harden_with(as("65534"), "0").why->text,
            "Hardened: the group 0 proves nothing, it is root's");
  std::string with_member;
  std::string member;
  ::setgrent();
  while (const group* each = ::getgrent()) {
    if (each->gr_gid == 0 || each->gr_mem[0] == nullptr) continue;
    with_member = each->gr_name;
    member = each->gr_mem[0];
    break;
  }
  ::endgrent();
  if (with_member.empty()) GTEST_SKIP() << "no group of this machine has a member";
  EXPECT_EQ(harden_with(as("65534"), with_member).why->text,
            "Hardened: the group " + with_member + " proves nothing, " + member + " is a member");
}

TEST(Hardened, T34_RootIsNotHardened) {
  EXPECT_EQ(harden_with(as("0"), unused).why->text,
            "Hardened: UserName must not be root, who may read and change every process");
}

}  // namespace
}  // namespace openxpc::supervise
