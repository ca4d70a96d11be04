#include "job/activity.hpp"

#include "job/read.hpp"

#include <gtest/gtest.h>

namespace openxpc::job {
namespace {

using namespace std::chrono_literals;

struct checked {
  activity_criteria what;
  std::vector<std::string> findings;
};
checked look(const std::string& json) {
  object_ref object(::openxpc_plist_parse(json.data(), json.size(), "j", nullptr));
  EXPECT_NE(object, nullptr) << json;
  reader in(object.get(), nullptr);
  checked result;
  result.what = read_activity(in, {"a"}, object.get());
  for (const finding& one : in.take_findings()) result.findings.push_back(describe(one, "j"));
  return result;
}

TEST(JobActivity, R193_AnIntervalImpliesRepeatingAndHalfOfItAsDelayAndGrace) {
  const checked day = look(R"({"Interval": 7})");
  EXPECT_TRUE(day.findings.empty());
  EXPECT_TRUE(day.what.repeats);
  EXPECT_EQ(day.what.interval, 7s);
  EXPECT_EQ(day.what.delay, 3500ms);
  EXPECT_EQ(day.what.grace, 3500ms);
  const checked other =
      look(R"({"Interval": 7, "Delay": 1, "GracePeriod": 2, "Repeating": false})");
  EXPECT_FALSE(other.what.repeats);
  EXPECT_EQ(other.what.delay, 1s);
  EXPECT_EQ(other.what.grace, 2s);
}

TEST(JobActivity, R193_SecondsMayBeUnsigned) {
  object_ref object = new_dictionary();
  ::xpc_dictionary_set_uint64(object.get(), "Delay", 5);
  reader in(object.get(), nullptr);
  EXPECT_EQ(read_activity(in, {}, object.get()).delay, 5s);
  EXPECT_TRUE(in.take_findings().empty());
}

TEST(JobActivity, R194_BatteryAndScreenAreTakenAndNotEvaluated) {
  const checked all = look(
      R"({"Delay": 1, "Priority": "Utility", "AllowBattery": true, "RequireScreenSleep": false,
          "PreventDeviceSleep": true, "RequireBatteryLevel": 5})");
  EXPECT_TRUE(all.findings.empty());
  EXPECT_TRUE(all.what.utility);
  EXPECT_EQ(all.what.not_evaluated,
            (std::vector<std::string>{"AllowBattery", "RequireScreenSleep", "PreventDeviceSleep"}));
  EXPECT_FALSE(look("{}").what.utility);
}

TEST(JobActivity, WithoutATimeItIsEmpty) {
  EXPECT_TRUE(look(R"({"Priority": "Maintenance"})").what.empty);
  EXPECT_FALSE(look(R"({"Delay": 0})").what.empty);
  EXPECT_FALSE(look(R"({"Repeating": false})").what.empty);
}

TEST(JobActivity, WhatIsWrongIsNamed) {
  EXPECT_EQ(look(R"({"Interval": 0, "Delay": "x", "Priority": "High"})").findings,
            (std::vector<std::string>{"j: a/Interval: expected integer from 1 to 31536000",
                                      "j: a/Delay: expected integer, found string",
                                      "j: a/Priority: expected Maintenance or Utility"}));
}

TEST(JobActivity, LaunchEventsAreCheckedWithLineAndKey) {
  const std::string text =
      "{\"Label\": \"a\", \"Program\": \"/bin/true\", \"LaunchEvents\": {\n"
      "\"com.apple.xpc.activity\": {\"nightly\": {\n\"Interval\": \"day\"}},\n"
      "\"org.openxpc.descriptor\": {\"in\": {\n\"Path\": \"fifo\"}},\n"
      "\"org.openxpc.path\": {\"spool\": {}}}}";
  outcome<reading> job = read(text, "j");
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().text,
            "j:3: LaunchEvents/com.apple.xpc.activity/nightly/Interval: expected integer, found "
            "string\n"
            "j:5: LaunchEvents/org.openxpc.descriptor/in/Path: fifo is not an absolute path\n"
            "j:6: LaunchEvents/org.openxpc.path/spool/Path: is missing");
}

}  // namespace
}  // namespace openxpc::job
