// Descriptions that the service manager finds by itself.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

class Load : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(root + "/first");
    std::filesystem::create_directory(root + "/second");
  }
  void write(const std::string& file, const std::string& text) {
    std::ofstream(root + "/" + file) << text;
  }
  std::vector<std::string> both() const {
    return {"--jobs", root + "/first", "--jobs", root + "/second", "--jobs", root + "/none"};
  }
  static bool has_line(const std::string& log, const std::string& line) {
    return log.find(line + "\n") != std::string::npos;
  }
  const std::string root = xpc_testing::runtime_directory();
};

TEST_F(Load, DirectoriesAreReadInTheirOrderAndTheFirstLabelWins) {
  write("first/a.plist", plist("a", {"/bin/true"}, {"org.example.a"}));
  write("first/b.json", "{\"Label\": \"b\", \"Program\": \"/bin/true\"}");
  write("first/notes.txt", "no description");
  write("first/.hidden.plist", plist("hidden", {"/bin/true"}));
  write("second/a.plist", plist("a", {"/bin/false"}));
  write("second/c.plist", plist("c", {"/bin/true"}));
  manager xpcd(root + "/domain", both());
  EXPECT_EQ(text_at(xpcd.print("a"), "origin"), root + "/first/a.plist");
  EXPECT_EQ(text_at(xpcd.print("b"), "origin"), root + "/first/b.json");
  EXPECT_EQ(text_at(xpcd.print("c"), "origin"), root + "/second/c.plist");
  EXPECT_FALSE(xpcd.verb("print", "hidden"));
  EXPECT_EQ(xpcd.open_fails("org.example.a"), OPENXPC_ERROR_NONE);
  EXPECT_TRUE(has_line(
      xpcd.log(),
      "xpcd: " + root + "/second/a.plist: the label a is shadowed by " + root + "/first/a.plist"))
      << xpcd.log();
}

TEST_F(Load, MoreFilesThanAreReadAtOnceAreAllLoaded) {
  constexpr int count = 150;
  // The first are so long that few of them are read at once.
  const std::string long_comment = "<!--" + std::string(300'000, 'x') + "-->\n";
  for (int i = 0; i < count; ++i) {
    const std::string label = "job" + std::to_string(100 + i);
    write("first/" + label + ".plist", (i < 10 ? long_comment : "") + plist(label, {"/bin/true"}));
  }
  manager xpcd(root + "/domain", both());
  for (int i = 0; i < count; ++i) {
    const std::string label = "job" + std::to_string(100 + i);
    EXPECT_EQ(text_at(xpcd.print(label), "origin"), root + "/first/" + label + ".plist");
  }
}

TEST_F(Load, WhatIsWrongIsSaidAndKeepsNothingElseFromBeingLoaded) {
  write("first/bad.plist", plist("bad", {"/bin/true"}, {}, "<key>RunAtLoad</key><real>1</real>"));
  write("first/broken.plist", "<plist>");
  write("first/good.plist", plist("good", {"/bin/true"}, {},
                                  "<key>Flies</key><true/>\n"
                                  "<key>UserName</key><string>0</string>\n"));
  manager xpcd(root + "/domain", both());
  EXPECT_TRUE(has_line(xpcd.log(), "xpcd: warning: " + root +
                                       "/first/good.plist: UserName: has no effect: it counts in "
                                       "the system domain only"))
      << xpcd.log();
  EXPECT_EQ(text_at(xpcd.print("good"), "state"), "waiting");
  EXPECT_FALSE(xpcd.verb("print", "bad"));
  const std::string log = xpcd.log();
  EXPECT_TRUE(has_line(log, "xpcd: " + root +
                                "/first/bad.plist:5: RunAtLoad: expected bool, found "
                                "double"))
      << log;
  EXPECT_NE(log.find("xpcd: " + root + "/first/broken.plist:"), std::string::npos) << log;
  EXPECT_TRUE(has_line(log, "xpcd: warning: " + root +
                                "/first/good.plist:5: Flies: has no effect: there is no such key"))
      << log;
}

TEST_F(Load, R233_DisabledJobsAreNotLoadedAtTheNextStart) {
  write("first/a.plist", plist("a", {"/bin/true"}));
  {
    manager xpcd(root + "/domain", both());
    ASSERT_TRUE(xpcd.verb("disable", "a"));
    EXPECT_EQ(xpcd.stop(), xpc_testing::ending{.status = 0});
  }
  manager xpcd(root + "/domain", both());
  EXPECT_FALSE(xpcd.verb("print", "a"));
  EXPECT_NE(xpcd.log().find("a: is disabled in this domain"), std::string::npos) << xpcd.log();
}

TEST_F(Load, ANewServiceManagerTakesOverWhatItFindsAgain) {
  write("first/a.plist", plist("a", {"/bin/sleep", "1000"}));
  manager xpcd(root + "/domain", both());
  ASSERT_TRUE(xpcd.verb("kickstart", "a"));
  const std::int64_t pid = number_at(xpcd.print("a"), "pid");
  xpcd.replace();
  EXPECT_EQ(number_at(xpcd.print("a"), "pid"), pid);
  EXPECT_EQ(xpcd.log().find("loaded already"), std::string::npos) << xpcd.log();
}

}  // namespace
}  // namespace system_test
