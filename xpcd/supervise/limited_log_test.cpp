#include "supervise/limited_log.hpp"

#include <gtest/gtest.h>

namespace openxpc::supervise {
namespace {

using std::chrono::seconds;

TEST(LimitedLog, SaysSoManyInAWhileAndCountsTheRest) {
  limited_log log({.lines = 2, .in = seconds(10)});
  const base::instant begin = base::instant{} + seconds(1000);
  EXPECT_EQ(log.take("one", begin), "one");
  EXPECT_EQ(log.take("two", begin + seconds(1)), "two");
  EXPECT_EQ(log.take("three", begin + seconds(2)), "");
  EXPECT_EQ(log.take("four", begin + seconds(9)), "");
  EXPECT_EQ(log.take("five", begin + seconds(10)), "five (2 more such lines left out)");
  EXPECT_EQ(log.take("six", begin + seconds(11)), "six");
}

TEST(LimitedLog, T69_WhatOthersSentStaysOnItsLine) {
  EXPECT_EQ(for_log("print"), "print");
  EXPECT_EQ(for_log("a\nxpcd: all well\x1b[2J"), "a\\x0axpcd: all well\\x1b[2J");
  EXPECT_EQ(for_log("back\\slash"), "back\\x5cslash");
  EXPECT_EQ(for_log(std::string(100, 'a'), 8), "aaaaaaaa...");
}

}  // namespace
}  // namespace openxpc::supervise
