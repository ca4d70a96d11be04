// xpcctl and the services of a process: pid/PID/.

#include "support/places.hpp"

#include <sysexits.h>
#include <unistd.h>

#include "system/bundle_fixture.hpp"

namespace system_test {
namespace {

class Targets : public Bundle {
 protected:
  xpc_testing::run_result run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--domain", directory});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = std::move(arguments), .keep_stderr = true});
  }
};

TEST_F(Targets, R228_AProcessIsADomainWithItsServicesInIt) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  const std::string target = "pid/" + std::to_string(demo.pid()) + "/";
  EXPECT_EQ(run({"list", target}).output, "PID      STATUS STATE      LABEL\n");
  const std::string helper = demo.ask("a", name, "pid");
  xpc_testing::run_result said = run({"list", target});
  EXPECT_PRED_FORMAT2(has_text, said.output, helper);
  EXPECT_PRED_FORMAT2(has_text, said.output, "running    " + name + "\n");
  said = run({"print", target});
  EXPECT_PRED_FORMAT2(
      has_text, said.output,
      target.substr(0, target.size() - 1) + ", a process of " + program + "\n" + name + "\n");
  said = run({"print", target + name});
  EXPECT_PRED_FORMAT2(has_text, said.output, "pid                  " + helper);
  EXPECT_PRED_FORMAT2(has_text, said.output, "/Info.plist");
  said = run({"print", target + name, "--json"});
  EXPECT_PRED_FORMAT2(has_text, said.output, "\"label\": \"" + name + "\"");
  EXPECT_PRED_FORMAT2(has_text, run({"list", target, "--json"}).output, "\"pid\": " + helper);
  // The domains of the machine and of the user are the others, whatever they are called.
  for (const char* other : {"system", "user/0/", "gui/0/"})
    EXPECT_EQ(run({"list", other}).output, "PID      STATUS STATE      LABEL\n") << other;
}

TEST_F(Targets, TheVerbsWorkOnAServiceAndMayBeRepeated) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  const std::string helper = demo.ask("a", name, "pid");
  const std::string target = "pid/" + std::to_string(demo.pid()) + "/" + name;
  EXPECT_EQ(run({"kickstart", "--pid", target}).output, helper + "\n") << "it runs already";
  xpc_testing::run_result said = run({"kickstart", "--kill", "--pid", target});
  ASSERT_EQ(said.end.status, 0) << said.error;
  EXPECT_NE(said.output, helper + "\n");
  EXPECT_EQ(run({"kill", "TERM", target}).end.status, 0);
  wait_until_gone(static_cast<pid_t>(std::atoi(said.output.c_str())));
  EXPECT_EQ(run({"bootout", target}).end.status, 0);
  EXPECT_EQ(run({"print", target}).end.status, EX_UNAVAILABLE);
  said = run({"bootout", target});
  EXPECT_EQ(said.end.status, 0) << said.error;
  EXPECT_EQ(said.error, "xpcctl: nothing is loaded as " + target + "\n");
  // The process gets it back when it asks.
  pid_t next = 0;
  xpc_testing::wait_until("the service to be back", [&] { return (next = pid_at(demo)) > 0; });
  EXPECT_EQ(run({"kickstart", "--pid", target}).output, std::to_string(next) + "\n");
}

TEST_F(Targets, WhatAProcessDoesNotHaveIsSaid) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  const std::string target = "pid/" + std::to_string(demo.pid()) + "/";
  xpc_testing::run_result said = run({"print", target + name});
  EXPECT_EQ(said.end.status, EX_UNAVAILABLE);
  EXPECT_PRED_FORMAT2(has_text, said.error, "this process has asked for no such service");
  said = run({"enable", target + name});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_PRED_FORMAT2(has_text, said.error, "there is no such verb for the services of a process");
  said = run({"stats", target});
  EXPECT_EQ(said.end.status, EX_USAGE);
  said = run({"list", "pid/4194305/"});
  EXPECT_EQ(said.end.status, EX_UNAVAILABLE);
  EXPECT_PRED_FORMAT2(has_text, said.error, "there is no such process");
  said = run({"list", "pid/x/"});
  EXPECT_EQ(said.end.status, EX_USAGE);
}

TEST_F(Targets, LintChecksAnInfoPlist) {
  const std::string bundle =
      make_bundle(services, {.identifier = name, .service = "<key>ServiceType</key><true/>\n"});
  const std::string info = bundle + "/Contents/Info.plist";
  xpc_testing::run_result said = run({"lint", info});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_EQ(said.error, info + ":5: XPCService/ServiceType: expected string, found bool\n");
  make_bundle(services, {.identifier = name});
  said = run({"lint", info});
  EXPECT_EQ(said.end.status, 0) << said.error;
  EXPECT_EQ(said.output + said.error, "");
}

}  // namespace
}  // namespace system_test
