// xpcctl why-not: each reason why a name cannot be reached, with a service manager that has it.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sysexits.h>

#include <filesystem>
#include <fstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

using xpc_testing::run_result;

class WhyNot : public ::testing::Test {
 protected:
  const std::string directory = xpc_testing::runtime_directory() + "/domain";
  const std::string name = "org.example.echo";

  run_result ask(const std::string& what, bool json = false) {
    std::vector<std::string> arguments{"--domain", directory, "why-not", what};
    if (json) arguments.emplace_back("--json");
    return xpc_testing::run(OPENXPC_XPCCTL,
                            {.arguments = std::move(arguments), .keep_stderr = true});
  }
  void expect(const std::string& what, int status, const std::vector<std::string>& parts) {
    const run_result said = ask(what);
    EXPECT_EQ(said.end.status, status) << said.output << said.error;
    for (const std::string& part : parts) {
      EXPECT_NE(said.output.find(part), std::string::npos) << part << "\nin\n" << said.output;
    }
  }
};

TEST_F(WhyNot, WithoutAServiceManagerItSaysHowToStartOne) {
  expect(name, EX_UNAVAILABLE,
         {"bad   there is no service manager in " + directory + ": xpcd --domain " + directory});
}

TEST_F(WhyNot, ANameThatIsNobodysSaysSoAndWhatMayBeMeant) {
  manager xpcd(directory);
  expect("no:name", EX_UNAVAILABLE, {"bad   it can be nobody's name: ':' at position 3"});
  expect(name, EX_UNAVAILABLE, {"bad   no job in " + directory + " has this name\n"});
  ASSERT_TRUE(xpcd.bootstrap(plist(name, {"/bin/true"})));
  expect(name, EX_UNAVAILABLE, {"a job of that label is loaded, but MachServices"});
  ASSERT_TRUE(xpcd.verb("bootout", name));
  ASSERT_TRUE(xpcd.verb("disable", name));
  expect(name, EX_UNAVAILABLE, {"a job of that label is disabled"});
}

TEST_F(WhyNot, AServiceThatCanBeReachedIsSaidToBe) {
  manager xpcd(directory);
  ASSERT_TRUE(xpcd.bootstrap(plist("echo", role("echo", {name}), {name})));
  expect(name, EX_OK,
         {"good  the job echo has this name, from test.plist",
          "good  it does not run and starts with the first message"});
  session client = xpcd.open(name);
  answer reply = client.call("hello");
  ASSERT_TRUE(reply) << reply.message;
  expect(name, EX_OK, {"good  it runs, pid " + std::to_string(number_at(reply.reply, "pid"))});
  EXPECT_NE(ask(name, true).output.find("\"reachable\": true"), std::string::npos);
}

TEST_F(WhyNot, AFailedServiceShowsItsExitAndItsLastWords) {
  manager xpcd(directory);
  ASSERT_TRUE(xpcd.bootstrap(plist("hopeless", role("hopeless"), {name},
                                   "<key>ThrottleInterval</key><integer>1</integer>")));
  session client = xpcd.open(name);
  EXPECT_FALSE(client.call("hello"));
  expect(name, EX_UNAVAILABLE,
         {"bad   it failed, clients are refused for ", "its last run exited with status 3",
          "it printed: cannot open the database"});
}

TEST_F(WhyNot, AThrottledServiceMakesClientsWait) {
  manager xpcd(directory);
  ASSERT_TRUE(xpcd.bootstrap(plist("echo", role("echo", {name}), {name},
                                   "<key>ThrottleInterval</key><integer>1000</integer>")));
  session client = xpcd.open(name);
  ASSERT_TRUE(client.call("hello"));
  EXPECT_FALSE(client.call("crash"));
  xpcd.wait_for_state("echo", "throttled");
  expect(name, EX_OK, {"wait  it ended too quickly and starts again in "});
}

TEST_F(WhyNot, AProgramThatIsNotThereIsNamed) {
  manager xpcd(directory);
  ASSERT_TRUE(xpcd.bootstrap(plist("missing", {"/no/such/program"}, {name})));
  expect(name, EX_UNAVAILABLE,
         {"bad   its program cannot be started: /no/such/program: No such file or directory"});
}

TEST_F(WhyNot, T54_ASocketThatSomebodyReplacedIsToldOf) {
  manager xpcd(directory);
  ASSERT_TRUE(xpcd.bootstrap(plist("echo", role("echo", {name}), {name})));
  std::filesystem::remove(directory + "/" + name);
  expect(name, EX_UNAVAILABLE,
         {"bad   its socket file " + directory + "/" + name + " was removed"});
  std::ofstream(directory + "/" + name) << "x";
  expect(name, EX_UNAVAILABLE,
         {"bad   another file took the place of its socket " + directory + "/" + name});
}

}  // namespace
}  // namespace system_test
