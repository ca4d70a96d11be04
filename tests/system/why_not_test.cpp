// xpcctl why-not: each reason why a name cannot be reached, with a service manager that has it.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

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
    return xpc_testing::run(xpc_testing::xpcctl_program,
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
  expect(name, EX_OK,
         {"wait  it ended too quickly and starts again in ",
          "wait  its last run was ended by signal 9 (Killed)", "wait  it printed: about to crash"});
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

TEST_F(WhyNot, WhoMayNotAskIsToldSo) {
  if (::geteuid() != 0) GTEST_SKIP() << "root's alone";
  manager xpcd(directory);
  auto as_nobody = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--reuid=65534", "--regid=65534", "--clear-groups",
                                         xpc_testing::xpcctl_program, "--domain", directory});
    return xpc_testing::run("/usr/bin/setpriv", {.arguments = arguments, .keep_stderr = true});
  };
  ASSERT_EQ(::chmod(xpc_testing::runtime_directory().c_str(), 0711), 0);
  run_result said = as_nobody({"why-not", name});
  EXPECT_EQ(said.end.status, EX_UNAVAILABLE) << said.error;
  EXPECT_NE(said.output.find("bad   this process may not enter " + directory), std::string::npos)
      << said.output;
  ASSERT_EQ(::chmod(directory.c_str(), 0711), 0);
  const std::string alone = "the service manager of " + directory + " answers its owner alone";
  said = as_nobody({"why-not", name});
  EXPECT_EQ(said.end.status, EX_UNAVAILABLE) << said.error;
  EXPECT_NE(said.output.find("bad   " + alone), std::string::npos) << said.output;
  said = as_nobody({"list"});
  EXPECT_EQ(said.end.status, EX_NOPERM);
  EXPECT_EQ(said.error, alone + " (denied)\n");
}

/// A cause, how it comes about, and the words that both tell of it.
struct cause {
  const char* what;
  std::function<void(manager& xpcd)> arrange;
  std::string said;
  openxpc_error_code_t code = OPENXPC_ERROR_NOT_FOUND;
};

TEST_F(WhyNot, ClientsAreToldTheSameReason) {
  const std::string quickly = "<key>ThrottleInterval</key><integer>1</integer>";
  const std::string file = directory + "/" + name;
  const cause causes[] = {
      {"nobody's", [](manager&) {}, ""},
      {"disabled",
       [&](manager& xpcd) {
         ASSERT_TRUE(xpcd.verb("disable", "job"));
         EXPECT_EQ(xpcd.bootstrap(plist("job", {"/bin/true"}, {name})).code, OPENXPC_ERROR_DENIED);
       },
       "the job job declares it and was not loaded: job: is disabled in this domain; xpcctl enable "
       "job changes that"},
      {"disabled by its description",
       [&](manager& xpcd) {
         EXPECT_FALSE(
             xpcd.bootstrap(plist("job", {"/bin/true"}, {name}, "<key>Disabled</key><true/>")));
       },
       "job: is disabled in this domain by its description"},
      {"not for this domain",
       [&](manager& xpcd) {
         EXPECT_FALSE(
             xpcd.bootstrap(plist("job", {"/bin/true"}, {name},
                                  "<key>LimitLoadToSessionType</key><string>System</string>")));
       },
       "the job job declares it and was not loaded: test.plist:5: LimitLoadToSessionType: keeps "
       "the job out of the domain of a user"},
      {"may not be started",
       [&](manager& xpcd) {
         const std::string tool = xpc_testing::runtime_directory() + "/tool";
         std::filesystem::copy_file("/bin/true", tool);
         ASSERT_EQ(::chmod(tool.c_str(), 04755), 0);
         EXPECT_FALSE(xpcd.bootstrap(plist("job", {tool}, {name})));
       },
       "the job job declares it and was not loaded: job: NoNewPrivileges: "},
      {"hidden",
       [&](manager& xpcd) {
         ASSERT_TRUE(xpcd.bootstrap(with_options(plist("job", {"/bin/true"}, {name}),
                                                 "<key>HideUntilCheckIn</key><true/>")));
       },
       "it is hidden until its service checks in"},
      {"replaced",
       [&](manager& xpcd) {
         ASSERT_TRUE(xpcd.bootstrap(plist("job", {"/bin/true"}, {name})));
         std::filesystem::remove(file);
         std::ofstream(file) << "x";
       },
       "another file took the place of its socket"},
      {"failed",
       [&](manager& xpcd) {
         ASSERT_TRUE(xpcd.bootstrap(plist("job", role("hopeless"), {name}, quickly)));
         EXPECT_FALSE(xpcd.open(name).call("hello"));
         xpcd.wait_for_state("job", "failed");
       },
       "exited with status 3", OPENXPC_ERROR_LAUNCH_FAILED},
      {"failed, in its own words",
       [&](manager& xpcd) {
         ASSERT_TRUE(xpcd.bootstrap(plist("job", role("hopeless"), {name}, quickly)));
         EXPECT_FALSE(xpcd.open(name).call("hello"));
         xpcd.wait_for_state("job", "failed");
       },
       "cannot open the database", OPENXPC_ERROR_LAUNCH_FAILED},
      {"has no program",
       [&](manager& xpcd) {
         ASSERT_TRUE(xpcd.bootstrap(plist("job", {"/no/such/program"}, {name})));
       },
       "cannot be started: /no/such/program: No such file or directory",
       OPENXPC_ERROR_LAUNCH_FAILED},
  };
  for (const cause& each : causes) {
    SCOPED_TRACE(each.what);
    manager xpcd(directory);
    each.arrange(xpcd);
    const run_result explained = ask(name);
    EXPECT_EQ(explained.end.status, EX_UNAVAILABLE) << explained.output;
    EXPECT_NE(explained.output.find(each.said), std::string::npos) << explained.output;
    std::string told;
    openxpc_error_code_t code = xpcd.open_fails(name, &told);
    if (code == OPENXPC_ERROR_NONE) {
      answer refused = xpcd.open(name).call("hello");
      code = refused.code;
      told = refused.message;
    }
    EXPECT_EQ(code, each.code) << told;
    EXPECT_NE(told.find(each.said), std::string::npos) << told;
    const std::string nobody = "there is no service " + name + " in " + directory;
    if (each.code == OPENXPC_ERROR_NOT_FOUND) {
      EXPECT_EQ(told.substr(0, nobody.size()), nobody);
      EXPECT_TRUE(!each.said.empty() || told == nobody) << told;
    }
    std::filesystem::remove(file);
    EXPECT_EQ(xpcd.stop().status, 0);
    EXPECT_FALSE(std::filesystem::exists(directory + "/.why")) << "nothing is left behind";
    std::filesystem::remove_all(directory);
  }
}

TEST_F(WhyNot, AReasonHoldsAsLongAsItIsTrue) {
  manager xpcd(directory);
  const std::string text = plist("job", {"/bin/true"}, {name});
  auto told = [&] {
    std::string message;
    EXPECT_EQ(xpcd.open_fails(name, &message), OPENXPC_ERROR_NOT_FOUND);
    return message;
  };
  const std::string nobody = "there is no service " + name + " in " + directory;
  ASSERT_TRUE(xpcd.verb("disable", "job"));
  EXPECT_FALSE(xpcd.bootstrap(text));
  const std::string disabled =
      nobody +
      ": the job job declares it and was not loaded: job: is disabled in this domain; "
      "xpcctl enable job changes that";
  EXPECT_EQ(told(), disabled);
  xpcd.replace();
  EXPECT_EQ(told(), disabled) << "the next service manager knows it too";
  ASSERT_TRUE(xpcd.verb("enable", "job"));
  EXPECT_EQ(told(), nobody);
  ASSERT_TRUE(xpcd.bootstrap(text));
  EXPECT_EQ(xpcd.open_fails(name), OPENXPC_ERROR_NONE);
  ASSERT_TRUE(xpcd.verb("bootout", "job"));
  EXPECT_EQ(told(), nobody);
}

}  // namespace
}  // namespace system_test
