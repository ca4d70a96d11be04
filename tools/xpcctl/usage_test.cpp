#include "support/child.hpp"
#include "support/places.hpp"

#include <gtest/gtest.h>

#include <sysexits.h>

#include <fstream>
#include <iterator>

namespace {

using xpc_testing::run_result;

run_result xpcctl(std::vector<std::string> arguments) {
  return xpc_testing::run(xpc_testing::xpcctl_program,
                          {.arguments = std::move(arguments), .keep_stderr = true});
}

TEST(XpcctlUsage, HelpNamesEveryVerb) {
  run_result said = xpcctl({"--help"});
  EXPECT_EQ(said.end.status, EX_OK);
  for (const char* verb : {"decode", "encode"})
    EXPECT_NE(said.output.find(verb), std::string::npos);
  EXPECT_EQ(said.error, "");
  said = xpcctl({"decode", "--help"});
  EXPECT_EQ(said.end.status, EX_OK);
  EXPECT_NE(said.output.find("--hex"), std::string::npos);
}

/// The words that follow `before` in `text`, as far as they have the characters of a name.
std::vector<std::string> names_after(const std::string& text, const std::string& before) {
  std::vector<std::string> names;
  for (std::size_t at = text.find(before); at != std::string::npos; at = text.find(before, at)) {
    at += before.size();
    std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
    if (end != at) names.push_back(text.substr(at, end - at));
  }
  return names;
}

TEST(XpcctlUsage, TheManualHasEveryVerbAndOption) {
  std::ifstream in(std::string(xpc_testing::source_folder) + "/docs/man/xpcctl.1");
  std::string manual{std::istreambuf_iterator<char>(in), {}};
  std::string help = xpcctl({"--help"}).output;
  std::vector<std::string> verbs = names_after(help.substr(help.find("Subcommands:")), "\n  ");
  EXPECT_GE(verbs.size(), 9u);
  for (const std::string& verb : verbs) {
    EXPECT_NE(manual.find("\n.It Cm " + verb), std::string::npos) << verb;
    for (const std::string& option : names_after(xpcctl({verb, "--help"}).output, "--")) {
      EXPECT_TRUE(manual.find(".It Fl -" + option) != std::string::npos ||
                  manual.find(" , -" + option) != std::string::npos)
          << verb << " --" << option;
    }
  }
}

TEST(XpcctlUsage, TellsItsVersion) {
  run_result said = xpcctl({"--version"});
  EXPECT_EQ(said.end.status, EX_OK);
  EXPECT_TRUE(said.output.starts_with("xpcctl (OpenXPC) ")) << said.output;
}

TEST(XpcctlUsage, WrongUsageIs64AndSaysWhatIsWrong) {
  for (std::vector<std::string> arguments :
       {std::vector<std::string>{}, {"fly"}, {"decode", "--fly"}, {"decode", "a", "b"}}) {
    run_result said = xpcctl(arguments);
    EXPECT_EQ(said.end.status, EX_USAGE);
    EXPECT_TRUE(said.error.starts_with("xpcctl: ")) << said.error;
    EXPECT_EQ(said.output, "");
  }
}

TEST(XpcctlUsage, AnUnknownVerbIsNamed) {
  const std::string end = "\nxpcctl --help lists the verbs, xpcctl VERB --help its options.\n";
  EXPECT_EQ(xpcctl({"fly", "away"}).error, "xpcctl: fly: there is no such verb" + end);
  EXPECT_EQ(xpcctl({"--fly"}).error, "xpcctl: --fly: there is no such option" + end);
  EXPECT_EQ(xpcctl({}).error, "xpcctl: a verb is required" + end);
}

TEST(XpcctlUsage, AMissingFileIs66) {
  run_result said = xpcctl({"decode", "/nonexistent/file"});
  EXPECT_EQ(said.end.status, EX_NOINPUT);
  EXPECT_EQ(said.error, "xpcctl: /nonexistent/file: No such file or directory\n");
  said = xpcctl({"decode", "/"});
  EXPECT_EQ(said.end.status, EX_IOERR);
  EXPECT_EQ(said.error, "xpcctl: /: Is a directory\n");
}

}  // namespace
