#include "channel/ring/yielding.hpp"

#include <gtest/gtest.h>

namespace openxpc::channel {
namespace {

using outcome = yielding::outcome;

/// Waits until it is tried again.
std::uint32_t pause_of(yielding& what) {
  std::uint32_t waits = 0;
  while (!what.worth_it()) ++waits;
  return waits;
}

void find(yielding& what, int times) {
  for (int i = 0; i < times; ++i) {
    ASSERT_TRUE(what.worth_it());
    what.tell(outcome::found);
  }
}

TEST(Yielding, IsTriedAtOnceAndKeptUpWhilePacketsAreFound) {
  yielding what;
  find(what, 10'000);
}

TEST(Yielding, IsKeptUpWhileFourOutOfFiveFindAPacket) {
  yielding what;
  find(what, 5);
  for (int i = 0; i < 1'000; ++i) {
    what.tell(outcome::nothing);
    find(what, 4);
  }
}

TEST(Yielding, EndsWhereEverySecondFindsNothing) {
  yielding what;
  find(what, 1'000);
  int tries = 0;
  for (; what.worth_it(); ++tries) what.tell(tries % 2 ? outcome::found : outcome::nothing);
  EXPECT_LT(tries, 32);
}

TEST(Yielding, IsLeftAloneTwiceAsLongEachTimeUpToABound) {
  yielding what;
  std::uint32_t expected = yielding::pause_first;
  for (int i = 0; i < 20; ++i) {
    what.tell(outcome::nothing);
    EXPECT_EQ(pause_of(what), expected);
    expected = std::min(2 * expected, yielding::pause_most);
  }
  EXPECT_EQ(expected, yielding::pause_most);
}

TEST(Yielding, ACoreThatIsWantedByOthersIsLeftAloneForLonger) {
  yielding what;
  what.tell(outcome::held_up);
  EXPECT_EQ(pause_of(what), yielding::pause_first);
  what.tell(outcome::held_up);
  EXPECT_EQ(pause_of(what), 8 * yielding::pause_first);
}

TEST(Yielding, ATickNowAndThenEndsNothing) {
  yielding what;
  find(what, 9);
  for (int i = 0; i < 100; ++i) {
    what.tell(outcome::held_up);
    find(what, 50);
  }
}

TEST(Yielding, AfterItHasPaidForAWhilePausesAreShortAgain) {
  yielding what;
  for (int i = 0; i < 8; ++i) {
    what.tell(outcome::nothing);
    pause_of(what);
  }
  find(what, 32);
  for (int i = 0; i < 8; ++i) what.tell(outcome::nothing);
  EXPECT_EQ(pause_of(what), yielding::pause_first);
}

}  // namespace
}  // namespace openxpc::channel
