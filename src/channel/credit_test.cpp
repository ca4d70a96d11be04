#include "channel/credit.hpp"

#include "channel/id_table.hpp"

#include <gtest/gtest.h>

#include <set>

namespace openxpc::channel {
namespace {

TEST(ChannelCredit, TheSpenderNeverComputesSentPlusSize) {
  credit_spender spender(100);
  EXPECT_TRUE(spender.affords(100));
  EXPECT_FALSE(spender.affords(101));
  EXPECT_FALSE(spender.affords(UINT64_MAX));
  spender.spend(60);
  EXPECT_FALSE(spender.affords(41));
  EXPECT_TRUE(spender.affords(40));
}

TEST(ChannelCredit, T48_TotalsThatFallOrLeapAreErrors) {
  credit_spender spender(100);
  spender.spend(100);
  EXPECT_FALSE(spender.grant(99));
  EXPECT_TRUE(spender.grant(100));
  EXPECT_TRUE(spender.grant(150));
  EXPECT_FALSE(spender.grant(100 + (1ull << 62) + 1));
  EXPECT_FALSE(spender.grant(UINT64_MAX));
  EXPECT_TRUE(spender.grant(100 + (1ull << 62)));
}

TEST(ChannelCredit, T48_WhatGoesBeyondTheLastAnnouncedTotalIsAnError) {
  credit_giver giver(65536);
  EXPECT_TRUE(giver.admit(65536));
  EXPECT_FALSE(giver.admit(1));
  giver.let_go(65536);
  EXPECT_FALSE(giver.admit(1)) << "let go, but not announced";
  EXPECT_EQ(giver.announce(), 131072u);
  EXPECT_TRUE(giver.admit(65536));
}

TEST(ChannelCredit, AnnouncesByQuarters) {
  credit_giver giver(65536);
  ASSERT_TRUE(giver.admit(20000));
  giver.let_go(16383);
  EXPECT_FALSE(giver.worth_announcing());
  giver.let_go(1);
  EXPECT_TRUE(giver.worth_announcing());
  giver.announce();
  EXPECT_FALSE(giver.worth_announcing());
}

TEST(ChannelCredit, AnnouncesWhenTheSenderIsNearlyOutAndNothingIsHeld) {
  credit_giver giver(65536);
  ASSERT_TRUE(giver.admit(60000));
  giver.let_go(56000);
  giver.announce();
  ASSERT_TRUE(giver.admit(61000));
  giver.let_go(100);
  EXPECT_FALSE(giver.worth_announcing()) << "a handler still holds most of it";
  giver.let_go(64900);
  EXPECT_TRUE(giver.worth_announcing());
}

/// Whatever is sent and let go in whatever pieces: a sender that waits for at most three quarters
/// of the credit gets it as soon as the receiver holds nothing.
TEST(ChannelCredit, NeverLeavesASenderWaitingForThreeQuarters) {
  constexpr std::uint64_t credit = 4096;
  for (std::uint64_t size = 1; size <= credit / 4 * 3; size += 7) {
    credit_spender spender(credit);
    credit_giver giver(credit);
    for (int round = 0; round < 200; ++round) {
      ASSERT_TRUE(spender.affords(size)) << size << " in round " << round;
      spender.spend(size);
      ASSERT_TRUE(giver.admit(size));
      giver.let_go(size);
      if (!giver.worth_announcing()) continue;
      ASSERT_TRUE(spender.grant(giver.announce()));
    }
  }
}

TEST(ChannelCredit, AdvancedBytesChangeSidesWhenLetGo) {
  credit_giver giver(65536);
  ASSERT_TRUE(giver.admit(60000));
  giver.advance(60000);
  EXPECT_EQ(giver.announce(), 65536u + 60000);
  ASSERT_TRUE(giver.admit(60000));
  giver.advance(60000);
  EXPECT_EQ(giver.total(), 65536u + 120000);
  giver.let_go_advanced(120000);
  EXPECT_EQ(giver.total(), 65536u + 120000);
}

TEST(ChannelIdTable, FindsWhatIsInItAndNothingElse) {
  id_table<int> table;
  std::set<std::uint64_t> model;
  std::uint64_t random = 88172645463325252ull;
  EXPECT_EQ(table.find(0), nullptr);
  for (int step = 0; step < 20000; ++step) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    const std::uint64_t id = random % 300 * (step % 2 ? 1 : 1ull << 32) + 1;
    if (model.count(id)) {
      ASSERT_TRUE(table.find(id));
      EXPECT_EQ(*table.find(id), static_cast<int>(id % 1000));
      table.erase(id);
      model.erase(id);
    } else {
      ASSERT_EQ(table.find(id), nullptr);
      table.insert(id, static_cast<int>(id % 1000));
      model.insert(id);
    }
    ASSERT_EQ(table.size(), model.size());
  }
  for (std::uint64_t id : model) EXPECT_TRUE(table.find(id));
  EXPECT_EQ(table.take_all().size(), model.size());
  EXPECT_TRUE(table.empty());
}

}  // namespace
}  // namespace openxpc::channel
