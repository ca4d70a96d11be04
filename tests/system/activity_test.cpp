// Activities of jobs: semantics.md, section 17. Intervals are short, and tests wait for what
// happens.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "system/manager.hpp"
#include "system/renewal.hpp"

namespace system_test {
namespace {

class Activities : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  const std::string state = root + "/state";
  manager xpcd{root + "/domain", {"--state", state}};

  std::string file_of(const std::string& label) const { return root + "/" + label + ".log"; }
  /// A job that is the role "activity" with these options, and runs from the start on.
  void load(const std::string& label, const std::vector<std::string>& options,
            const std::string& more = "<key>RunAtLoad</key><true/>",
            const std::string& identifier = "work") {
    std::vector<std::string> all{file_of(label), identifier};
    all.insert(all.end(), options.begin(), options.end());
    answer loaded = xpcd.bootstrap(plist(label, role("activity", all), {},
                                         more + "<key>ThrottleInterval</key><integer>0</integer>"));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  static std::string launch_events(const std::string& criteria) {
    return "<key>LaunchEvents</key><dict><key>com.apple.xpc.activity</key><dict><key>work</key>"
           "<dict>" +
           criteria + "</dict></dict></dict>";
  }
  static std::string interval(int seconds) {
    return "<key>Interval</key><integer>" + std::to_string(seconds) + "</integer>";
  }
  std::vector<std::string> lines(const std::string& label) const {
    std::vector<std::string> all;
    std::ifstream from(file_of(label));
    for (std::string line; std::getline(from, line);) all.push_back(line);
    return all;
  }
  std::int64_t count(const std::string& label, const std::string& line) const {
    const std::vector<std::string> all = lines(label);
    return std::count(all.begin(), all.end(), line);
  }
  void wait_for(const std::string& label, const std::string& line, std::int64_t times = 1) {
    xpc_testing::wait_until(label + ": " + line, [&] { return count(label, line) >= times; });
  }
  void go(const std::string& label) { std::ofstream(file_of(label) + ".go") << "x"; }

  /// The job's only activity, as print shows it; nothing when it has none.
  object_ref activity(const std::string& label) const {
    object_ref job = xpcd.print(label);
    xpc_object_t all = xpc_dictionary_get_value(job.get(), "activities");
    if (all == nullptr || xpc_array_get_count(all) == 0) return nullptr;
    return object_ref(xpc_retain(xpc_array_get_value(all, 0)));
  }
  void wait_for_state(const std::string& label, const std::string& wanted) {
    xpc_testing::wait_until(label + "'s activity to be " + wanted, [&] {
      object_ref one = activity(label);
      return (one ? text_at(one, "state") : "none") == wanted;
    });
  }
  answer verb(const char* op, const std::string& label) const {
    object_ref request = dictionary();
    set(request, "op", op);
    set(request, "label", label);
    set(request, "identifier", "work");
    return xpcd.ask(request);
  }
};

TEST_F(Activities, R193_OneWithAnIntervalRunsAgainAndAgain) {
  load("job", {"interval=1"});
  wait_for("job", "run", 3);
  EXPECT_EQ(count("job", "overlap"), 0);
  EXPECT_EQ(count("job", "start"), 1);
  object_ref one = activity("job");
  EXPECT_EQ(text_at(one, "identifier"), "work");
  EXPECT_EQ(number_at(one, "interval-s"), 1);
  EXPECT_GE(number_at(one, "runs"), 3);
  EXPECT_LE(number_at(one, "due-ms"), 1500);
}

TEST_F(Activities, R195_AJobThatIsGoneIsStartedWhenItsActivityIsDue) {
  load("job", {"done", "leave"}, launch_events(interval(1)));
  EXPECT_EQ(number_at(xpcd.print("job"), "starts"), 0);
  // Each time it ends after its run, and checks in anew.
  wait_for("job", "run", 2);
  EXPECT_GE(count("job", "start"), 2);
  EXPECT_GE(count("job", "check-in, interval 1"), 2);
}

TEST_F(Activities, R186_CheckInGivesTheCriteriaOfTheDescriptionAndMayChangeThem) {
  load("job", {"set=1"}, launch_events(interval(1000)) + "<key>RunAtLoad</key><true/>");
  wait_for("job", "run");
  EXPECT_EQ(lines("job").at(1), "check-in, interval 1000");
  EXPECT_EQ(number_at(activity("job"), "interval-s"), 1);
}

TEST_F(Activities, R185_AnIdentifierIsTheJobsOwn) {
  load("one", {"interval=1000"});
  load("two", {"interval=2000"});
  wait_for_state("one", "waiting");
  wait_for_state("two", "waiting");
  EXPECT_EQ(number_at(activity("one"), "interval-s"), 1000);
  EXPECT_EQ(number_at(activity("two"), "interval-s"), 2000);
}

TEST_F(Activities, R187_TheHandlerSeesCheckInAndRunOnly) {
  load("job", {"done"}, launch_events(interval(1)));
  wait_for("job", "run", 2);
  for (const std::string& line : lines("job"))
    EXPECT_TRUE(line == "start" || line == "run" || line == "check-in, interval 1") << line;
}

TEST_F(Activities, R188_AStepThatIsNoneIsRefusedAndChangesNothing) {
  // From CHECK_IN there is none, and from CONTINUE none to CONTINUE.
  load("job", {"continue"}, launch_events(interval(1)));
  wait_for("job", "continue only once");
  EXPECT_EQ(count("job", "check-in, interval 1"), 1);
  EXPECT_EQ(count("job", "a step from CHECK_IN"), 0);
  EXPECT_EQ(text_at(activity("job"), "state"), "running");
  go("job");
  wait_for("job", "done yes");
}

TEST_F(Activities, R189_ADeferredRunIsMadeLater) {
  load("job", {"delay=0", "defer"});
  wait_for("job", "run", 2);
  // It does not repeat, so it is over; a program that holds it sees that.
  wait_for_state("job", "none");
  EXPECT_EQ(count("job", "run"), 2);
}

TEST_F(Activities, R190_OneThatContinuesRunsUntilItSaysDone) {
  load("job", {"interval=1", "continue", "done"});
  load("clock", {"interval=1"});
  wait_for("job", "continue only once");
  wait_for("clock", "run", count("clock", "run") + 2);
  EXPECT_EQ(count("job", "run"), 1);
  EXPECT_EQ(text_at(activity("job"), "state"), "running");
  go("job");
  wait_for("job", "done yes");
  wait_for("job", "run", 2);
}

TEST_F(Activities, R191_AHandlerThatReturnsWithoutAStepIsDone) {
  load("job", {"delay=0"});
  wait_for("job", "run");
  wait_for_state("job", "none");
}

TEST_F(Activities, R197_OneThatIsDoneForGoodHasNoCriteria) {
  load("job", {"delay=0", "done", "keep"});
  wait_for("job", "no criteria, state " + std::to_string(XPC_ACTIVITY_STATE_DONE));
}

TEST_F(Activities, R192_OneOfADescriptionRunsOncePerLoad) {
  load("job", {"done"}, launch_events("<key>Delay</key><integer>0</integer>"));
  wait_for_state("job", "none");
  EXPECT_EQ(count("job", "run"), 1);
  ASSERT_TRUE(xpcd.verb("bootout", "job"));
  load("job", {"done"}, launch_events("<key>Delay</key><integer>0</integer>"));
  wait_for("job", "run", 2);
}

TEST_F(Activities, R196_AnUnregisteredOneOfADescriptionComesBackWhenTheJobIsLoaded) {
  load("job", {"forget"}, launch_events(interval(1)));
  wait_for("job", "forgot work");
  wait_for_state("job", "none");
  xpcd.replace();
  wait_for_state("job", "none");
  ASSERT_TRUE(xpcd.verb("bootout", "job"));
  load("job", {"done"}, launch_events(interval(1)));
  wait_for("job", "run", 2);
}

TEST_F(Activities, R194_BatteryAndScreenAreSaidNotToBeEvaluated) {
  load("job", {"interval=1000", "battery"});
  wait_for_state("job", "waiting");
  object_ref one = activity("job");
  EXPECT_EQ(texts_at(one, "not-evaluated"),
            (std::vector<std::string>{"AllowBattery", "RequireScreenSleep"}));
  EXPECT_EQ(text_at(one, "priority"), "Maintenance");
}

TEST_F(Activities, ARunThatDiedWithItsProcessIsMadeAgain) {
  load("job", {"crash", "done"}, launch_events("<key>Delay</key><integer>0</integer>"));
  wait_for("job", "run", 2);
  wait_for_state("job", "none");
  EXPECT_EQ(count("job", "run"), 2);
}

TEST_F(Activities, ARunOutlivesItsServiceManager) {
  load("job", {"delay=0", "continue", "done"});
  wait_for("job", "continue only once");
  xpcd.replace();
  wait_for_state("job", "running");
  go("job");
  wait_for("job", "done yes");
  wait_for_state("job", "none");
  EXPECT_EQ(count("job", "run"), 1);
}

TEST_F(Activities, ARunOutlivesAnUpgradeOfXpcd) {
  load("job", {"delay=0", "continue", "done"});
  wait_for("job", "continue only once");
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  wait_for_state("job", "running");
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  go("job");
  wait_for("job", "done yes");
  wait_for_state("job", "none");
  EXPECT_EQ(count("job", "run"), 1);
  EXPECT_EQ(count("job", "start"), 1);
}

TEST_F(Activities, ARunThatEndedWhileThereWasNoServiceManagerCounts) {
  load("job", {"delay=0", "continue", "done"});
  wait_for("job", "continue only once");
  xpcd.kill();
  go("job");
  wait_for("job", "done yes");
  xpcd.start();
  wait_for_state("job", "none");
  EXPECT_EQ(count("job", "run"), 1);
}

TEST_F(Activities, WhatIsKeptOutlastsTheServiceManager) {
  load("job", {"interval=1000"});
  wait_for_state("job", "waiting");
  const std::int64_t before = number_at(activity("job"), "due-ms");
  EXPECT_TRUE(std::filesystem::exists(state + "/activities-job.plist"));
  EXPECT_EQ(xpcd.stop(), xpc_testing::ending{.status = 0});
  xpcd.start();
  load("job", {}, "");
  object_ref one = activity("job");
  ASSERT_TRUE(one);
  EXPECT_EQ(number_at(one, "interval-s"), 1000);
  EXPECT_LE(number_at(one, "due-ms"), before);
  EXPECT_GT(number_at(one, "due-ms"), 0);
}

/// Without a place for lasting state.
class ActivitiesOfADay : public Activities {
 protected:
  void SetUp() override {
    xpcd.stop();
    std::ofstream(root + "/file") << "no directory";
    nowhere.emplace(root + "/domain", std::vector<std::string>{"--state", root + "/file/state"});
  }
  object_ref one_of(const std::string& label) const {
    object_ref job = nowhere->print(label);
    xpc_object_t all = xpc_dictionary_get_value(job.get(), "activities");
    if (all == nullptr || xpc_array_get_count(all) == 0) return nullptr;
    return object_ref(xpc_retain(xpc_array_get_value(all, 0)));
  }
  std::optional<manager> nowhere;
};

TEST_F(ActivitiesOfADay, OnesThatCannotBeKeptOutlastAnUpgradeOfXpcd) {
  load("rare", {"interval=1000", "done", "leave"});
  load("often", {"interval=1", "done", "leave"});
  xpc_testing::wait_until("it to be registered", [&] { return one_of("rare") != nullptr; });
  ASSERT_TRUE(verb("run-activity", "rare"));
  wait_for("rare", "run");
  nowhere->wait_for_state("rare", "waiting");
  const object_ref before = one_of("rare");
  ASSERT_TRUE(before);
  EXPECT_NE(text_at(before, "not-kept").find("lasting state in " + root + "/file/state"),
            std::string::npos)
      << text_at(before, "not-kept");
  ASSERT_NO_FATAL_FAILURE(renew(*nowhere));
  const object_ref after = one_of("rare");
  ASSERT_TRUE(after) << nowhere->log();
  EXPECT_EQ(number_at(after, "interval-s"), 1000);
  EXPECT_EQ(number_at(after, "runs"), 1);
  EXPECT_LE(number_at(after, "due-ms"), number_at(before, "due-ms"));
  EXPECT_GT(number_at(after, "due-ms"), 0);
  EXPECT_TRUE(has(after, "not-kept"));
  // The other one's goes on.
  const std::int64_t runs = count("often", "run");
  wait_for("often", "run", runs + 2);
  EXPECT_EQ(count("rare", "run"), 1) << "it is not due yet";
  // And again, and whoever wants it can have it at once.
  ASSERT_NO_FATAL_FAILURE(renew(*nowhere));
  const answer ran = verb("run-activity", "rare");
  ASSERT_TRUE(ran) << ran.message;
  wait_for("rare", "run", 2);
}

TEST_F(Activities, AVerbRunsOneNowAndAnotherAsksItToDefer) {
  load("job", {"should-defer"}, launch_events(interval(100000)));
  answer ran = verb("run-activity", "job");
  ASSERT_TRUE(ran) << ran.message;
  wait_for("job", "run");
  EXPECT_TRUE(verb("run-activity", "job")) << "it runs already";
  ASSERT_TRUE(verb("defer-activity", "job"));
  wait_for("job", "should defer");
  wait_for_state("job", "waiting");
  EXPECT_EQ(number_at(activity("job"), "deferrals"), 1);
  EXPECT_EQ(number_at(activity("job"), "runs"), 1);
  EXPECT_EQ(verb("run-activity", "nobody").code, OPENXPC_ERROR_NOT_FOUND);
}

TEST_F(Activities, AStopAsksTheProgramToDefer) {
  load("job", {"should-defer"}, launch_events(interval(100000)));
  ASSERT_TRUE(verb("run-activity", "job"));
  wait_for("job", "run");
  ASSERT_TRUE(xpcd.verb("bootout", "job"));
  EXPECT_EQ(count("job", "should defer"), 1);
}

TEST_F(Activities, XpcctlRunsDefersAndShowsThem) {
  load("job", {"should-defer"}, launch_events(interval(100000)));
  auto xpcctl = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--domain", xpcd.directory()});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = arguments, .keep_stderr = true});
  };
  xpc_testing::run_result said = xpcctl({"activity", "job", "work"});
  EXPECT_EQ(said.end.status, 0) << said.error;
  wait_for("job", "run");
  said = xpcctl({"print", "job"});
  EXPECT_NE(said.output.find("work, running, every 27.8 h, 1 runs"), std::string::npos)
      << said.output;
  said = xpcctl({"activity", "--defer", "job", "work"});
  EXPECT_EQ(said.end.status, 0) << said.error;
  wait_for_state("job", "waiting");
  said = xpcctl({"print", "job"});
  EXPECT_NE(said.output.find("work, waiting, due in "), std::string::npos) << said.output;
  EXPECT_NE(xpcctl({"activity", "job", "another"}).end.status, 0);
}

}  // namespace
}  // namespace system_test
