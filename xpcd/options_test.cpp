#include "options.hpp"

#include <gtest/gtest.h>

#include <sysexits.h>

#include <vector>

namespace openxpc {
namespace {

std::variant<options, early_exit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "xpcd");
  return parse_options(static_cast<int>(arguments.size()), const_cast<char**>(arguments.data()));
}

TEST(Options, AreTakenInBothSpellings) {
  for (const std::vector<const char*>& spelt :
       {std::vector<const char*>{"--domain", "/d", "--ready-fd", "3", "--foreground"},
        {"--domain=/d", "--ready-fd=3"}}) {
    auto result = parse(spelt);
    ASSERT_TRUE(std::holds_alternative<options>(result));
    EXPECT_EQ(std::get<options>(result).domain, "/d");
    EXPECT_EQ(std::get<options>(result).ready_fd, 3);
  }
  EXPECT_FALSE(std::get<options>(parse({})).domain);
  EXPECT_FALSE(std::get<options>(parse({})).system);
  EXPECT_EQ(std::get<options>(parse({"--jobs", "/a", "--jobs=/b"})).jobs,
            (std::vector<std::string>{"/a", "/b"}));
  EXPECT_TRUE(std::get<options>(parse({"--system"})).system);
  EXPECT_EQ(std::get<options>(parse({"--hardened-group", "g"})).hardened_group, "g");
  EXPECT_EQ(std::get<options>(parse({"--hardened-group=9"})).hardened_group, "9");
}

TEST(Options, WhatCountsForOneStartOnlyIsNotHandedOn) {
  const options all = std::get<options>(
      parse({"--domain", "--ready-fd", "--ready-fd", "1", "--system", "--ready-fd=1",
             "--handover-fd", "9", "--log=x", "--check-state", "--foreground"}));
  EXPECT_EQ(all.domain, "--ready-fd") << "a value, whatever it looks like";
  EXPECT_EQ(all.handover_fd, 9);
  EXPECT_TRUE(all.check_state);
  EXPECT_EQ(all.lasting, (std::vector<std::string>{"--domain", "--ready-fd", "--system", "--log=x",
                                                   "--foreground"}));
}

TEST(Options, WrongOnesAreNamedWithTheUsage) {
  struct {
    std::vector<const char*> given;
    const char* expected;
  } const cases[] = {{{"--fly"}, "unknown argument --fly"},
                     {{"file.plist"}, "unknown argument file.plist"},
                     {{"--domain"}, "--domain wants"},
                     {{"--domain="}, "--domain wants"},
                     {{"--state"}, "--state wants"},
                     {{"--idle-exit", "0"}, "--idle-exit wants"},
                     {{"--check-in-time", "0"}, "--check-in-time wants"},
                     {{"--file-time", "0"}, "--file-time wants"},
                     {{"--jobs="}, "--jobs wants"},
                     {{"--hardened-group="}, "--hardened-group wants"},
                     {{"--ready-fd", "x"}, "--ready-fd wants"},
                     {{"--ready-fd", "-1"}, "--ready-fd wants"},
                     {{"--handover-fd", "2"}, "--handover-fd wants"},
                     {{"--foreground=1"}, "unknown argument"},
                     {{"--system=1"}, "unknown argument"}};
  for (const auto& one : cases) {
    auto result = parse(one.given);
    ASSERT_TRUE(std::holds_alternative<early_exit>(result)) << one.expected;
    EXPECT_EQ(std::get<early_exit>(result).status, EX_USAGE);
    EXPECT_NE(std::get<early_exit>(result).text.find(one.expected), std::string::npos);
    EXPECT_NE(std::get<early_exit>(result).text.find("usage: xpcd"), std::string::npos);
  }
}

TEST(Options, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(std::get<early_exit>(parse({"--help"})).status, 0);
  EXPECT_EQ(std::get<early_exit>(parse({"--version"})).text.find("xpcd (OpenXPC) "), 0u);
}

}  // namespace
}  // namespace openxpc
