#include "job/keys.hpp"
#include "job/read.hpp"

#include <gtest/gtest.h>

namespace openxpc::job {
namespace {

std::string json(const std::string& more) {
  return "{\"Label\": \"a\", \"Program\": \"/p\",\n" + more + "}";
}

std::string error_of(const std::string& more) {
  outcome<reading> result = read(json(more), "j");
  return result ? "no error" : result.error().text;
}

/// What keeps a job of these sessions out of a domain of that kind; empty for nothing.
std::string objection(const std::string& sessions, domain_kind domain) {
  outcome<reading> result = read(json("\"LimitLoadToSessionType\": " + sessions), "j");
  EXPECT_TRUE(result) << result.error().text;
  std::string all;
  for (const reading::objection& one : result->objections) {
    if (counts_in(one.where, domain)) all += one.text;
  }
  return all;
}

TEST(JobSurroundings, R234_SessionTypesSayInWhichDomainsAJobIsLoaded) {
  const std::string no_user =
      "j:2: LimitLoadToSessionType: keeps the job out of the domain of a user, which has Aqua, "
      "Background and StandardIO";
  const std::string no_system =
      "j:2: LimitLoadToSessionType: keeps the job out of the system domain, which has System";
  for (const char* of_user : {"\"Aqua\"", "\"Background\"", "\"StandardIO\"", "[\"Aqua\"]",
                              "[\"LoginWindow\", \"Background\"]"}) {
    EXPECT_EQ(objection(of_user, domain_kind::user), "") << of_user;
    EXPECT_EQ(objection(of_user, domain_kind::system), no_system) << of_user;
  }
  EXPECT_EQ(objection("\"System\"", domain_kind::system), "");
  EXPECT_EQ(objection("\"System\"", domain_kind::user), no_user);
  EXPECT_EQ(objection("\"LoginWindow\"", domain_kind::user), no_user);
  EXPECT_EQ(objection("\"LoginWindow\"", domain_kind::system), no_system);
  EXPECT_EQ(objection("[\"System\", \"Aqua\"]", domain_kind::user), "");
  EXPECT_EQ(objection("[\"System\", \"Aqua\"]", domain_kind::system), "");
  EXPECT_EQ(error_of("\"LimitLoadToSessionType\": [\"Aqua\", \"Moon\"]"),
            "j:2: LimitLoadToSessionType: expected Aqua, Background, LoginWindow, StandardIO or "
            "System");
  EXPECT_EQ(error_of("\"LimitLoadToSessionType\": true"),
            "j:2: LimitLoadToSessionType: expected string or array of strings, found bool");
  EXPECT_TRUE(read(json("\"Nice\": 1"), "j")->objections.empty()) << "a job of no session";
}

TEST(JobSurroundings, AssociatedBundlesAreOneOrSeveral) {
  outcome<reading> one = read(json("\"AssociatedBundleIdentifiers\": \"org.a\""), "j");
  ASSERT_TRUE(one) << one.error().text;
  EXPECT_EQ(one->job.associated_bundles, std::vector<std::string>{"org.a"});
  outcome<reading> two = read(json("\"AssociatedBundleIdentifiers\": [\"org.a\", \"org.b\"]"), "j");
  ASSERT_TRUE(two) << two.error().text;
  EXPECT_EQ(two->job.associated_bundles, (std::vector<std::string>{"org.a", "org.b"}));
  EXPECT_TRUE(two->warnings.empty());
  EXPECT_EQ(error_of("\"AssociatedBundleIdentifiers\": 1"),
            "j:2: AssociatedBundleIdentifiers: expected string or array of strings, found int64");
}

TEST(JobSurroundings, LaunchOnlyOnceAndStartOnMountAreRead) {
  outcome<reading> both = read(json("\"LaunchOnlyOnce\": true, \"StartOnMount\": true"), "j");
  ASSERT_TRUE(both) << both.error().text;
  EXPECT_TRUE(both->job.launch_only_once);
  EXPECT_TRUE(both->job.start_on_mount);
  EXPECT_TRUE(both->warnings.empty());
  EXPECT_FALSE(read(json("\"Nice\": 1"), "j")->job.launch_only_once);
  EXPECT_EQ(error_of("\"LaunchOnlyOnce\": 1"), "j:2: LaunchOnlyOnce: expected bool, found int64");
  EXPECT_EQ(error_of("\"StartOnMount\": \"x\""), "j:2: StartOnMount: expected bool, found string");
}

TEST(JobSurroundings, WhatAsksToBeConfinedIsRefusedWhereItWouldNotBe) {
  outcome<reading> result = read(json("\"RootDirectory\": \"/srv\""), "j");
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(result->job.root_directory, "/srv");
  ASSERT_EQ(result->objections.size(), 1u);
  EXPECT_TRUE(counts_in(result->objections[0].where, domain_kind::user));
  EXPECT_FALSE(counts_in(result->objections[0].where, domain_kind::system));
  EXPECT_EQ(result->objections[0].text,
            "j:2: RootDirectory: only root may change the root of a job, and without it the job "
            "would see all files; load it into the system domain");
  EXPECT_EQ(error_of("\"RootDirectory\": \"srv\""),
            "j:2: RootDirectory: srv is not an absolute path");
}

TEST(JobKeys, EveryKeyOfLaunchdIsReadOrHasAReasonWhyNot) {
  for (const char* key : {"Label",
                          "Disabled",
                          "UserName",
                          "GroupName",
                          "inetdCompatibility",
                          "LimitLoadToHosts",
                          "LimitLoadFromHosts",
                          "LimitLoadToSessionType",
                          "LimitLoadToHardware",
                          "LimitLoadFromHardware",
                          "Program",
                          "BundleProgram",
                          "ProgramArguments",
                          "EnableGlobbing",
                          "EnableTransactions",
                          "EnablePressuredExit",
                          "OnDemand",
                          "ServiceIPC",
                          "KeepAlive",
                          "RunAtLoad",
                          "RootDirectory",
                          "WorkingDirectory",
                          "EnvironmentVariables",
                          "Umask",
                          "TimeOut",
                          "ExitTimeOut",
                          "ThrottleInterval",
                          "InitGroups",
                          "WatchPaths",
                          "QueueDirectories",
                          "StartOnMount",
                          "StartInterval",
                          "StartCalendarInterval",
                          "StandardInPath",
                          "StandardOutPath",
                          "StandardErrorPath",
                          "Debug",
                          "WaitForDebugger",
                          "SoftResourceLimits",
                          "HardResourceLimits",
                          "Nice",
                          "ProcessType",
                          "AbandonProcessGroup",
                          "LowPriorityIO",
                          "LowPriorityBackgroundIO",
                          "MaterializeDatalessFiles",
                          "LaunchOnlyOnce",
                          "MachServices",
                          "Sockets",
                          "LaunchEvents",
                          "HopefullyExitsLast",
                          "HopefullyExitsFirst",
                          "SessionCreate",
                          "LegacyTimers",
                          "AssociatedBundleIdentifiers",
                          "SpawnConstraint",
                          "Cryptex",
                          "JetsamProperties",
                          "SandboxProfile",
                          "MultipleInstances",
                          "POSIXSpawnType",
                          "BeginTransactionAtShutdown",
                          "MachExceptionHandler",
                          "SandboxFlags",
                          "SandboxContainer"}) {
    const key_rule* rule = find_key(key);
    ASSERT_NE(rule, nullptr) << key;
    if (rule->read != nullptr) continue;
    outcome<reading> result = read(json("\"" + std::string(key) + "\": true"), "j");
    ASSERT_TRUE(result) << key;
    EXPECT_EQ(result->warnings,
              std::vector<std::string>{"j:2: " + std::string(key) +
                                       ": has no effect here: " + rule->no_effect});
  }
}

}  // namespace
}  // namespace openxpc::job
