// Every test program's main: a child role when the command line says so, else GoogleTest with our
// surroundings around each test. A complaint of the surroundings fails the test it belongs to.
#include "support/harness.hpp"

#include <gtest/gtest.h>

namespace {

class around_each_test : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& test) override {
    surroundings_.begin(std::string(test.test_suite_name()) + "." + test.name());
  }
  void OnTestEnd(const testing::TestInfo&) override {
    for (const std::string& complaint : surroundings_.end()) ADD_FAILURE() << complaint;
  }
  xpc_testing::surroundings surroundings_;
};

}  // namespace

int main(int argc, char** argv) {
  xpc_testing::run_role_if_asked(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  testing::UnitTest::GetInstance()->listeners().Append(new around_each_test);
  return RUN_ALL_TESTS();
}
