// Idle exit: jobs that end when nobody needs them, and not before.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include "system/manager.hpp"

namespace system_test {
namespace {

class Idle : public ::testing::Test {
 protected:
  manager xpcd{xpc_testing::runtime_directory() + "/domain", {"--idle-exit", "1"}};
  const std::string name = "org.example.echo";
  const std::string pressured = "<key>EnablePressuredExit</key><true/>";

  void load(const std::string& label, const std::string& more) {
    const std::string served = name + "." + label;
    answer loaded = xpcd.bootstrap(plist(label, role("echo", {served}), {served}, more));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  session talk_to(const std::string& label, const char* what = "hello") {
    session client = xpcd.open(name + "." + label);
    answer reply = client.call(what);
    EXPECT_TRUE(reply) << reply.message << xpcd.log();
    return client;
  }
};

TEST_F(Idle, R175_AJobEndsByItselfOnlyIfItAsksForThat) {
  load("stays", "");
  load("goes", pressured);
  talk_to("stays").end();
  talk_to("goes").end();
  object_ref job = xpcd.wait_for_state("goes", "waiting");
  EXPECT_EQ(text_at(xpcd.print("stays"), "state"), "running");
  // The next message starts it again at once: an idle exit is no quick failure.
  talk_to("goes").end();
  job = xpcd.print("goes");
  EXPECT_EQ(number_at(job, "starts"), 2);
  EXPECT_EQ(number_at(job, "quick-failures"), 0);
}

TEST_F(Idle, R167_AClientOrATransactionKeepsTheJob) {
  load("idle", pressured);
  load("client", pressured);
  load("transaction", pressured);
  session client = talk_to("client");
  talk_to("transaction", "begin").end();
  // As often as others are asked and end, these two are asked too, and stay.
  for (int round = 1; round <= 2; ++round) {
    talk_to("idle").end();
    xpcd.wait_for_state("idle", "waiting");
    EXPECT_EQ(number_at(xpcd.print("idle"), "starts"), round);
  }
  EXPECT_EQ(text_at(xpcd.print("client"), "state"), "running");
  EXPECT_EQ(text_at(xpcd.print("transaction"), "state"), "running");
  client.end();
  talk_to("transaction", "end").end();
  xpcd.wait_for_state("client", "waiting");
  xpcd.wait_for_state("transaction", "waiting");
}

TEST_F(Idle, R177_WithKeepAliveTrueTheJobStays) {
  load("kept", pressured + "<key>KeepAlive</key><true/>");
  load("idle", pressured);
  xpcd.wait_for_state("kept", "running");
  talk_to("idle").end();
  xpcd.wait_for_state("idle", "waiting");
  EXPECT_EQ(number_at(xpcd.print("kept"), "starts"), 1);
}

TEST_F(Idle, ANewServiceManagerAsksToo) {
  load("goes", pressured);
  talk_to("goes").end();
  xpcd.replace();
  xpcd.wait_for_state("goes", "waiting");
  talk_to("goes").end();
}

}  // namespace
}  // namespace system_test
