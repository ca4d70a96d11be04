// xpcctl against a service manager of the test's own: what it prints and how it exits.

#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sysexits.h>

#include <fstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

using xpc_testing::run_result;

class Xpcctl : public ::testing::Test {
 protected:
  run_result run(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.begin(), {"--domain", directory_});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = std::move(arguments), .keep_stderr = true}, input);
  }
  std::string write(const std::string& file, const std::string& text) {
    const std::string path = xpc_testing::runtime_directory() + "/" + file;
    std::ofstream(path) << text;
    return path;
  }
  void load_echo() {
    run_result loaded =
        run({"bootstrap", write("echo.plist", plist("echo", role("echo", {name}), {name}))});
    ASSERT_EQ(loaded.end.status, 0) << loaded.error;
    EXPECT_EQ(loaded.output + loaded.error, "");
  }
  const std::string directory_ = xpc_testing::runtime_directory() + "/domain";
  const std::string name = "org.example.echo";
};

TEST_F(Xpcctl, CallsAServiceByName) {
  manager xpcd(directory_);
  load_echo();
  run_result said = run({"call", name, "{\"op\": \"hello\", \"n\": [1, 2.5, null]}"});
  ASSERT_EQ(said.end.status, 0) << said.error;
  EXPECT_NE(said.output.find("\"op\": \"hello\""), std::string::npos) << said.output;
  EXPECT_NE(said.output.find("\"pid\": "), std::string::npos);
  EXPECT_EQ(run({"call", name, "[1]"}).end.status, EX_DATAERR);
  said = run({"call", name, "{\"a\": }"});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_EQ(said.error.compare(0, 10, "message:1:"), 0) << said.error;
  said = run({"call", "org.example.nobody", "{}"});
  EXPECT_NE(said.end.status, 0);
  EXPECT_NE(said.error.find("org.example.nobody"), std::string::npos) << said.error;
}

TEST_F(Xpcctl, WithoutAServiceManagerItSaysHowToStartOne) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"list"}, {"call", name, "{}"}}) {
    run_result said = run(arguments);
    EXPECT_EQ(said.end.status, EX_UNAVAILABLE) << said.error;
    EXPECT_NE(said.error.find("xpcd --domain " + directory_), std::string::npos) << said.error;
  }
}

TEST_F(Xpcctl, ListsAndPrintsForPeopleAndForScripts) {
  manager xpcd(directory_);
  load_echo();
  EXPECT_EQ(run({"list"}).output,
            "PID      STATUS STATE      LABEL\n-        -      waiting    echo\n");
  ASSERT_EQ(run({"call", name, "{\"op\": \"hello\"}"}).end.status, 0);
  const std::string pid = std::to_string(number_at(xpcd.print("echo"), "pid"));
  run_result said = run({"print", "echo"});
  ASSERT_EQ(said.end.status, 0) << said.error;
  for (const std::string& part :
       {std::string("state                running"), "pid                  " + pid,
        "name                 " + name + ", 0 connections waiting", std::string("    serving\n")}) {
    EXPECT_NE(said.output.find(part), std::string::npos) << part << " in\n" << said.output;
  }
  said = run({"print", name, "--json"});
  EXPECT_NE(said.output.find("\"pid\": " + pid), std::string::npos) << said.output;
  said = run({"--json", "list"});
  EXPECT_NE(said.output.find("\"label\": \"echo\""), std::string::npos) << said.output;
  EXPECT_EQ(said.output.front(), '[');
  said = run({"print", "nobody"});
  EXPECT_NE(said.end.status, 0);
  EXPECT_NE(said.error.find("nobody: no such job in this domain"), std::string::npos) << said.error;
}

TEST_F(Xpcctl, SteersJobs) {
  manager xpcd(directory_);
  load_echo();
  run_result said = run({"kickstart", "-p", "echo"});
  ASSERT_EQ(said.end.status, 0) << said.error;
  EXPECT_EQ(said.output, std::to_string(number_at(xpcd.print("echo"), "pid")) + "\n");
  EXPECT_EQ(run({"kill", "NOPE", "echo"}).end.status, EX_USAGE);
  EXPECT_EQ(run({"kill", "SIGKILL", "echo"}).end.status, 0);
  xpcd.wait_for_state("echo", "waiting");
  EXPECT_NE(run({"kill", "9", "echo"}).end.status, 0) << "it has no process now";
  EXPECT_NE(run({"list"}).output.find("-9"), std::string::npos);
  EXPECT_EQ(run({"bootout", "echo"}).end.status, 0);
  EXPECT_EQ(run({"list"}).output, "PID      STATUS STATE      LABEL\n");
}

TEST_F(Xpcctl, BadJobDescriptionsNameFileLineAndKey) {
  manager xpcd(directory_);
  const std::string path =
      write("bad.plist", plist("bad", {"/p"}, {}, "<key>RunAtLoad</key><integer>1</integer>\n"));
  run_result said = run({"bootstrap", path});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_NE(said.error.find(path + ":5: RunAtLoad: expected bool, found int64"), std::string::npos)
      << said.error;
  said = run({"bootstrap", "/no/such/file"});
  EXPECT_EQ(said.end.status, EX_NOINPUT);
  const std::string odd = write("odd.plist", plist("odd", {"/p"}, {}, "<key>Debug</key><true/>\n"));
  said = run({"bootstrap", odd});
  EXPECT_EQ(said.end.status, 0);
  EXPECT_EQ(said.error.find("xpcctl: warning: " + odd + ":5: Debug: has no effect here: "), 0u)
      << said.error;
  EXPECT_EQ(run({"bootstrap", odd}).end.status, 0) << "the same again changes nothing";
  write("odd.plist", plist("odd", {"/q"}));
  said = run({"bootstrap", odd});
  EXPECT_NE(said.end.status, 0);
  EXPECT_NE(said.error.find("odd: is loaded already, from " + odd), std::string::npos)
      << said.error;
}

TEST_F(Xpcctl, JobDescriptionsComeFromStandardInputToo) {
  manager xpcd(directory_);
  run_result said = run({"bootstrap", "-"}, plist("echo", role("echo", {name}), {name}));
  EXPECT_EQ(said.end.status, 0) << said.error;
  EXPECT_EQ(text_at(xpcd.print("echo"), "origin"), "standard input");
}

}  // namespace
}  // namespace system_test
