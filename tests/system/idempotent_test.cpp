// Every verb that changes something: asked for once more, asked for again by whoever heard no
// answer because xpcd was killed, and asked for by two at once.

#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sysexits.h>

#include <array>
#include <fstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

using xpc_testing::child;
using xpc_testing::run_result;

/// What there is before the verb.
enum class job_is : unsigned char { not_loaded, loaded, running };

struct row {
  const char* name;
  std::vector<std::string> arguments;  // of xpcctl; DIR stands for a directory
  job_is before;
  bool starts = false;    // each request starts the job
  const char* note = "";  // what standard error says of the same once more, as another request
};

/// Jobs that are not there are no mistake where their end is asked for.
constexpr const char* gone = "xpcctl: nothing is loaded as job\n";

const std::array<row, 13>& rows() {
  static const std::array<row, 13> all{{
      {"bootstrap", {"bootstrap", "DIR/job.plist"}, job_is::not_loaded},
      {"submit", {"submit", "-l", "job", "--", "/bin/sleep", "9"}, job_is::not_loaded},
      {"bootout", {"bootout", "job"}, job_is::running, false, gone},
      {"remove", {"remove", "job"}, job_is::loaded, false, gone},
      {"kickstart", {"kickstart", "job"}, job_is::loaded},
      {"restart", {"kickstart", "--kill", "job"}, job_is::running, true},
      {"kill", {"kill", "CONT", "job"}, job_is::running},
      {"disable", {"disable", "job"}, job_is::loaded},
      {"enable", {"enable", "job"}, job_is::loaded},
      {"setenv", {"setenv", "TEA", "green"}, job_is::loaded},
      {"unsetenv", {"unsetenv", "TEA"}, job_is::loaded},
      {"upgrade", {"upgrade", "job"}, job_is::running},
      {"manager", {"upgrade", "--manager"}, job_is::running},
  }};
  return all;
}

class VerbsOfAJob : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(root + "/job.plist") << plist("job", {"/bin/sleep", "1000"});
  }
  std::vector<std::string> with(std::vector<std::string> arguments) const {
    for (std::string& one : arguments) {
      if (one.compare(0, 4, "DIR/") == 0) one.replace(0, 3, root);
    }
    arguments.insert(arguments.begin(), {"--domain", xpcd.directory()});
    return arguments;
  }
  run_result run(const std::vector<std::string>& arguments) const {
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = with(arguments), .keep_stderr = true});
  }
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain", {"--state", root + "/state"}};
};

class Idempotent : public VerbsOfAJob, public ::testing::WithParamInterface<row> {
 protected:
  void SetUp() override {
    VerbsOfAJob::SetUp();
    if (GetParam().before != job_is::not_loaded) {
      ASSERT_EQ(run({"bootstrap", root + "/job.plist"}).end.status, 0);
    }
    if (GetParam().before == job_is::running) {
      ASSERT_EQ(run({"kickstart", "job"}).end.status, 0);
    }
  }
  /// The verb, as the request of this id.
  std::vector<std::string> verb(const std::string& id) const {
    std::vector<std::string> all{"--request-id", id};
    all.insert(all.end(), GetParam().arguments.begin(), GetParam().arguments.end());
    return all;
  }
  /// All that the verb could change.
  std::string state(bool with_starts) const {
    std::string all = run({"print-disabled"}).output + run({"getenv", "TEA"}).output;
    object_ref job;
    try {
      job = xpcd.print("job");
    } catch (const std::exception&) {
      return all + "no job";
    }
    all += text_at(job, "state") + " " + text_at(job, "origin");
    if (with_starts) {
      all += " " + std::to_string(number_at(job, "starts")) + ", pid " +
             std::to_string(number_at(job, "pid"));
    }
    return all;
  }
  /// Two xpcctl at the same time. How each ended.
  std::array<int, 2> both(const std::string& first, const std::string& second) {
    std::array<child, 2> two{
        child::program(xpc_testing::xpcctl_program,
                       {.arguments = with(verb(first)), .keep_stderr = true}),
        child::program(xpc_testing::xpcctl_program,
                       {.arguments = with(verb(second)), .keep_stderr = true})};
    std::array<int, 2> ends{};
    for (std::size_t at = 0; at < two.size(); ++at) {
      const xpc_testing::ending end = two[at].wait();
      ends[at] = end.status;
      EXPECT_EQ(end.signal, 0);
    }
    return ends;
  }
};
INSTANTIATE_TEST_SUITE_P(, Idempotent, ::testing::ValuesIn(rows()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_P(Idempotent, OnceMoreItLeavesThingsAsTheyAre) {
  run_result said = run(verb("first"));
  ASSERT_EQ(said.end.status, 0) << said.error << xpcd.log();
  const std::string after = state(!GetParam().starts);
  said = run(verb("second"));
  EXPECT_EQ(said.end.status, EX_OK) << said.error;
  EXPECT_EQ(said.error, GetParam().note);
  EXPECT_EQ(state(!GetParam().starts), after);
}

TEST_P(Idempotent, TheSameRequestIsDoneOnceAlsoPastAKilledServiceManager) {
  const run_result first = run(verb("one"));
  ASSERT_EQ(first.end.status, 0) << first.error << xpcd.log();
  const std::string after = state(true);
  EXPECT_EQ(run(verb("one")).end.status, 0);
  EXPECT_EQ(state(true), after);
  xpcd.replace();
  EXPECT_EQ(state(true), after) << xpcd.log();
  const run_result again = run(verb("one"));
  EXPECT_EQ(again.end.status, 0) << again.error << xpcd.log();
  EXPECT_EQ(again.output, first.output);
  EXPECT_EQ(state(true), after) << xpcd.log();
}

TEST_P(Idempotent, TwoWhoAskTheSameAtOnceGetOneAnswer) {
  EXPECT_EQ(both("same", "same"), (std::array<int, 2>{0, 0})) << xpcd.log();
  const std::string after = state(true);
  EXPECT_EQ(run(verb("same")).end.status, 0);
  EXPECT_EQ(state(true), after);
}

TEST_P(Idempotent, TwoWhoAskAtOnceBothFindItDone) {
  EXPECT_EQ(both("first", "second"), (std::array<int, 2>{0, 0})) << xpcd.log();
  const std::string after = state(!GetParam().starts);
  EXPECT_EQ(run(verb("third")).end.status, EX_OK);
  EXPECT_EQ(state(!GetParam().starts), after);
}

using RepeatedVerbs = VerbsOfAJob;

TEST_F(RepeatedVerbs, WhatNeedsAJobFailsEachTimeWithoutOne) {
  const std::vector<std::vector<std::string>> all{
      {"kickstart", "job"},    {"kickstart", "--kill", "job"},
      {"kill", "CONT", "job"}, {"upgrade", "job"},
      {"print", "job"},        {"activity", "job", "a"},
  };
  for (const std::vector<std::string>& verb : all) {
    for (int time = 0; time < 2; ++time) {
      const run_result said = run(verb);
      EXPECT_EQ(said.end.status, EX_UNAVAILABLE) << verb.front() << ": " << said.error;
      EXPECT_EQ(said.error.find("nothing is loaded"), std::string::npos) << said.error;
    }
  }
}

TEST_F(RepeatedVerbs, AJobThatIsGoneKeepsNoOtherFromBeingRemoved) {
  for (const char* verb : {"bootout", "remove"}) {
    ASSERT_EQ(run({"bootstrap", root + "/job.plist"}).end.status, 0);
    run_result said = run({verb, "never.heard.of", "job"});
    EXPECT_EQ(said.end.status, EX_OK) << said.error;
    EXPECT_EQ(said.error, "xpcctl: nothing is loaded as never.heard.of\n");
    EXPECT_FALSE(xpcd.verb("print", "job"));
    said = run({"--json", verb, "job"});
    EXPECT_EQ(said.output, "{\n  \"label\": \"job\",\n  \"was-loaded\": false\n}\n");
  }
}

}  // namespace
}  // namespace system_test
