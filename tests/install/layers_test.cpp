// The house keeps its own rules, and the checks that say so can tell: a small house with planted
// violations must be found guilty of exactly those.
#include "support/child.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using xpc_testing::run;

namespace {

const std::string here = std::string(xpc_testing::source_folder) + "/tests/install/";

/// The checks compile every header in every language: beside other work that takes its time.
[[maybe_unused]] const int patient = ::setenv("OPENXPC_TEST_PATIENCE", "260", 0);

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "int x;\n";
  return text;
}

}  // namespace

TEST(InstallLayers, EveryIncludeOfTheHouseIsAllowed) {
  auto check = run(here + "check-layers");
  EXPECT_EQ(check.end.status, 0) << check.output << check.error;
}

TEST(InstallLayers, PlantedViolationsAreFoundAndNothingElse) {
  auto check = run(here + "check-layers", {.arguments = {here + "fixture_layers"}});
  EXPECT_EQ(check.end.status, 1);
  EXPECT_EQ(
      check.output,
      "include/xpc/inner.h:2: include may not include \"low/good.hpp\" (low); it may include: "
      "public public++ \n"
      "src/high/cpp_api.cpp:1: high may not include <xpc/xpc.hpp> (public++); it may include: low "
      "public <json \n"
      "src/low/library.hpp:2: low may not include <json.hpp> (<json); it may include: - \n"
      "src/low/public.hpp:2: low may not include <xpc/xpc.h> (public); it may include: - \n"
      "src/low/upward.cpp:1: low may not include \"high/high.hpp\" (high); it may include: - \n"
      "tools/tool.cpp:4: tools may not include \"high/high.hpp\" (high); it may include: public "
      "public++ \n"
      "src/LAYERS: no line for \"loose\" (src/loose/loose.hpp)\n");
}

TEST(InstallLayers, LayerThatNamesOneBelowItselfIsRefused) {
  std::filesystem::create_directory(xpc_testing::runtime_directory() + "/src");
  std::ofstream(xpc_testing::runtime_directory() + "/src/LAYERS") << "low: high\nhigh: -\n";
  std::ofstream(xpc_testing::runtime_directory() + "/src/a.cpp") << "\n";
  auto check = run(here + "check-layers", {.arguments = {xpc_testing::runtime_directory()}});
  EXPECT_EQ(check.end.status, 1);
  EXPECT_NE(check.output.find("low names high, which does not stand above it"), std::string::npos);
}

TEST(InstallLength, NoFileOfTheHouseIsTooLong) {
  auto check = run(here + "check-length");
  EXPECT_EQ(check.end.status, 0) << check.output << check.error;
}

TEST(InstallLength, FiveHundredLinesAreAllowedAndOneMoreIsNot) {
  const std::string& folder = xpc_testing::runtime_directory();
  std::ofstream(folder + "/fits.cpp") << lines(500);
  std::ofstream(folder + "/long.cpp") << lines(501);
  std::ofstream(folder + "/story.txt") << lines(1000);
  auto check = run(here + "check-length", {.arguments = {folder}});
  EXPECT_EQ(check.output, "long.cpp: 501 lines, at most 500\n");
  EXPECT_EQ(check.end.status, 1);
}

TEST(InstallHeaders, EachPublicHeaderCompilesAlone) {
  auto check = run(here + "check-headers", {.arguments = {"--quick"}});
  EXPECT_EQ(check.end.status, 0) << check.output << check.error;
}

TEST(InstallHeaders, HeaderThatNeedsAnotherOneIsFound) {
  const std::string folder = xpc_testing::runtime_directory() + "/include";
  std::filesystem::create_directory(folder);
  std::ofstream(folder + "/needy.h") << "uint64_t needs_stdint(void);\n";
  auto check = run(here + "check-headers", {.arguments = {"--quick", folder}});
  EXPECT_EQ(check.end.status, 1);
  EXPECT_NE(check.output.find("needy.h: fails with gcc -x c -std=c11"), std::string::npos)
      << check.output;
}
