// Verbs that apply to a domain, and the spelling of targets.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

using xpc_testing::run_result;

class Verbs : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  const std::string directory = root + "/domain";
  const std::string user = "user/" + std::to_string(::geteuid());

  run_result run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--domain", directory});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = std::move(arguments), .keep_stderr = true});
  }
  std::string write(const std::string& file, const std::string& text) {
    std::ofstream(root + "/" + file) << text;
    return root + "/" + file;
  }
  std::string contents(const std::string& file) {
    std::stringstream all;
    all << std::ifstream(root + "/" + file).rdbuf();
    return all.str();
  }
};

TEST_F(Verbs, R233_ADisabledJobCannotBeLoadedUntilItIsEnabled) {
  const std::string file = write("job.plist", plist("job", {"/bin/true"}));
  {
    manager xpcd(directory);
    EXPECT_EQ(run({"disable", "job"}).end.status, 0);
    EXPECT_EQ(run({"disable", "job"}).end.status, 0) << "again";
    run_result refused = run({"bootstrap", file});
    EXPECT_EQ(refused.end.status, EX_NOPERM);
    EXPECT_NE(refused.error.find("job: is disabled in this domain; xpcctl enable job"),
              std::string::npos)
        << refused.error;
    EXPECT_EQ(run({"print-disabled"}).output, "disabled   job\n");
    EXPECT_EQ(xpcd.stop(), xpc_testing::ending{.status = 0});
  }
  // It lies outside the description and outlasts the service manager.
  manager again(directory);
  EXPECT_NE(run({"bootstrap", file}).end.status, 0);
  EXPECT_EQ(run({"enable", user + "/job"}).end.status, 0);
  EXPECT_EQ(run({"bootstrap", file}).end.status, 0);
  EXPECT_EQ(run({"print-disabled", user}).output, "enabled    job\n");
  EXPECT_NE(run({"print-disabled", "--json"}).output.find("\"job\": false"), std::string::npos);
  EXPECT_EQ(run({"disable", "job"}).end.status, 0);
  EXPECT_EQ(run({"kickstart", "job"}).end.status, 0) << "what is loaded stays";
}

TEST_F(Verbs, DisabledInADescriptionIsOverruledByEnable) {
  manager xpcd(directory);
  const std::string file =
      write("job.plist", plist("job", {"/bin/true"}, {}, "<key>Disabled</key><true/>"));
  run_result refused = run({"bootstrap", file});
  EXPECT_NE(refused.error.find("job: is disabled in this domain by its description"),
            std::string::npos)
      << refused.error;
  EXPECT_EQ(run({"enable", "job"}).end.status, 0);
  EXPECT_EQ(run({"bootstrap", file}).end.status, 0);
}

TEST_F(Verbs, WhereLastingStateCannotBeKeptTheReasonIsSaid) {
  write("file", "in the way");
  manager xpcd(directory, {"--state", root + "/file"});
  run_result said = run({"disable", "job"});
  EXPECT_NE(said.end.status, 0);
  EXPECT_NE(said.error.find("lasting state in " + root + "/file"), std::string::npos) << said.error;
  std::filesystem::remove(root + "/file");
  ASSERT_EQ(::mkdir((root + "/file").c_str(), 0700), 0);
  EXPECT_EQ(run({"disable", "job"}).end.status, 0);
  // What cannot be read is no leave to load what may be disabled.
  write("file/disabled.plist", "<plist><array/></plist>");
  said = run({"bootstrap", write("job.plist", plist("job", {"/bin/true"}))});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_NE(said.error.find("disabled.plist: expected a dictionary of bools"), std::string::npos);
  ASSERT_EQ(::chmod((root + "/file").c_str(), 0777), 0);
  EXPECT_EQ(run({"enable", "job"}).end.status, EX_NOPERM);
}

TEST_F(Verbs, VariablesReachJobsThatStartLater) {
  manager xpcd(directory);
  EXPECT_EQ(run({"getenv", "TEA"}).output, "");
  EXPECT_EQ(run({"setenv", "TEA", "green"}).end.status, 0);
  EXPECT_EQ(run({"setenv", "CUP", "blue"}).end.status, 0);
  EXPECT_EQ(run({"getenv", "TEA"}).output, "green\n");
  const std::string out = "<key>StandardOutPath</key><string>" + root + "/out</string>" +
                          "<key>EnvironmentVariables</key><dict><key>CUP</key><string>white"
                          "</string></dict>";
  ASSERT_TRUE(xpcd.bootstrap(plist("job", {"/bin/sh", "-c", "echo $TEA $CUP"}, {}, out)));
  auto start = [&](std::int64_t count) {
    ASSERT_TRUE(xpcd.verb("kickstart", "job"));
    xpc_testing::wait_until("it to end", [&] {
      object_ref job = xpcd.print("job");
      return number_at(job, "generation") == count && text_at(job, "state") == "waiting";
    });
  };
  start(1);
  EXPECT_EQ(contents("out"), "green white\n") << "what the job declares comes first";
  xpcd.replace();
  EXPECT_EQ(run({"getenv", "TEA"}).output, "green\n") << "a new service manager knows it";
  EXPECT_EQ(run({"unsetenv", "TEA"}).end.status, 0);
  EXPECT_EQ(run({"unsetenv", "TEA"}).end.status, 0) << "again";
  start(2);
  EXPECT_EQ(contents("out"), "green white\nwhite\n");
  run_result said = run({"setenv", "LISTEN_FDS", "1"});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_EQ(said.error, "LISTEN_FDS: is set by xpcd itself\n");
  xpcd.stop();
  EXPECT_FALSE(std::filesystem::exists(directory + "/.run")) << "they end with the domain";
}

TEST_F(Verbs, SubmitRunsAProgramUntilItIsRemoved) {
  manager xpcd(directory);
  run_result said = run({"submit", "-l", "sub", "-o", root + "/out", "--", "/bin/sh", "-c",
                         "echo here; exec sleep 1000"});
  ASSERT_EQ(said.end.status, 0) << said.error;
  xpc_testing::wait_until("it to print", [&] { return contents("out") == "here\n"; });
  const object_ref job = xpcd.print("sub");
  EXPECT_EQ(text_at(job, "state"), "running");
  EXPECT_EQ(text_at(job, "origin"), "command line");
  EXPECT_EQ(run({"remove", "sub"}).end.status, 0);
  EXPECT_FALSE(xpcd.verb("print", "sub"));
  EXPECT_FALSE(is_alive(static_cast<pid_t>(number_at(job, "pid"))));
  EXPECT_EQ(run({"submit", "-l", "sub"}).end.status, EX_USAGE);
  EXPECT_EQ(run({"submit", "-l", "bad name", "--", "/bin/true"}).end.status, EX_DATAERR);
}

TEST_F(Verbs, StatsCountWhatThereIs) {
  manager xpcd(directory);
  ASSERT_TRUE(xpcd.bootstrap(plist("one", {"/bin/sleep", "1000"}, {"org.a", "org.b"})));
  ASSERT_TRUE(xpcd.bootstrap(plist("two", {"/bin/true"}, {"org.c"})));
  ASSERT_TRUE(xpcd.verb("kickstart", "one"));
  run_result said = run({"stats"});
  for (const char* line :
       {"jobs                 2\n", "names                3\n", "starts               1\n",
        "running              1\n", "waiting              1\n"}) {
    EXPECT_NE(said.output.find(line), std::string::npos) << line << "in\n" << said.output;
  }
  EXPECT_NE(run({"stats", "--json"}).output.find("\"jobs\": 2"), std::string::npos);
}

TEST_F(Verbs, R228_TargetsAreSpeltAsLaunchctlDoes) {
  manager xpcd(directory);
  const std::string file = write("job.plist", plist("job", {"/bin/sleep", "1000"}));
  EXPECT_EQ(run({"bootstrap", user, file}).end.status, 0);
  EXPECT_EQ(run({"bootstrap", user, file}).end.status, 0) << "the same again changes nothing";
  EXPECT_EQ(run({"kickstart", user + "/job"}).end.status, 0);
  EXPECT_EQ(run({"kickstart", "gui/" + std::to_string(::geteuid()) + "/job"}).end.status, 0);
  EXPECT_EQ(number_at(xpcd.print("job"), "starts"), 1);
  EXPECT_NE(run({"print", user + "/job"}).output.find("/bin/sleep 1000"), std::string::npos);
  EXPECT_NE(run({"print", user}).output.find("domain " + directory), std::string::npos);
  EXPECT_EQ(run({"kill", "KILL", user + "/job"}).end.status, 0);
  EXPECT_EQ(run({"bootout", user}).end.status, EX_USAGE);
  run_result said = run({"print", "user/me/job"});
  EXPECT_EQ(said.end.status, EX_USAGE);
  EXPECT_EQ(said.error,
            "xpcctl: user/me/job: is neither a label nor system/LABEL, user/UID/LABEL, "
            "pid/PID/NAME or the like\n");
  EXPECT_EQ(run({"print", "system/a/b"}).end.status, EX_USAGE);
  EXPECT_EQ(run({"print", "pid/1/job"}).end.status, EX_UNAVAILABLE);
  EXPECT_EQ(run({"bootout", user + "/job"}).end.status, 0);
}

}  // namespace
}  // namespace system_test
