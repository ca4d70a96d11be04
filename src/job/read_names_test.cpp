#include "job/read.hpp"

#include <gtest/gtest.h>

namespace openxpc::job {
namespace {

std::string json(const std::string& names) {
  return "{\"Label\": \"a\", \"Program\": \"/p\",\n\"MachServices\": {\n" + names + "}}";
}

outcome<reading> read_names_of(const std::string& names) { return read(json(names), "j"); }

std::string error_of(const std::string& names) {
  outcome<reading> result = read_names_of(names);
  return result ? "no error" : result.error().text;
}

std::vector<std::string> lines_of(const std::vector<finding>& found) {
  std::vector<std::string> lines;
  for (const finding& one : found) lines.push_back(describe(one, "j"));
  return lines;
}

TEST(JobNames, R240_TrueOrADictionaryAdvertisesTheName) {
  outcome<reading> all = read_names_of("\"b\": true, \"a\": {}, \"off\": false");
  ASSERT_TRUE(all) << all.error().text;
  EXPECT_EQ(all->job.names, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(all->job.options_of_names.empty());
  EXPECT_EQ(error_of("\"a\": \"true\""),
            "j:3: MachServices/a: expected bool or dictionary, found string");
}

TEST(JobNames, OptionsAreReadForEachNameAlone) {
  outcome<reading> all = read_names_of(
      "\"reset\": {\"ResetAtClose\": true}, \"hidden\": {\"HideUntilCheckIn\": true}, "
      "\"open\": {\"AllowAnyPeer\": true, \"ResetAtClose\": false}, \"plain\": true");
  ASSERT_TRUE(all) << all.error().text;
  EXPECT_TRUE(all->warnings.empty());
  const description& job = all->job;
  EXPECT_EQ(job.options_of("reset"), (name_options{.reset_at_close = true}));
  EXPECT_EQ(job.options_of("hidden"), (name_options{.hide_until_check_in = true}));
  EXPECT_EQ(job.options_of("open"), (name_options{.allow_any_peer = true}));
  EXPECT_EQ(job.options_of("plain"), name_options());
  EXPECT_EQ(error_of("\"a\": {\n\"ResetAtClose\": 1}"),
            "j:4: MachServices/a/ResetAtClose: expected bool, found int64");
  EXPECT_EQ(error_of("\"a\": {\"HideUntilCheckIn\": \"x\"}"),
            "j:3: MachServices/a/HideUntilCheckIn: expected bool, found string");
  EXPECT_EQ(error_of("\"a\": {\"AllowAnyPeer\": 0}"),
            "j:3: MachServices/a/AllowAnyPeer: expected bool, found int64");
  outcome<reading> odd = read_names_of("\"a\": {\"HostSpecialPort\": 3}");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->warnings,
            std::vector<std::string>{
                "j:3: MachServices/a/HostSpecialPort: has no effect: there is no such option"});
}

TEST(JobNames, ARequirementThatNobodyJudgesIsRefusedAndSaysWhy) {
  EXPECT_EQ(error_of("\"a\": {\"Requirement\": \"team A\"}"),
            "j:3: MachServices/a/Requirement: is not judged yet: who signed a program is not "
            "looked at, so the job is not loaded; give AllowAnyPeer true to let everybody speak to "
            "it");
  EXPECT_EQ(error_of("\"a\": {\"Requirement\": \"\"}"),
            "j:3: MachServices/a/Requirement: is empty");
  EXPECT_EQ(error_of("\"a\": {\"Requirement\": 1}"),
            "j:3: MachServices/a/Requirement: expected string, found int64");
  EXPECT_NE(error_of("\"a\": {\"Requirement\": \"team A\", \"AllowAnyPeer\": true}")
                .find("j:3: MachServices/a: Requirement and AllowAnyPeer true exclude each other"),
            std::string::npos);
}

TEST(JobNames, ANameForWhomIsNotSaidIsAnObjectionOfTheSystemDomain) {
  const std::string names =
      "\"b\": {\"AllowAnyPeer\": true},\n\"a\": true,\n\"c\": {\"AllowAnyPeer\": false}";
  outcome<reading> all = read_names_of(names);
  ASSERT_TRUE(all) << all.error().text;
  const std::string behind =
      ": expected Requirement or AllowAnyPeer true, which a name needs in the system domain";
  ASSERT_EQ(all->objections.size(), 2u);
  for (const reading::objection& one : all->objections) {
    EXPECT_EQ(one.where, finding::scope::any_peer);
  }
  EXPECT_EQ(all->objections[0].text, "j:4: MachServices/a" + behind);
  EXPECT_EQ(all->objections[1].text, "j:5: MachServices/c" + behind);
  EXPECT_TRUE(inspect(json(names), "j")->empty());
  EXPECT_TRUE(inspect(json(names), "j", domain_kind::user)->empty());
  EXPECT_EQ(
      lines_of(*inspect(json(names), "j", domain_kind::system)),
      (std::vector<std::string>{"j:4: MachServices/a" + behind, "j:5: MachServices/c" + behind}));
}

}  // namespace
}  // namespace openxpc::job
