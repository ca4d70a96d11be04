#include "job/declaration.hpp"

#include <gtest/gtest.h>

namespace openxpc::job {
namespace {

std::string plist(const std::string& body) {
  return "<plist version=\"1.0\"><dict>" + body + "</dict></plist>";
}

const std::string with_label = "<key>Label</key><string>a</string>";

TEST(JobDeclaration, IsReadFromWhatIsNotLoaded) {
  const std::optional<declaration> found = declared_in(plist(
      with_label +
      "<key>RunAtLoad</key><string>yes</string>"
      "<key>MachServices</key><dict><key>b.two</key><dict><key>Requirement</key><real>1</real>"
      "</dict><key>b.one</key><string>wrong</string><key>b:ad</key><true/>"
      "<key>b.off</key><false/></dict>"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->label, "a");
  EXPECT_EQ(found->names, (std::vector<std::string>{"b.one", "b.two"}));
}

TEST(JobDeclaration, AListOfNamesIsUnderstood) {
  const std::optional<declaration> found =
      declared_in(R"({"Label": "a", "MachServices": ["b.two", "b.one", "no name"]})");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->names, (std::vector<std::string>{"b.one", "b.two"}));
}

TEST(JobDeclaration, ALabelThatNoJobCanHaveIsNone) {
  for (const char* label :
       {"<key>Label</key><string>../up</string>", "<key>Label</key><real>1</real>", ""}) {
    const std::optional<declaration> found = declared_in(
        plist(label + std::string("<key>MachServices</key><dict><key>n</key><true/></dict>")));
    ASSERT_TRUE(found) << label;
    EXPECT_EQ(found->label, "");
    EXPECT_EQ(found->names, std::vector<std::string>{"n"});
  }
}

TEST(JobDeclaration, WhatDeclaresNoNamesIsKnownToDeclareNone) {
  const std::optional<declaration> found = declared_in(plist(with_label));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->names.empty());
}

TEST(JobDeclaration, WhatCannotBeReadDeclaresNobodyKnowsWhat) {
  EXPECT_FALSE(declared_in(""));
  EXPECT_FALSE(declared_in("<plist>"));
  EXPECT_FALSE(declared_in("<plist version=\"1.0\"><array/></plist>"));
  EXPECT_FALSE(declared_in(plist(with_label + "<key>MachServices</key><string>n</string>")));
  EXPECT_FALSE(declared_in(R"({"MachServices": [1]})"));
}

}  // namespace
}  // namespace openxpc::job
