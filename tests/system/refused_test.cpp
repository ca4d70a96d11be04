// Descriptions that the service manager does not load: who looks for a name of theirs is told why.

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

class Refused : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* each : {"/jobs", "/more", "/loose"})
      std::filesystem::create_directory(root + each);
  }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(root + file) << text;
  }
  std::vector<std::string> options() const {
    return {"--jobs", root + "/jobs", "--jobs", root + "/more", "--state", root + "/state"};
  }
  run_result run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--domain", domain});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = std::move(arguments), .keep_stderr = true});
  }
  /// What a client is told that looks for the name, without the words that stand in front always.
  std::string told(const manager& xpcd, const std::string& looked_for) const {
    std::string message;
    EXPECT_EQ(xpcd.open_fails(looked_for, &message), OPENXPC_ERROR_NOT_FOUND) << message;
    const std::string nobody = "there is no service " + looked_for + " in " + domain;
    EXPECT_EQ(message.substr(0, nobody.size()), nobody);
    message.erase(0, nobody.size());
    return message.empty() ? message : message.substr(2);
  }
  std::string explained(const std::string& looked_for) const {
    const run_result said = run({"why-not", looked_for});
    EXPECT_EQ(said.end.status, EX_UNAVAILABLE) << said.output << said.error;
    return said.output;
  }
  /// Both of them say so.
  void expect_reason(const manager& xpcd, const std::string& looked_for,
                     const std::string& reason) const {
    EXPECT_EQ(told(xpcd, looked_for), reason);
    EXPECT_PRED_FORMAT2(has, explained(looked_for), reason + "\n");
  }
  static ::testing::AssertionResult has(const char*, const char*, const std::string& text,
                                        const std::string& part) {
    if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << part << "\nis not in\n" << text;
  }
  std::string remedy(const std::string& file) const {
    return "; once that is mended, xpcctl bootstrap " + root + file + " loads it";
  }
  void wait_until_forgotten(const std::string& file) const {
    xpc_testing::wait_until("the file to be forgotten", [&] {
      return run({"list"}).output.find(root + file + "\n") == std::string::npos;
    });
  }
  static std::string wrong(const std::string& label, const std::string& name) {
    return plist(label, {"/bin/true"}, {name}, "<key>RunAtLoad</key><real>1</real>");
  }

  const std::string root = xpc_testing::runtime_directory(), domain = root + "/domain";
  const std::string name = "org.example.tea";
};

TEST_F(Refused, WhoLooksForANameIsToldFileLineKeyAndWhatHelps) {
  write("/jobs/bad.plist", wrong("bad", name));
  manager xpcd(domain, options());
  expect_reason(xpcd, name,
                root +
                    "/jobs/bad.plist declares it and was not loaded: line 5: RunAtLoad: "
                    "expected bool, found double" +
                    remedy("/jobs/bad.plist"));
  EXPECT_EQ(told(xpcd, "org.example.other"), "");
  EXPECT_EQ(explained("org.example.other"),
            "in " + domain + "\n  bad   no job in " + domain + " has this name\n");
  // So is who means the job.
  const run_result said = run({"kickstart", "bad"});
  EXPECT_EQ(said.end.status, EX_UNAVAILABLE);
  EXPECT_PRED_FORMAT2(has, said.error,
                      "bad: no such job in this domain; " + root +
                          "/jobs/bad.plist was not loaded: line 5: RunAtLoad: expected bool");
}

TEST_F(Refused, EachReasonForWhichAJobIsNotLoadedIsTold) {
  const std::string tool = root + "/tool";
  std::filesystem::copy_file("/bin/true", tool);
  ASSERT_EQ(::chmod(tool.c_str(), 04755), 0);
  write("/jobs/a.plist", plist("a", {"/bin/true"}, {"n.a"}));
  write("/jobs/b.plist", plist("b", {"/bin/true"}, {"n.b", "n.a"}));
  write("/jobs/c.plist", plist("c", {tool}, {"n.c"}));
  write("/jobs/d.plist", plist("d", {"/bin/true"}, {"n.d"},
                               "<key>LimitLoadToSessionType</key><string>System</string>"));
  write("/jobs/e.plist", plist("e", {"/bin/true"}, {"n.e"}, "<key>Disabled</key><true/>"));
  write("/jobs/f.json", R"({"MachServices": ["n.f"], "Program": "/bin/true", "Label": "f"})");
  write("/more/a.plist", plist("a", {"/bin/true"}, {"n.shadowed"}));
  manager xpcd(domain, options());
  const struct {
    const char *name, *reason;
  } all[] = {
      {"n.b",
       "/jobs/b.plist declares it and was not loaded: b: the name n.a is taken by the job a"},
      {"n.c", "/jobs/c.plist declares it and was not loaded: c: NoNewPrivileges: "},
      {"n.d",
       "/jobs/d.plist declares it and was not loaded: line 5: LimitLoadToSessionType: keeps the "
       "job out of the domain of a user"},
      {"n.e", "/jobs/e.plist declares it and was not loaded: e: is disabled in this domain by its"},
      {"n.f", "/jobs/f.json declares it and was not loaded: line 1: MachServices: expected"},
      {"n.shadowed", "/more/a.plist declares it and was not loaded: the label a is shadowed by "},
  };
  for (const auto& each : all) {
    EXPECT_EQ(told(xpcd, each.name).rfind(root + each.reason, 0), 0u) << each.reason << "\n"
                                                                      << told(xpcd, each.name);
    EXPECT_PRED_FORMAT2(has, explained(each.name), root + each.reason);
  }
  EXPECT_EQ(xpcd.open_fails("n.a"), OPENXPC_ERROR_NONE) << "somebody has it";
}

TEST_F(Refused, ListAndPrintShowThemAndProgramsFindThem) {
  write("/jobs/bad.plist", wrong("bad", name));
  write("/jobs/broken.plist", "<plist>");
  write("/jobs/good.plist", plist("good", {"/bin/true"}));
  write("/jobs/off.plist", plist("off", {"/bin/true"}, {}, "<key>Disabled</key><true/>"));
  write("/more/good.plist", plist("good", {"/bin/false"}));
  manager xpcd(domain, options());
  EXPECT_EQ(run({"list"}).output,
            "PID      STATUS STATE      LABEL\n"
            "-        -      waiting    good\n"
            "-        -      refused    " +
                root +
                "/jobs/bad.plist\n"
                "-        -      refused    " +
                root +
                "/jobs/broken.plist\n"
                "-        -      disabled   " +
                root + "/jobs/off.plist\n");
  const std::string printed = run({"print"}).output;
  EXPECT_PRED_FORMAT2(has, printed,
                      root +
                          "/jobs/bad.plist\n"
                          "  state                refused\n"
                          "  reason               line 5: RunAtLoad: expected bool, found double\n"
                          "  declared label       bad\n"
                          "  declared names       org.example.tea\n");
  EXPECT_PRED_FORMAT2(has, printed, "  declared names       cannot be read\n");
  for (const char* verb : {"list", "print"}) {
    const std::string json = run({"--json", verb}).output;
    EXPECT_PRED_FORMAT2(has, json, "\"origin\": \"" + root + "/jobs/bad.plist\"");
    EXPECT_PRED_FORMAT2(has, json, "\"declared-label\": \"bad\"");
    EXPECT_PRED_FORMAT2(has, json, "\"state\": \"refused\"");
    EXPECT_PRED_FORMAT2(has, json, "\"names-known\": false");
  }
}

TEST_F(Refused, WhereNamesCannotBeReadTheFilesAreListed) {
  write("/jobs/broken.plist", "<plist>");
  write("/jobs/huge.plist", std::string((1 << 20) + 1, ' '));
  write("/jobs/readable.plist", wrong("bad", "some.other.name"));
  manager xpcd(domain, options());
  const std::string said = explained(name);
  const std::string unknown = " was not loaded, and which names it declares is not known: ";
  EXPECT_PRED_FORMAT2(has, said, "bad   " + root + "/jobs/broken.plist" + unknown + "line 1");
  EXPECT_PRED_FORMAT2(
      has, said,
      "bad   " + root + "/jobs/huge.plist" + unknown + "is no regular file of at most 1 MiB\n");
  EXPECT_EQ(said.find("readable.plist"), std::string::npos) << said;
}

TEST_F(Refused, WhoLooksForANameIsToldOfTheFilesThatMayDeclareIt) {
  const std::string front = "what a file declares cannot be read, perhaps this name: " + root;
  write("/jobs/readable.plist", wrong("bad", "some.other.name"));
  manager xpcd(domain, options());
  EXPECT_EQ(told(xpcd, name), "");
  write("/loose/broken.plist", "<plist>");
  ASSERT_EQ(run({"bootstrap", root + "/loose/broken.plist"}).end.status, EX_DATAERR);
  EXPECT_PRED_FORMAT2(has, told(xpcd, name), front + "/loose/broken.plist: line 1:8: ");
  EXPECT_EQ(told(xpcd, "some.other.name").find("broken.plist"), std::string::npos)
      << "where more is known that is said";
  write("/loose/huge.plist", std::string((1 << 20) + 1, ' '));
  ASSERT_EQ(run({"bootstrap", root + "/loose/huge.plist"}).end.status, EX_DATAERR);
  const std::string both = told(xpcd, name);
  EXPECT_PRED_FORMAT2(has, both,
                      "what 2 files declare cannot be read, perhaps this name, such as " + root +
                          "/loose/broken.plist: line 1:8: ");
  // So does the one after it, whether it was killed or became another one.
  ASSERT_EQ(run({"upgrade", "--manager", "--force"}).end.status, 0) << xpcd.log();
  EXPECT_EQ(told(xpcd, name), both);
  xpcd.replace();
  EXPECT_EQ(told(xpcd, name), both);
  std::filesystem::remove(root + "/loose/broken.plist");
  wait_until_forgotten("/loose/broken.plist");
  EXPECT_PRED_FORMAT2(has, told(xpcd, name), front + "/loose/huge.plist: line 1:1048577: ");
  std::filesystem::remove(root + "/loose/huge.plist");
  wait_until_forgotten("/loose/huge.plist");
  EXPECT_EQ(told(xpcd, name), "");
}

TEST_F(Refused, T56_WhereOthersMayEnterOnlyFilesThatTheyMayReadAreNamed) {
  write("/jobs/broken.plist", "<plist>");
  const std::string file = root + "/jobs/broken.plist";
  const std::string said = "what a file declares cannot be read, perhaps this name";
  std::filesystem::create_directory(domain);
  // What the test may see others may not: its own directory is closed to them.
  ASSERT_EQ(::chmod(domain.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
  manager xpcd(domain, options());
  EXPECT_EQ(told(xpcd, name), said);
  EXPECT_PRED_FORMAT2(has, explained(name), file) << "the owner may know";
  ASSERT_EQ(::chmod(root.c_str(), 0755), 0);
  xpcd.replace();
  const std::string named = told(xpcd, name);
  if (named == said) GTEST_SKIP() << "NOT SHOWN: " << root << " stands where others may not look";
  EXPECT_PRED_FORMAT2(has, named, said + ": " + file + ": line 1:8: ");
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  xpcd.replace();
  EXPECT_EQ(told(xpcd, name), said);
}

TEST_F(Refused, AFileThatIsMendedAndLoadedIsForgotten) {
  write("/jobs/bad.plist", wrong("bad", name));
  manager xpcd(domain, options());
  EXPECT_NE(told(xpcd, name), "");
  write("/jobs/bad.plist", plist("bad", {"/bin/true"}, {name}));
  ASSERT_EQ(run({"bootstrap", root + "/jobs/bad.plist"}).end.status, 0);
  EXPECT_EQ(xpcd.open_fails(name), OPENXPC_ERROR_NONE);
  EXPECT_EQ(run({"list"}).output.find("refused"), std::string::npos);
  ASSERT_EQ(run({"bootout", "bad"}).end.status, 0);
  EXPECT_EQ(told(xpcd, name), "");
}

TEST_F(Refused, AFileThatIsGoneIsForgottenWhetherItWasReplacedOrItsDirectoryRemoved) {
  write("/jobs/bad.plist", wrong("bad", name));
  write("/more/worse.plist", wrong("worse", "n.worse"));
  manager xpcd(domain, options());
  EXPECT_NE(told(xpcd, name), "");
  // A change is not the end of it: nobody has loaded it.
  write("/jobs/bad.plist", plist("bad", {"/bin/true"}, {name}));
  EXPECT_NE(told(xpcd, name), "");
  std::filesystem::remove(root + "/jobs/bad.plist");
  wait_until_forgotten("/jobs/bad.plist");
  EXPECT_EQ(told(xpcd, name), "");
  EXPECT_NE(told(xpcd, "n.worse"), "");
  std::filesystem::rename(root + "/more", root + "/elsewhere");
  wait_until_forgotten("/more/worse.plist");
  EXPECT_EQ(told(xpcd, "n.worse"), "");
}

TEST_F(Refused, TheNextServiceManagerKnowsThem) {
  write("/jobs/bad.plist", wrong("bad", name));
  write("/loose/broken.plist", "<plist>");
  write("/loose/bad.plist", wrong("loose", "n.loose"));
  write("/loose/gone.plist", wrong("gone", "n.gone"));
  manager xpcd(domain, options());
  for (const char* file : {"broken", "bad", "gone"}) {
    EXPECT_EQ(run({"bootstrap", root + "/loose/" + file + ".plist"}).end.status, EX_DATAERR);
  }
  const std::string listed = run({"list"}).output, reason = told(xpcd, name);
  EXPECT_PRED_FORMAT2(has, listed, root + "/loose/broken.plist\n");
  ASSERT_EQ(run({"upgrade", "--manager", "--force"}).end.status, 0) << xpcd.log();
  EXPECT_EQ(run({"list"}).output, listed) << "one that this one became";
  EXPECT_EQ(told(xpcd, name), reason);
  xpcd.kill();
  std::filesystem::remove(root + "/loose/gone.plist");
  write("/jobs/bad.plist", plist("bad", {"/bin/true"}, {"n.new"}));
  xpcd.start();
  EXPECT_EQ(told(xpcd, name), told(xpcd, "n.none")) << "it no longer declares it";
  EXPECT_EQ(told(xpcd, "n.gone"), told(xpcd, "n.none"));
  EXPECT_NE(told(xpcd, "n.loose"), "");
  EXPECT_EQ(run({"list"}).output,
            "PID      STATUS STATE      LABEL\n"
            "-        -      waiting    bad\n"
            "-        -      refused    " +
                root +
                "/loose/bad.plist\n"
                "-        -      refused    " +
                root + "/loose/broken.plist\n");
  EXPECT_EQ(xpcd.stop().status, 0);
  EXPECT_FALSE(std::filesystem::exists(domain + "/.why")) << "nothing is left behind";
  EXPECT_FALSE(std::filesystem::exists(domain + "/.run"));
}

TEST_F(Refused, ALabelThatIsEnabledIsDisabledNoLongerAndNotLoadedYet) {
  write("/jobs/off.plist", plist("off", {"/bin/true"}, {name}, "<key>Disabled</key><true/>"));
  manager xpcd(domain, options());
  EXPECT_PRED_FORMAT2(has, told(xpcd, name), "is disabled in this domain by its description");
  ASSERT_EQ(run({"enable", "off"}).end.status, 0);
  const std::string file = root + "/jobs/off.plist";
  expect_reason(xpcd, name,
                file +
                    " declares it and was not loaded: off was disabled, and is enabled now; "
                    "xpcctl bootstrap " +
                    file + " loads it");
  ASSERT_EQ(run({"bootstrap", root + "/jobs/off.plist"}).end.status, 0);
  EXPECT_EQ(xpcd.open_fails(name), OPENXPC_ERROR_NONE);
}

TEST_F(Refused, ANameThatAnotherJobGivesUpIsExplainedAgain) {
  write("/jobs/bad.plist", wrong("bad", name));
  manager xpcd(domain, options());
  const std::string reason = told(xpcd, name);
  ASSERT_TRUE(xpcd.bootstrap(plist("other", {"/bin/true"}, {name})));
  EXPECT_EQ(xpcd.open_fails(name), OPENXPC_ERROR_NONE);
  ASSERT_TRUE(xpcd.verb("bootout", "other"));
  EXPECT_EQ(told(xpcd, name), reason);
}

TEST_F(Refused, ADirectoryThatIsBootstrappedIsLoadedButForWhatIsWrong) {
  write("/loose/a.plist", wrong("a", name));
  write("/loose/b.plist", plist("b", {"/bin/true"}, {"n.b"}));
  write("/loose/.hidden.plist", plist("hidden", {"/bin/true"}));
  write("/loose/notes.txt", "nothing");
  manager xpcd(domain, options());
  const run_result said = run({"bootstrap", root + "/loose"});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_PRED_FORMAT2(has, said.error, root + "/loose/a.plist:5: RunAtLoad: expected bool");
  EXPECT_EQ(xpcd.open_fails("n.b"), OPENXPC_ERROR_NONE);
  EXPECT_FALSE(xpcd.verb("print", "hidden"));
  EXPECT_EQ(told(xpcd, name).rfind(root + "/loose/a.plist declares it and was not loaded: ", 0),
            0u);
}

TEST_F(Refused, HowManyAreRememberedIsBounded) {
  for (int count = 0; count < 150; ++count) {
    const std::string number = std::to_string(1000 + count);
    write("/jobs/" + number + ".plist", wrong("j" + number, "n." + number));
  }
  manager xpcd(domain, options());
  const std::string listed = run({"list"}).output;
  EXPECT_PRED_FORMAT2(has, listed, root + "/jobs/1099.plist\n");
  EXPECT_EQ(listed.find("/jobs/1100.plist"), std::string::npos);
  EXPECT_PRED_FORMAT2(has, explained("n.none"),
                      "bad   more files were not loaded than xpcd remembers\n");
  EXPECT_PRED_FORMAT2(has, xpcd.log(), "/jobs/1149.plist:5: RunAtLoad: expected bool");
}

TEST_F(Refused, T56_OthersAreNotToldOfFilesThatAreClosedToThem) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: the system domain is root's";
  write("/jobs/broken.plist", "<plist>");
  ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
  manager xpcd(domain, {"--system", "--jobs", root + "/jobs"});
  const auto as_nobody = [](std::vector<std::string> line) {
    line.insert(line.begin(),
                {"--reuid=65534", "--regid=65534", "--clear-groups", xpc_testing::xpcctl_program});
    return xpc_testing::run("/usr/bin/setpriv",
                            {.arguments = std::move(line), .keep_stderr = true});
  };
  if (as_nobody({"--version"}).end.status != 0)
    GTEST_SKIP() << "NOT SHOWN: what was built is for its builder only";
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"list"}, {"print"}, {"why-not", name}}) {
    std::vector<std::string> line{"--domain", domain};
    line.insert(line.end(), verb.begin(), verb.end());
    const run_result others = as_nobody(std::move(line));
    EXPECT_EQ((others.output + others.error).find("broken.plist"), std::string::npos)
        << others.output << others.error;
    if (verb.front() != "why-not") {
      EXPECT_EQ(others.end.status, 0) << others.error;
    } else {
      EXPECT_PRED_FORMAT2(has, others.output, "what a file declares cannot be read");
    }
    EXPECT_PRED_FORMAT2(has, run(verb).output, "broken.plist");
  }
}

TEST_F(Refused, T54_InTheSystemDomainANameForNobodyIsExplained) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: the system domain is root's";
  write("/jobs/closed.plist", plist("closed", {"/bin/true"}, {name}));
  manager xpcd(domain, {"--system", "--jobs", root + "/jobs"});
  const std::string file = root + "/jobs/closed.plist";
  const std::string reason = told(xpcd, name);
  EXPECT_PRED_FORMAT2(has, reason, file + " declares it and was not loaded: ");
  // Where others than root may write above the test's files that is the reason.
  if (reason.find("others than root") == std::string::npos) {
    EXPECT_PRED_FORMAT2(has, reason, "expected Requirement or AllowAnyPeer true");
  }
}

}  // namespace
}  // namespace system_test
