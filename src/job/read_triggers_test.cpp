#include "job/read.hpp"

#include <gtest/gtest.h>

namespace openxpc::job {
namespace {

outcome<reading> read_json(const std::string& more) {
  return read("{\"Label\": \"a\", \"Program\": \"/p\",\n" + more + "}", "j");
}

std::string error_of(const std::string& more) {
  outcome<reading> result = read_json(more);
  return result ? "no error" : result.error().text;
}

TEST(JobTriggers, CalendarIsADictionaryOrSeveral) {
  outcome<reading> one = read_json("\"StartCalendarInterval\": {\"Hour\": 3, \"Weekday\": 7}");
  ASSERT_TRUE(one) << one.error().text;
  ASSERT_EQ(one->job.calendar.size(), 1u);
  EXPECT_EQ(one->job.calendar[0].hour, 3);
  EXPECT_EQ(one->job.calendar[0].weekday, 0) << "Sunday has two numbers";
  EXPECT_FALSE(one->job.calendar[0].minute);
  outcome<reading> two = read_json("\"StartCalendarInterval\": [{\"Minute\": 5}, {}]");
  ASSERT_TRUE(two) << two.error().text;
  EXPECT_EQ(two->job.calendar.size(), 2u);
}

TEST(JobTriggers, CalendarMistakesAreNamed) {
  EXPECT_EQ(error_of("\"StartCalendarInterval\": {\"Hour\": 24}"),
            "j:2: StartCalendarInterval/Hour: expected integer from 0 to 23");
  EXPECT_EQ(error_of("\"StartCalendarInterval\": [{}, {\"Day\": 0}]"),
            "j:2: StartCalendarInterval/1/Day: expected integer from 1 to 31");
  EXPECT_EQ(error_of("\"StartCalendarInterval\": {\"Second\": 1}"),
            "j:2: StartCalendarInterval/Second: expected Minute, Hour, Day, Weekday or Month");
  EXPECT_EQ(error_of("\"StartCalendarInterval\": {\"Day\": 31, \"Month\": 4}"),
            "j:2: StartCalendarInterval: this day never comes");
  EXPECT_EQ(error_of("\"StartCalendarInterval\": 5"),
            "j:2: StartCalendarInterval: expected dictionary, found int64");
}

TEST(JobTriggers, IntervalsAndPaths) {
  outcome<reading> all = read_json(
      "\"StartInterval\": 60, \"WatchPaths\": [\"/a\"], \"QueueDirectories\": [\"/q\", \"/r\"]");
  ASSERT_TRUE(all) << all.error().text;
  EXPECT_EQ(all->job.start_interval.count(), 60);
  EXPECT_EQ(all->job.watch_paths, std::vector<std::string>{"/a"});
  EXPECT_EQ(all->job.queue_directories, (std::vector<std::string>{"/q", "/r"}));
  EXPECT_EQ(error_of("\"StartInterval\": 0"),
            "j:2: StartInterval: expected integer from 1 to 31536000");
  EXPECT_EQ(error_of("\"WatchPaths\": [\"/a\", \"b\"]"),
            "j:2: WatchPaths/1: b is not an absolute path");
  EXPECT_EQ(error_of("\"QueueDirectories\": \"/q\""),
            "j:2: QueueDirectories: expected array of strings, found string");
}

TEST(JobTriggers, R236_KeepAliveConditions) {
  outcome<reading> all = read_json(
      "\"KeepAlive\": {\"PathState\": {\"/a\": true, \"/b\": false}, "
      "\"OtherJobEnabled\": {\"other\": false}, \"AfterInitialDemand\": true}");
  ASSERT_TRUE(all) << all.error().text;
  EXPECT_EQ(all->job.keep.path_state, (std::map<std::string, bool>{{"/a", true}, {"/b", false}}));
  EXPECT_EQ(all->job.keep.other_job, (std::map<std::string, bool>{{"other", false}}));
  EXPECT_TRUE(all->job.keep.after_initial_demand);
  EXPECT_EQ(error_of("\"KeepAlive\": {\"PathState\": {\"b\": true}}"),
            "j:2: KeepAlive/PathState/b: b is not an absolute path");
  EXPECT_EQ(error_of("\"KeepAlive\": {\"OtherJobEnabled\": {\"x\": 1}}"),
            "j:2: KeepAlive/OtherJobEnabled/x: expected bool, found int64");
  outcome<reading> network = read_json("\"KeepAlive\": {\"NetworkState\": true, \"Moon\": 1}");
  ASSERT_TRUE(network);
  EXPECT_EQ(network->warnings,
            (std::vector<std::string>{
                "j:2: KeepAlive/Moon: has no effect: there is no such condition",
                "j:2: KeepAlive/NetworkState: has no effect here, as on macOS: nobody says what a "
                "network is"}));
}

TEST(JobTriggers, StreamsOfApplesSystemsAreNamedForNobodyFeedsThem) {
  outcome<reading> result = read_json(
      "\"LaunchEvents\": {\"com.apple.iokit.matching\": {\"usb\": {}}, "
      "\"com.apple.xpc.activity\": {\"nightly\": {\"Interval\": 60}}, \"org.a\": {\"b\": {}}}");
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(result->warnings, std::vector<std::string>{
                                  "j:2: LaunchEvents/com.apple.iokit.matching: nothing here "
                                  "publishes events of this stream by itself; see xpc_events(3)"});
  EXPECT_NE(result->job.launch_events, nullptr) << "an adapter may";
}

TEST(JobTriggers, LaunchEventsAreKeptAsTheyWereWritten) {
  outcome<reading> two = read_json(
      "\"LaunchEvents\": {\"org.example.stream\": {\"one\": {\"Match\": 1}, \"two\": {}}}");
  ASSERT_TRUE(two) << two.error().text;
  EXPECT_TRUE(two->warnings.empty()) << two->warnings.front();
  ASSERT_NE(two->job.launch_events, nullptr);
  xpc_object_t stream = get_object(two->job.launch_events.get(), "org.example.stream");
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(get_integer(get_object(stream, "one"), "Match"), 1);
  EXPECT_NE(get_object(stream, "two"), nullptr);
  EXPECT_EQ(read_json("\"Nice\": 1")->job.launch_events, nullptr);
  EXPECT_EQ(error_of("\"LaunchEvents\": []"),
            "j:2: LaunchEvents: expected dictionary of dictionaries, found array");
  EXPECT_EQ(error_of("\"LaunchEvents\": {\"s\": true}"),
            "j:2: LaunchEvents/s: expected dictionary, found bool");
  EXPECT_EQ(error_of("\"LaunchEvents\": {\"s\": {\"one\": {}, \"two\": \"x\"}}"),
            "j:2: LaunchEvents/s/two: expected dictionary, found string");
  EXPECT_EQ(error_of("\"LaunchEvents\": {\"s\": {\"\": {}}}"),
            "j:2: LaunchEvents/s/: a name is empty");
}

TEST(JobTriggers, UpgradesOverlapUnlessTheDescriptionSaysOtherwise) {
  EXPECT_TRUE(read_json("\"Nice\": 1")->job.upgrade_overlap);
  EXPECT_TRUE(read_json("\"UpgradeOverlap\": true")->job.upgrade_overlap);
  EXPECT_FALSE(read_json("\"UpgradeOverlap\": false")->job.upgrade_overlap);
  EXPECT_EQ(error_of("\"UpgradeOverlap\": 1"), "j:2: UpgradeOverlap: expected bool, found int64");
}

}  // namespace
}  // namespace openxpc::job
