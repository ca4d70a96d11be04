#include "connection/half_open.hpp"

#include <gtest/gtest.h>

namespace openxpc::connection {
namespace {

constexpr auto plenty = [] { return std::size_t{1} << 20; };

/// How many this user gets in addition, until it is told to wait.
template <class F>
std::size_t fill(half_open& who, uid_t user, F descriptor_limit) {
  std::size_t count = 0;
  while (who.admit(user, descriptor_limit)) ++count;
  return count;
}

TEST(HalfOpen, T49_OneUserHasItsLimitAndTheNextOneItsOwn) {
  half_open who({.each = 100, .all = 1000, .always = 2});
  EXPECT_EQ(fill(who, 1, plenty), 100u);
  EXPECT_EQ(fill(who, 2, plenty), 100u);
  EXPECT_EQ(who.total(), 200u);
  who.leave(1);
  EXPECT_TRUE(who.admit(1, plenty)) << "room again";
  EXPECT_FALSE(who.admit(1, plenty));
}

TEST(HalfOpen, T49_ManyUsersShareWhatThereIsAndNoneIsKeptOut) {
  half_open who({.each = 100, .all = 400, .always = 2});
  for (uid_t user = 1; user <= 4; ++user) EXPECT_EQ(fill(who, user, plenty), 100u);
  EXPECT_EQ(fill(who, 5, plenty), 80u) << "a fifth";
  EXPECT_FALSE(who.admit(1, plenty)) << "has more than its share";
  for (uid_t user = 6; user < 1000; ++user) EXPECT_GE(fill(who, user, plenty), 2u);
}

TEST(HalfOpen, T49_WithFewDescriptorsHalfOfThemStayFree) {
  half_open who({.each = 100, .all = 1000, .always = 2});
  EXPECT_EQ(fill(who, 1, [] { return std::size_t{60}; }), 15u);
  EXPECT_EQ(fill(who, 2, [] { return std::size_t{4}; }), 2u);
}

TEST(HalfOpen, AUserThatLeftIsForgotten) {
  half_open who({.each = 10, .all = 10, .always = 1});
  EXPECT_EQ(fill(who, 1, plenty), 10u);
  for (int i = 0; i < 10; ++i) who.leave(1);
  who.leave(1);
  EXPECT_EQ(who.total(), 0u);
  EXPECT_EQ(fill(who, 2, plenty), 10u) << "it takes no share any more";
}

}  // namespace
}  // namespace openxpc::connection
