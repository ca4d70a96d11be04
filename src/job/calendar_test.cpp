#include "job/calendar.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace openxpc::job {
namespace {

class Calendar : public ::testing::Test {
 protected:
  void SetUp() override { zone("Europe/Berlin"); }
  void TearDown() override { zone(""); }
  static void zone(const char* name) {
    if (*name != 0) {
      ::setenv("TZ", name, 1);
    } else {
      ::unsetenv("TZ");
    }
    ::tzset();
  }
  static std::time_t at(const char* text) {
    std::tm local{};
    EXPECT_NE(::strptime(text, "%Y-%m-%d %H:%M:%S", &local), nullptr) << text;
    local.tm_isdst = -1;
    return std::mktime(&local);
  }
  static std::string next(const std::vector<calendar_time>& patterns, const char* now) {
    std::optional<std::time_t> found = next_time(patterns, at(now));
    if (!found) return "never";
    std::tm local{};
    ::localtime_r(&*found, &local);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    return text;
  }
  static calendar_time time(std::optional<int> hour, std::optional<int> minute) {
    calendar_time result;
    result.hour = hour;
    result.minute = minute;
    return result;
  }
};

TEST_F(Calendar, WhatIsNotGivenIsAny) {
  EXPECT_EQ(next({{}}, "2026-03-01 10:00:00"), "2026-03-01 10:01:00");
  EXPECT_EQ(next({{}}, "2026-03-01 10:00:59"), "2026-03-01 10:01:00");
  EXPECT_EQ(next({time({}, 30)}, "2026-03-01 10:30:00"), "2026-03-01 11:30:00");
  EXPECT_EQ(next({time(3, {})}, "2026-03-01 03:10:00"), "2026-03-01 03:11:00");
  EXPECT_EQ(next({time(3, {})}, "2026-03-01 03:59:00"), "2026-03-02 03:00:00");
  EXPECT_EQ(next({time(3, 15)}, "2026-12-31 03:15:00"), "2027-01-01 03:15:00");
}

TEST_F(Calendar, DaysMonthsAndWeekdays) {
  calendar_time first = time(0, 0);
  first.day = 1;
  EXPECT_EQ(next({first}, "2026-03-01 00:00:00"), "2026-04-01 00:00:00");
  calendar_time leap = time(0, 0);
  leap.day = 29;
  leap.month = 2;
  EXPECT_EQ(next({leap}, "2026-03-01 00:00:00"), "2028-02-29 00:00:00");
  calendar_time monday = time(9, 0);
  monday.weekday = 1;
  EXPECT_EQ(next({monday}, "2026-11-28 19:00:00"), "2026-11-30 09:00:00");
  // Both given: either will do.
  calendar_time either = monday;
  either.day = 29;
  EXPECT_EQ(next({either}, "2026-11-28 19:00:00"), "2026-11-29 09:00:00");
  EXPECT_EQ(next({either}, "2026-11-29 19:00:00"), "2026-11-30 09:00:00");
}

TEST_F(Calendar, TheEarliestOfSeveralCounts) {
  EXPECT_EQ(next({time(12, 0), time(11, 0)}, "2026-03-01 10:00:00"), "2026-03-01 11:00:00");
  EXPECT_EQ(next({}, "2026-03-01 10:00:00"), "never");
}

TEST_F(Calendar, DaysThatDoNotExistNeverCome) {
  calendar_time february = time(0, 0);
  february.day = 30;
  february.month = 2;
  EXPECT_EQ(next({february}, "2026-03-01 00:00:00"), "never");
}

TEST_F(Calendar, ChangesOfClocks) {
  // 02:30 is left out on the last Sunday of March, and is there again the day after.
  EXPECT_EQ(next({time(2, 30)}, "2026-03-29 01:00:00"), "2026-03-30 02:30:00");
  EXPECT_EQ(next({time(3, 30)}, "2026-03-29 01:00:00"), "2026-03-29 03:30:00");
  // 02:30 comes twice in October; the second one is an hour later.
  const std::vector<calendar_time> half_past_two{time(2, 30)};
  const std::time_t once = *next_time(half_past_two, at("2026-10-25 01:00:00"));
  EXPECT_EQ(*next_time(half_past_two, once), once + 3600);
  zone("Asia/Kolkata");  // half an hour off
  EXPECT_EQ(next({time(7, 0)}, "2026-03-01 06:50:00"), "2026-03-01 07:00:00");
  EXPECT_EQ(next({time(7, 0)}, "2026-03-01 07:50:00"), "2026-03-02 07:00:00");
}

}  // namespace
}  // namespace openxpc::job
