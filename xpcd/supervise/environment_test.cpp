#include "supervise/environment.hpp"

#include <gtest/gtest.h>

namespace openxpc::supervise {
namespace {

TEST(JobEnvironment, T59_OnlyHarmlessVariablesAndDeclaredOnes) {
  const char* own[] = {"HOME=/h",          "LD_PRELOAD=/evil.so", "LC_ALL=C",  "LISTEN_FDS=3",
                       "NOTIFY_SOCKET=/n", "PATH=/bin",           "no equals", nullptr};
  EXPECT_EQ(job_environment(own, {{"A", "1"}, {"HOME", "/mine"}}),
            (std::vector<std::string>{"A=1", "HOME=/mine", "LC_ALL=C", "PATH=/bin"}));
}

TEST(JobEnvironment, ThereIsAlwaysAPath) {
  EXPECT_EQ(value_of(job_environment(nullptr, {}), "PATH"), "/usr/local/bin:/usr/bin:/bin");
  EXPECT_EQ(value_of(job_environment(nullptr, {{"PATH", "/x"}}), "PATH"), "/x");
  EXPECT_EQ(value_of({}, "PATH"), "");
}

}  // namespace
}  // namespace openxpc::supervise
