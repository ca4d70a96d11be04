#include "activity/schedule.hpp"

#include <gtest/gtest.h>

namespace openxpc::activity {
namespace {

using namespace std::chrono_literals;

constexpr instant begin{1000h};

job::activity_criteria every(std::chrono::seconds interval) {
  job::activity_criteria what;
  what.interval = interval;
  what.delay = what.grace = std::chrono::nanoseconds(interval) / 2;
  what.repeats = true;
  what.empty = false;
  return what;
}
job::activity_criteria once(std::chrono::seconds delay) {
  job::activity_criteria what;
  what.delay = delay;
  what.empty = false;
  return what;
}

TEST(ActivitySchedule, R193_RunsOncePerIntervalAndFromHalfOfItOn) {
  schedule one(every(100s), begin);
  EXPECT_EQ(one.due(), begin + 50s);
  EXPECT_EQ(one.pressing(), begin + 100s);
  one.started(begin + 50s);
  EXPECT_EQ(one.due(), base::never) << "while it runs";
  one.done(begin + 60s);
  EXPECT_EQ(one.due(), begin + 150s);
  // Late in its period, it runs early in the next one: once in each all the same.
  one.started(begin + 190s);
  one.done(begin + 191s);
  EXPECT_EQ(one.due(), begin + 250s);
  EXPECT_EQ(one.runs(), 2U);
}

TEST(ActivitySchedule, R193_IntervalsThatPassedAreNotMadeUpFor) {
  schedule one(every(100s), begin);
  one.started(begin + 1025s);
  one.done(begin + 1026s);
  EXPECT_EQ(one.due(), begin + 1150s);
  // A run that outlasts its period and the next one.
  one.started(begin + 1150s);
  one.done(begin + 1310s);
  EXPECT_EQ(one.due(), begin + 1350s);
}

TEST(ActivitySchedule, R192_DoneEndsOneThatDoesNotRepeatAndRestartsTheTimersOfOneThatDoes) {
  schedule single(once(10s), begin);
  EXPECT_EQ(single.due(), begin + 10s);
  single.started(begin + 12s);
  single.done(begin + 13s);
  EXPECT_EQ(single.at(), schedule::phase::finished);
  EXPECT_EQ(single.due(), base::never);
  job::activity_criteria again = once(10s);
  again.repeats = true;
  schedule repeating(again, begin);
  repeating.started(begin + 12s);
  repeating.done(begin + 20s);
  EXPECT_EQ(repeating.due(), begin + 30s);
}

TEST(ActivitySchedule, OneThatRepeatsWithoutAnyTimeRestsAllTheSame) {
  job::activity_criteria restless = once(0s);
  restless.repeats = true;
  schedule one(restless, begin);
  EXPECT_EQ(one.due(), begin);
  one.started(begin);
  one.done(begin + 1ms);
  EXPECT_EQ(one.due(), begin + 1ms + schedule::least_pause);
}

TEST(ActivitySchedule, R189_ADeferredOneStaysDueAndIsTriedAgainEverMoreSeldom) {
  schedule one(every(100s), begin);
  one.started(begin + 50s);
  one.not_done(begin + 51s);
  EXPECT_EQ(one.due(), begin + 61s) << "a tenth of the interval";
  EXPECT_EQ(one.pressing(), begin + 100s) << "its timers are as they were";
  one.started(begin + 61s);
  one.not_done(begin + 61s);
  EXPECT_EQ(one.due(), begin + 81s);
  one.started(begin + 81s);
  one.done(begin + 82s);
  EXPECT_EQ(one.due(), begin + 150s);
  for (int i = 0; i < 100; ++i) one.not_done(begin + 200s);
  EXPECT_EQ(one.due(), begin + 200s + 1h);
}

TEST(ActivitySchedule, WithoutCriteriaItWaitsForThem) {
  schedule one({}, begin);
  EXPECT_EQ(one.due(), base::never);
  one.change(once(5s), begin + 100s);
  EXPECT_EQ(one.due(), begin + 105s);
  one.started(begin + 105s);
  one.done(begin + 105s);
  one.change(once(5s), begin + 200s);
  EXPECT_EQ(one.due(), begin + 205s) << "criteria bring a finished one back";
}

TEST(ActivitySchedule, ADemandedOneIsDueAtOnceAndOnlyOnce) {
  schedule one(every(100s), begin);
  one.demand();
  EXPECT_LE(one.due(), begin);
  one.started(begin);
  one.done(begin + 1s);
  EXPECT_EQ(one.due(), begin + 150s);
  one.demand();
  one.not_done(begin + 2s);
  EXPECT_EQ(one.due(), begin + 150s) << "one that did not come to run is as it was";
}

TEST(ActivitySchedule, WhatAnEarlierServiceManagerKnewComesBack) {
  schedule one(every(100s), begin);
  one.restore(begin - 30s, 7, begin);
  EXPECT_EQ(one.due(), begin + 20s);
  EXPECT_EQ(one.runs(), 7U);
  one.restore(begin + 5000s, 7, begin);
  EXPECT_EQ(one.due(), begin + 50s) << "the clock was set back";
}

TEST(ActivitySchedule, R194_UpkeepWaitsForOthersToEndUntilItsGracePeriodIsOver) {
  schedule upkeep(every(100s), begin);
  job::activity_criteria seen = every(100s);
  seen.utility = true;
  schedule useful(seen, begin);
  EXPECT_FALSE(may_start(upkeep, 0, begin + 49s));
  EXPECT_TRUE(may_start(upkeep, most_at_once - 1, begin + 50s));
  EXPECT_FALSE(may_start(upkeep, most_at_once, begin + 50s));
  EXPECT_TRUE(may_start(useful, most_at_once, begin + 50s));
  EXPECT_FALSE(may_start(upkeep, most_at_once, begin + 99s));
  EXPECT_TRUE(may_start(upkeep, most_at_once, begin + 100s));
}

}  // namespace
}  // namespace openxpc::activity
