#include "supervise/throttle.hpp"

#include <gtest/gtest.h>

namespace openxpc::supervise {
namespace {

using std::chrono::seconds;
using verdict = throttle::verdict;

const base::instant t0{seconds(1000)};

TEST(Throttle, R238_ABadEndWithinTheIntervalWaitsForItsRest) {
  throttle one(seconds(10));
  one.started(t0);
  EXPECT_EQ(one.ended(t0 + seconds(3), run_end::bad, false), verdict::wait);
  EXPECT_EQ(one.allowed(), t0 + seconds(10));
}

TEST(Throttle, ABadEndAfterTheIntervalStartsAtOnce) {
  throttle one(seconds(10));
  one.started(t0);
  EXPECT_EQ(one.ended(t0 + seconds(10), run_end::bad, false), verdict::at_once);
}

TEST(Throttle, CleanAndAskedEndsDoNotCount) {
  throttle one(seconds(10));
  for (int i = 0; i < 20; ++i) {
    one.started(t0);
    EXPECT_EQ(one.ended(t0, run_end::clean, false), verdict::at_once);
    one.started(t0);
    EXPECT_EQ(one.ended(t0, run_end::asked, true), verdict::at_once);
  }
}

TEST(Throttle, R238_QuickExitsOfKeptAliveJobsWaitButNeverFail) {
  throttle one(seconds(10));
  for (int i = 0; i < 20; ++i) {
    one.started(t0);
    EXPECT_EQ(one.ended(t0, run_end::clean, true), verdict::wait);
  }
}

TEST(Throttle, T62_FiveQuickBadEndsInARowFail) {
  throttle one(seconds(10));
  for (int i = 0; i < 4; ++i) {
    one.started(t0);
    EXPECT_EQ(one.ended(t0, run_end::bad, true), verdict::wait);
  }
  one.started(t0);
  EXPECT_EQ(one.ended(t0, run_end::bad, true), verdict::failed);
  one.forgive();
  one.started(t0);
  EXPECT_EQ(one.ended(t0, run_end::bad, true), verdict::wait);
}

TEST(Throttle, ALongRunBreaksTheRow) {
  throttle one(seconds(10));
  for (int i = 0; i < 4; ++i) {
    one.started(t0);
    (void)one.ended(t0, run_end::bad, true);
  }
  one.started(t0);
  EXPECT_EQ(one.ended(t0 + seconds(11), run_end::bad, true), verdict::at_once);
  one.started(t0);
  EXPECT_EQ(one.ended(t0, run_end::bad, true), verdict::wait);
}

TEST(Throttle, IntervalZeroNeverWaits) {
  throttle one(seconds(0));
  one.started(t0);
  EXPECT_EQ(one.ended(t0, run_end::bad, true), verdict::at_once);
}

}  // namespace
}  // namespace openxpc::supervise
