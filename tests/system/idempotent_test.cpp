// Every verb that changes something: asked for once more, asked for again by whoever heard no
// answer because xpcd was killed, and asked for by two at once.

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
  int again;            // exit status of the same request once more, as another request
  bool starts = false;  // each request starts the job
};

const std::array<row, 13>& rows() {
  static const std::array<row, 13> all{{
      {"bootstrap", {"bootstrap", "DIR/job.plist"}, job_is::not_loaded, EX_OK},
      {"submit", {"submit", "-l", "job", "--", "/bin/sleep", "9"}, job_is::not_loaded, EX_OK},
      {"bootout", {"bootout", "job"}, job_is::running, EX_UNAVAILABLE},
      {"remove", {"remove", "job"}, job_is::loaded, EX_UNAVAILABLE},
      {"kickstart", {"kickstart", "job"}, job_is::loaded, EX_OK},
      {"restart", {"kickstart", "--kill", "job"}, job_is::running, EX_OK, true},
      {"kill", {"kill", "CONT", "job"}, job_is::running, EX_OK},
      {"disable", {"disable", "job"}, job_is::loaded, EX_OK},
      {"enable", {"enable", "job"}, job_is::loaded, EX_OK},
      {"setenv", {"setenv", "TEA", "green"}, job_is::loaded, EX_OK},
      {"unsetenv", {"unsetenv", "TEA"}, job_is::loaded, EX_OK},
      {"upgrade", {"upgrade", "job"}, job_is::running, EX_OK},
      {"manager", {"upgrade", "--manager"}, job_is::running, EX_OK},
  }};
  return all;
}

class Idempotent : public ::testing::TestWithParam<row> {
 protected:
  void SetUp() override {
    std::ofstream(root + "/job.plist") << plist("job", {"/bin/sleep", "1000"});
    if (GetParam().before != job_is::not_loaded) {
      ASSERT_EQ(run({"bootstrap", root + "/job.plist"}).end.status, 0);
    }
    if (GetParam().before == job_is::running) {
      ASSERT_EQ(run({"kickstart", "job"}).end.status, 0);
    }
  }
  std::vector<std::string> with(std::vector<std::string> arguments) const {
    for (std::string& one : arguments) {
      if (one.compare(0, 4, "DIR/") == 0) one.replace(0, 3, root);
    }
    arguments.insert(arguments.begin(), {"--domain", xpcd.directory()});
    return arguments;
  }
  run_result run(const std::vector<std::string>& arguments) const {
    return xpc_testing::run(OPENXPC_XPCCTL, {.arguments = with(arguments), .keep_stderr = true});
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
        child::program(OPENXPC_XPCCTL, {.arguments = with(verb(first)), .keep_stderr = true}),
        child::program(OPENXPC_XPCCTL, {.arguments = with(verb(second)), .keep_stderr = true})};
    std::array<int, 2> ends{};
    for (std::size_t at = 0; at < two.size(); ++at) {
      const xpc_testing::ending end = two[at].wait();
      ends[at] = end.status;
      EXPECT_EQ(end.signal, 0);
    }
    return ends;
  }

  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain", {"--state", root + "/state"}};
};
INSTANTIATE_TEST_SUITE_P(, Idempotent, ::testing::ValuesIn(rows()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_P(Idempotent, OnceMoreItLeavesThingsAsTheyAre) {
  run_result said = run(verb("first"));
  ASSERT_EQ(said.end.status, 0) << said.error << xpcd.log();
  const std::string after = state(!GetParam().starts);
  said = run(verb("second"));
  EXPECT_EQ(said.end.status, GetParam().again) << said.error;
  EXPECT_EQ(said.error.empty(), GetParam().again == EX_OK) << said.error;
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
  const std::array<int, 2> ends = both("first", "second");
  for (const int end : ends) {
    EXPECT_TRUE(end == EX_OK || end == GetParam().again) << end << "\n" << xpcd.log();
  }
  EXPECT_TRUE(ends[0] == EX_OK || ends[1] == EX_OK);
  const std::string after = state(!GetParam().starts);
  EXPECT_EQ(run(verb("third")).end.status, GetParam().again);
  EXPECT_EQ(state(!GetParam().starts), after);
}

}  // namespace
}  // namespace system_test
