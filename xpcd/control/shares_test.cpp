#include "control/shares.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace openxpc::control {
namespace {

constexpr std::size_t many = 1'000'000;

class Shares : public ::testing::Test {
 protected:
  const std::shared_ptr<shares> all = std::make_shared<shares>(
      shares::limits{.each = 10, .others = 24, .always = 2, .of_a_process = 3});
  std::vector<std::unique_ptr<shares::place>> places;
  std::string why;

  /// As many as there may be, kept.
  std::size_t fill(const shares::client& who, std::size_t descriptors = many) {
    for (std::size_t count = 0; count < 100; ++count) {
      std::unique_ptr<shares::place> one = shares::admit(all, who, descriptors, &why);
      if (!one) return count;
      places.push_back(std::move(one));
    }
    return 100;
  }
};

TEST_F(Shares, T49_OneUserHasItsShareAndIsToldWhenItIsFull) {
  EXPECT_EQ(fill({.user = 1000}), 10u);
  EXPECT_EQ(why,
            "uid 1000 has 10 conversations with the service manager open, and may have no more; "
            "try again when some have ended");
  EXPECT_EQ(fill({.user = 1000}), 0u);
  places.pop_back();
  EXPECT_EQ(fill({.user = 1000}), 1u) << "what has ended counts no longer";
  places.clear();
  EXPECT_EQ(fill({.user = 1000}), 10u);
}

TEST_F(Shares, T49_ManyUsersShareWhatThereIsAndNobodyIsLeftWithNothing) {
  EXPECT_EQ(fill({.user = 1}), 10u);
  EXPECT_EQ(fill({.user = 2}), 10u);
  EXPECT_EQ(fill({.user = 3}), 8u) << "a third of all";
  for (uid_t user = 4; user < 100; ++user) {
    EXPECT_EQ(fill({.user = user}), std::max<std::size_t>(24 / user, 2)) << user;
  }
  EXPECT_EQ(fill({.user = 0, .privileged = true}), 10u) << "whatever the others have";
}

TEST_F(Shares, T49_FewDescriptorsMakeThemSmaller) {
  EXPECT_EQ(fill({.user = 1}, 64), 8u);
  EXPECT_EQ(fill({.user = 2}, 8), 2u) << "what everybody may have";
  EXPECT_EQ(fill({.user = 0, .privileged = true}, 64), 8u);
}

TEST_F(Shares, T49_ProcessesOfJobsTakeNothingOfTheirUsers) {
  EXPECT_EQ(fill({.user = 1}), 10u);
  EXPECT_EQ(fill({.user = 1, .process_of_job = 77}), 3u);
  EXPECT_EQ(why,
            "process 77 has 3 conversations with the service manager open, and may have no more; "
            "try again when some have ended");
  EXPECT_EQ(fill({.user = 1, .process_of_job = 78}), 3u);
  places.clear();
  EXPECT_EQ(fill({.user = 1, .process_of_job = 77}), 3u);
  EXPECT_EQ(fill({.user = 1}), 10u);
}

}  // namespace
}  // namespace openxpc::control
