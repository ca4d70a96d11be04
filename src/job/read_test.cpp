#include "job/read.hpp"

#include "job/keys.hpp"

#include <gtest/gtest.h>

namespace openxpc::job {
namespace {

std::string plist(const std::string& body) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n" + body +
         "</dict>\n</plist>\n";
}

const std::string minimal =
    "<key>Label</key><string>a</string>\n<key>Program</key><string>/p</string>\n";

std::string error_of(const std::string& body) {
  outcome<reading> result = read(plist(body), "j.plist");
  return result ? "no error" : result.error().text;
}

TEST(JobRead, EveryKeyOfTheFirstStage) {
  outcome<reading> result = read(plist(R"(
<key>Label</key><string>org.example.all</string>
<key>Program</key><string>/usr/bin/daemon</string>
<key>ProgramArguments</key><array><string>daemon</string><string></string></array>
<key>MachServices</key><dict><key>org.b</key><true/><key>org.a</key><dict/><key>org.off</key><false/></dict>
<key>EnvironmentVariables</key><dict><key>A</key><string>1</string></dict>
<key>WorkingDirectory</key><string>/tmp</string>
<key>StandardOutPath</key><string>/tmp/o</string>
<key>StandardErrorPath</key><string>/tmp/e</string>
<key>RunAtLoad</key><true/>
<key>KeepAlive</key><true/>
<key>ThrottleInterval</key><integer>3</integer>
<key>ExitTimeOut</key><integer>0</integer>
)"),
                                 "j.plist");
  ASSERT_TRUE(result) << result.error().text;
  const description& job = result->job;
  EXPECT_EQ(job.label, "org.example.all");
  EXPECT_EQ(job.program, "/usr/bin/daemon");
  EXPECT_EQ(job.arguments, (std::vector<std::string>{"daemon", ""}));
  EXPECT_EQ(job.names, (std::vector<std::string>{"org.a", "org.b"}));
  EXPECT_EQ(job.environment.at("A"), "1");
  EXPECT_EQ(job.working_directory, "/tmp");
  EXPECT_EQ(job.stdout_path, "/tmp/o");
  EXPECT_EQ(job.stderr_path, "/tmp/e");
  EXPECT_TRUE(job.run_at_load);
  EXPECT_TRUE(job.keep.always);
  EXPECT_EQ(job.throttle_interval.count(), 3);
  EXPECT_EQ(job.exit_timeout.count(), 0);
  EXPECT_TRUE(result->warnings.empty());
}

TEST(JobRead, DefaultsAndProgramOutOfItsArguments) {
  outcome<reading> result =
      read(plist("<key>Label</key><string>a</string><key>ProgramArguments</key>"
                 "<array><string>tool</string></array>"),
           "j.plist");
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(result->job.program, "tool");
  EXPECT_EQ(result->job.throttle_interval.count(), 10);
  EXPECT_FALSE(result->job.keep.any());
  EXPECT_EQ(result->job.working_directory, "/");
}

TEST(JobRead, R237_KeepAliveConditions) {
  outcome<reading> result =
      read(plist(minimal + "<key>KeepAlive</key><dict><key>SuccessfulExit</key><false/>"
                           "<key>Crashed</key><true/><key>Moon</key><dict/></dict>"),
           "j.plist");
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(result->job.keep.successful_exit, false);
  EXPECT_EQ(result->job.keep.crashed, true);
  ASSERT_EQ(result->warnings.size(), 1u);
  EXPECT_EQ(result->warnings[0],
            "j.plist:6: KeepAlive/Moon: has no effect: there is no such condition");
}

TEST(JobRead, R350_ExitTimeoutAlsoSoSpelt) {
  outcome<reading> result =
      read(plist(minimal + "<key>ExitTimeout</key><integer>7</integer>"), "j.plist");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->job.exit_timeout.count(), 7);
}

TEST(JobRead, WrongTypesNameFileLineKeyExpectedAndFound) {
  EXPECT_EQ(error_of(minimal + "<key>RunAtLoad</key><string>yes</string>\n"),
            "j.plist:6: RunAtLoad: expected bool, found string");
  EXPECT_EQ(error_of(minimal + "<key>MachServices</key><array/>\n"),
            "j.plist:6: MachServices: expected dictionary, found array");
  EXPECT_EQ(error_of(minimal +
                     "<key>MachServices</key><dict>\n<key>n</key><integer>1</integer></dict>\n"),
            "j.plist:7: MachServices/n: expected bool or dictionary, found int64");
  EXPECT_EQ(error_of(minimal +
                     "<key>ProgramArguments</key><array>\n<string>a</string>\n<true/></array>\n"),
            "j.plist:8: ProgramArguments/1: expected string, found bool");
  EXPECT_EQ(error_of(minimal + "<key>ThrottleInterval</key><real>1</real>\n"),
            "j.plist:6: ThrottleInterval: expected integer, found double");
  EXPECT_EQ(error_of(minimal + "<key>ThrottleInterval</key><integer>-1</integer>\n"),
            "j.plist:6: ThrottleInterval: expected integer from 0 to 31536000");
  EXPECT_EQ(
      error_of(minimal +
               "<key>EnvironmentVariables</key><dict><key>A</key><integer>1</integer></dict>\n"),
      "j.plist:6: EnvironmentVariables/A: expected string, found int64");
  EXPECT_EQ(error_of(minimal + "<key>KeepAlive</key><integer>1</integer>\n"),
            "j.plist:6: KeepAlive: expected bool or dictionary, found int64");
}

TEST(JobRead, BadContentIsNamed) {
  EXPECT_EQ(error_of("<key>Program</key><string>/p</string>\n"), "j.plist:3: Label: is missing");
  EXPECT_EQ(error_of("<key>Label</key><string>a</string>\n"),
            "j.plist:3: Program: is missing, and so is ProgramArguments");
  EXPECT_EQ(
      error_of("<key>Label</key><string>a b</string>\n<key>Program</key><string>/p</string>\n"),
      "j.plist:4: Label: byte 0x20 at position 2 is not one of A-Z a-z 0-9 . _ -");
  EXPECT_EQ(error_of(minimal + "<key>MachServices</key><dict><key>x:y</key><true/></dict>\n"),
            "j.plist:6: MachServices/x:y: ':' at position 2 is not one of A-Z a-z 0-9 . _ -");
  EXPECT_EQ(error_of(minimal + "<key>WorkingDirectory</key><string>tmp</string>\n"),
            "j.plist:6: WorkingDirectory: tmp is not an absolute path");
  EXPECT_EQ(
      error_of(
          minimal +
          "<key>EnvironmentVariables</key><dict><key>LISTEN_FDS</key><string>9</string></dict>\n"),
      "j.plist:6: EnvironmentVariables/LISTEN_FDS: is set by xpcd itself");
}

TEST(JobRead, SeveralErrorsAreToldAtOnce) {
  EXPECT_EQ(
      error_of(minimal +
               "<key>RunAtLoad</key><string>yes</string>\n<key>KeepAlive</key><real>1</real>\n"),
      "j.plist:6: RunAtLoad: expected bool, found string\n"
      "j.plist:7: KeepAlive: expected bool or dictionary, found double");
}

TEST(JobRead, T63_KeysWithoutEffectAreWarnedOfByNameAndBrokenTextIsRefused) {
  outcome<reading> result =
      read(plist(minimal + "<key>LimitLoadToHosts</key><array/>\n"
                           "<key>Runatload</key><true/>\n<key>Flies</key><true/>\n"),
           "j.plist");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->warnings,
            (std::vector<std::string>{
                "j.plist:6: LimitLoadToHosts: has no effect here: there are no host names to "
                "choose by",
                "j.plist:7: Runatload: has no effect: there is no such key; is RunAtLoad meant?",
                "j.plist:8: Flies: has no effect: there is no such key"}));
  outcome<reading> twice = read(plist(minimal + minimal), "j.plist");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().text.compare(0, 8, "j.plist:"), 0) << twice.error().text;
  EXPECT_FALSE(read("<plist><dict>", "j.plist"));
  EXPECT_EQ(read("[1]", "j.json").error().text, "j.json: expected dictionary, found array");
}

TEST(JobRead, R350_EveryKeyThatShippedProgramsUseIsKnown) {
  for (const char* key : {"Label", "Program", "ProgramArguments", "MachServices", "KeepAlive",
                          "UserName", "EnableTransactions", "ExitTimeout", "StandardOutPath",
                          "StandardErrorPath", "WaitForDebugger", "LaunchEvents"}) {
    EXPECT_NE(find_key(key), nullptr) << key;
  }
}

TEST(JobRead, InspectTellsMistakesAndWarningsInTheOrderOfTheirLines) {
  outcome<std::vector<finding>> found =
      inspect(plist("<key>Nope</key><true/>\n<key>RunAtLoad</key><real>1</real>\n"
                    "<key>ExitTimeOut</key><integer>-1</integer>\n" +
                    minimal),
              "j.plist");
  ASSERT_TRUE(found);
  std::vector<std::string> lines;
  for (const finding& one : *found) lines.push_back(describe(one, "j"));
  EXPECT_EQ(lines,
            (std::vector<std::string>{"j:4: Nope: has no effect: there is no such key",
                                      "j:5: RunAtLoad: expected bool, found double",
                                      "j:6: ExitTimeOut: expected integer from 0 to 31536000"}));
  EXPECT_TRUE(inspect(plist(minimal), "j")->empty());
  EXPECT_FALSE(inspect("{", "j.json"));
}

TEST(JobRead, R177_PressuredExitIsNotHonouredWithKeepAliveTrue) {
  const std::string wanted = "<key>EnablePressuredExit</key><true/>\n";
  outcome<reading> alone = read(plist(minimal + wanted), "j");
  ASSERT_TRUE(alone);
  EXPECT_TRUE(alone->job.pressured_exit);
  EXPECT_TRUE(alone->warnings.empty());
  outcome<reading> kept = read(plist(minimal + wanted + "<key>KeepAlive</key><true/>\n"), "j");
  ASSERT_TRUE(kept);
  EXPECT_FALSE(kept->job.pressured_exit);
  EXPECT_EQ(kept->warnings, std::vector<std::string>{
                                "j:6: EnablePressuredExit: has no effect with KeepAlive true"});
  outcome<reading> conditional =
      read(plist(minimal + wanted + "<key>KeepAlive</key><dict><key>Crashed</key><true/></dict>\n"),
           "j");
  ASSERT_TRUE(conditional);
  EXPECT_TRUE(conditional->job.pressured_exit);
}

TEST(JobKeys, EachIsFoundByItsName) {
  // The table is searched by halves: one row out of order would hide others.
  for (const char* key :
       {"AbandonProcessGroup", "ExitTimeOut", "ExitTimeout", "LimitLoadFromHosts", "Program",
        "ProgramArguments", "ThrottleInterval", "WorkingDirectory", "inetdCompatibility"}) {
    const key_rule* rule = find_key(key);
    ASSERT_NE(rule, nullptr) << key;
    EXPECT_STREQ(rule->key, key);
    EXPECT_EQ(rule->read == nullptr, rule->no_effect != nullptr) << key;
  }
  EXPECT_EQ(find_key("Flies"), nullptr);
  EXPECT_EQ(find_key(""), nullptr);
  EXPECT_EQ(find_key("zzz"), nullptr);
}

TEST(JobRead, ObjectsWithoutTextHaveNoLine) {
  object_ref object = new_dictionary();
  set(object.get(), "Label", "a");
  set(object.get(), "Program", std::int64_t{1});
  outcome<reading> result = read(std::move(object), "request");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, "request: Program: expected string, found int64");
}

}  // namespace
}  // namespace openxpc::job
