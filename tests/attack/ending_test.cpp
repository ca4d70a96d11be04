// Clients that are there when the service manager is told to end, and keep it from nothing.

#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <string>

#include "hostile/raw.hpp"
#include "system/manager.hpp"

using namespace system_test;

namespace {

class Ending : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain"};
  hostile::line client = hostile::line::greeted(root + "/domain/.control");

  void expect_end() {
    EXPECT_EQ(xpcd.stop(), xpc_testing::ending{.status = 0}) << xpcd.log();
    // It knows why it is left.
    EXPECT_NE(client.read_to_end(), "");
  }
};

TEST_F(Ending, AClientThatOnlySaidHelloIsNotWaitedFor) { expect_end(); }

TEST_F(Ending, NorIsOneWhoseOnlyMessageWasRefused) {
  const std::string nonsense(8, '\xff');
  ASSERT_TRUE(client.send(hostile::pack({{.what = hostile::request, .id = 1, .body = nonsense}})));
  ASSERT_TRUE(client.answer_to(1));
  expect_end();
}

TEST_F(Ending, NorForLongIsOneThatDoesNotReadItsAnswers) {
  const std::string variable = "<key>long</key><string>" + std::string(200'000, 'x') + "</string>";
  const answer loaded = xpcd.bootstrap(plist(
      "job", {"/bin/true"}, {}, "<key>EnvironmentVariables</key><dict>" + variable + "</dict>"));
  ASSERT_TRUE(loaded) << loaded.message;
  const std::string print = hostile::op("print", {{"label", hostile::string_value("job")}});
  // Together more than the socket holds.
  for (std::uint64_t id = 1; id <= 3; ++id) {
    ASSERT_TRUE(client.send(hostile::pack({{.what = hostile::request, .id = id, .body = print}})));
  }
  EXPECT_TRUE(client.answer_to(1)) << "the others are on their way";
  EXPECT_EQ(xpcd.stop(), xpc_testing::ending{.status = 0}) << xpcd.log();
}

}  // namespace
