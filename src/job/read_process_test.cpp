#include "job/read.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

namespace openxpc::job {
namespace {

std::string json(const std::string& more) {
  return "{\"Label\": \"a\", \"Program\": \"/p\",\n" + more + "}";
}

process_setup read_good(const std::string& more) {
  outcome<reading> result = read(json(more), "j");
  EXPECT_TRUE(result) << result.error().text;
  EXPECT_TRUE(!result || result->warnings.empty()) << result->warnings.front();
  return result ? result->job.process : process_setup();
}

std::string error_of(const std::string& more) {
  outcome<reading> result = read(json(more), "j");
  return result ? "no error" : result.error().text;
}

std::string warning_of(const std::string& more) {
  outcome<reading> result = read(json(more), "j");
  return result && result->warnings.size() == 1 ? result->warnings[0] : "not one warning";
}

TEST(JobProcess, UmaskIsANumberOrATextWithOctalDigits) {
  EXPECT_EQ(read_good("\"Umask\": 63").umask, 077u);
  EXPECT_EQ(read_good("\"Umask\": \"027\"").umask, 027u);
  EXPECT_EQ(read_good("\"Umask\": \"27\"").umask, 27u);
  EXPECT_EQ(read_good("\"Nice\": 1").umask, 022u);
  EXPECT_EQ(error_of("\"Umask\": 512"), "j:2: Umask: expected integer from 0 to 511");
  for (const char* bad : {"", "rwx", "01000", "-1", " 7", "08", "7 "}) {
    EXPECT_EQ(error_of("\"Umask\": \"" + std::string(bad) + "\""),
              "j:2: Umask: expected a number from 0 to 0777, octal with a leading 0")
        << bad;
  }
}

TEST(JobProcess, LimitsOfBothSidesStandTogether) {
  const process_setup read = read_good(
      "\"SoftResourceLimits\": {\"NumberOfFiles\": 10, \"Core\": 0},"
      "\"HardResourceLimits\": {\"NumberOfFiles\": 20}");
  ASSERT_EQ(read.limits.size(), 2u);
  EXPECT_EQ(read.limits[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ(read.limits[0].soft, 10u);
  EXPECT_EQ(read.limits[0].hard, 20u);
  EXPECT_EQ(read.limits[1].resource, RLIMIT_CORE);
  EXPECT_EQ(read.limits[1].soft, 0u);
  EXPECT_FALSE(read.limits[1].hard);
  EXPECT_EQ(error_of("\"SoftResourceLimits\": {\"CPU\": 3}, \"HardResourceLimits\": {\"CPU\": 2}"),
            "j:2: SoftResourceLimits/CPU: is above the limit in HardResourceLimits");
  EXPECT_EQ(error_of("\"SoftResourceLimits\": {\"CPU\": -1}"),
            "j:2: SoftResourceLimits/CPU: expected integer from 0 to 9223372036854775807");
  EXPECT_EQ(warning_of("\"SoftResourceLimits\": {\"ResidentSetSize\": 1}"),
            "j:2: SoftResourceLimits/ResidentSetSize: has no effect here: Linux does not limit "
            "that");
  EXPECT_EQ(warning_of("\"SoftResourceLimits\": {\"Fun\": 1}"),
            "j:2: SoftResourceLimits/Fun: has no effect: there is no such limit");
}

TEST(JobProcess, R244_ProcessTypes) {
  EXPECT_EQ(read_good("\"Nice\": 0").type, process_type::standard);
  EXPECT_EQ(read_good("\"ProcessType\": \"Standard\"").type, process_type::standard);
  EXPECT_EQ(read_good("\"ProcessType\": \"Background\"").type, process_type::background);
  EXPECT_EQ(read_good("\"ProcessType\": \"Interactive\"").type, process_type::interactive);
  EXPECT_EQ(warning_of("\"ProcessType\": \"Adaptive\""),
            "j:2: ProcessType: Adaptive acts as Standard here");
  EXPECT_EQ(error_of("\"ProcessType\": \"Quick\""),
            "j:2: ProcessType: expected Standard, Background, Adaptive or Interactive");
}

TEST(JobProcess, LimitsOfTheCgroupAreKnownByNameAndRange) {
  outcome<reading> result =
      read(json("\"CgroupLimits\": {\"TasksMax\": 5, \"MemoryMax\": 0}"), "j");
  ASSERT_TRUE(result) << result.error().text;
  ASSERT_EQ(result->job.group_limits.size(), 2u);
  EXPECT_EQ(result->job.group_limits[0].key, "MemoryMax");
  EXPECT_EQ(result->job.group_limits[0].value, 0u);
  EXPECT_EQ(result->job.group_limits[1].key, "TasksMax");
  EXPECT_EQ(result->job.group_limits[1].value, 5u);
  EXPECT_EQ(error_of("\"CgroupLimits\": {\"CPUWeight\": 0}"),
            "j:2: CgroupLimits/CPUWeight: expected integer from 1 to 10000");
  EXPECT_EQ(error_of("\"CgroupLimits\": {\"TasksMax\": true}"),
            "j:2: CgroupLimits/TasksMax: expected integer, found bool");
  EXPECT_EQ(error_of("\"CgroupLimits\": 5"),
            "j:2: CgroupLimits: expected dictionary of integers, found int64");
  EXPECT_EQ(error_of("\"CgroupLimits\": {\"tasksmax\": 5}"),
            "j:2: CgroupLimits/tasksmax: there is no such limit; expected one of CPUQuota, "
            "CPUWeight, IOWeight, MemoryHigh, MemoryMax, MemorySwapMax, TasksMax");
}

TEST(JobProcess, T34_WhatAsksToBeHardenedIsRefusedWhereItWouldNotBe) {
  outcome<reading> result = read(json("\"Hardened\": true, \"UserName\": \"nobody\""), "j");
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_TRUE(result->job.process.hardened);
  EXPECT_TRUE(result->warnings.empty());
  ASSERT_EQ(result->objections.size(), 1u);
  EXPECT_TRUE(counts_in(result->objections[0].where, domain_kind::user));
  EXPECT_FALSE(counts_in(result->objections[0].where, domain_kind::system));
  EXPECT_EQ(result->objections[0].text,
            "j:2: Hardened: only xpcd of the system domain can start a program that its own user "
            "cannot change; load it there");
  EXPECT_EQ(error_of("\"Hardened\": true"),
            "j:2: Hardened: needs UserName: root may read and change every process");
  EXPECT_EQ(error_of("\"Hardened\": 1"), "j:2: Hardened: expected bool, found int64");
  outcome<reading> off = read(json("\"Hardened\": false"), "j");
  ASSERT_TRUE(off) << off.error().text;
  EXPECT_FALSE(off->job.process.hardened);
  EXPECT_TRUE(off->objections.empty());
}

TEST(JobProcess, TheRest) {
  const process_setup plain = read_good("\"Nice\": -20");
  EXPECT_EQ(plain.nice, -20);
  EXPECT_TRUE(plain.init_groups);
  EXPECT_TRUE(plain.no_new_privileges);
  EXPECT_FALSE(plain.wait_for_debugger);
  const process_setup all = read_good(
      "\"UserName\": \"nobody\", \"GroupName\": \"12\", \"InitGroups\": false, "
      "\"LowPriorityIO\": true, \"LowPriorityBackgroundIO\": true, \"NoNewPrivileges\": false, "
      "\"WaitForDebugger\": true");
  EXPECT_EQ(all.user, "nobody");
  EXPECT_EQ(all.group, "12");
  EXPECT_FALSE(all.init_groups);
  EXPECT_TRUE(all.low_priority_io);
  EXPECT_TRUE(all.low_priority_background_io);
  EXPECT_FALSE(all.no_new_privileges);
  EXPECT_TRUE(all.wait_for_debugger);
  EXPECT_EQ(error_of("\"Nice\": 20"), "j:2: Nice: expected integer from -20 to 19");
  EXPECT_EQ(error_of("\"UserName\": \"\""), "j:2: UserName: is empty");
}

}  // namespace
}  // namespace openxpc::job
