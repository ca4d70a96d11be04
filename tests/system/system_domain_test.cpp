// The domain of the whole machine: jobs of other users, files that only root may have written.
// Root's alone, so the rest is passed over by everybody else.

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

constexpr uid_t nobody = 65534;

std::string contents(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

TEST(SystemDomainOfOthers, R230_IsNotForThem) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may";
  xpc_testing::run_result said =
      xpc_testing::run(xpc_testing::xpcd_program, {.arguments = {"--system"}, .keep_stderr = true});
  EXPECT_EQ(said.end.status, EX_NOPERM);
  EXPECT_EQ(said.error, "xpcd: --system: the domain of the whole machine is root's\n");
}

class SystemDomain : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "root's alone";
    ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
    // Wherever the tests were built, this copy is root's.
    program = root + "/services";
    std::filesystem::copy_file(xpc_testing::this_program(), program);
    ASSERT_EQ(::chmod(program.c_str(), 0755), 0);
    ASSERT_EQ(::mkdir((root + "/out").c_str(), 0755), 0);
    ASSERT_EQ(::chown((root + "/out").c_str(), nobody, nobody), 0);
    xpcd.emplace(root + "/domain", std::vector<std::string>{"--system"});
  }
  std::vector<std::string> role_of_copy(const std::string& name,
                                        const std::vector<std::string>& arguments) {
    std::vector<std::string> all = role(name, arguments);
    all[0] = program;
    return all;
  }
  std::string as_nobody(const std::string& out = {}) {
    return "<key>UserName</key><string>65534</string>" +
           (out.empty()
                ? std::string()
                : "<key>StandardOutPath</key><string>" + root + "/out/" + out + "</string>");
  }
  void run_to_its_end(const std::string& label) {
    ASSERT_TRUE(xpcd->verb("kickstart", label));
    xpc_testing::wait_until(label + " to end",
                            [&] { return has(xpcd->print(label), "last-exit"); });
  }

  const std::string root = xpc_testing::runtime_directory();
  std::string program;
  std::optional<manager> xpcd;
};

TEST_F(SystemDomain, R232_AJobRunsAsItsUserAndGroup) {
  ASSERT_TRUE(xpcd->bootstrap(
      plist("who", {"/bin/sh", "-c", "id -u; id -g; id -G; echo $HOME $USER; env | grep -c XDG_"},
            {}, as_nobody("who") + "<key>InitGroups</key><false/>")));
  run_to_its_end("who");
  const std::string got = contents(root + "/out/who");
  EXPECT_EQ(got.compare(0, 18, "65534\n65534\n65534\n"), 0) << got;
  EXPECT_EQ(got.substr(got.size() - 3), "\n0\n") << got;
  struct stat file;
  ASSERT_EQ(::stat((root + "/out/who").c_str(), &file), 0);
  EXPECT_EQ(file.st_uid, nobody) << "opened as the job's user";
  ASSERT_TRUE(xpcd->bootstrap(plist("group", {"/bin/sh", "-c", "id -u; id -g"}, {},
                                    "<key>GroupName</key><string>65533</string>"
                                    "<key>StandardOutPath</key><string>" +
                                        root + "/group</string>")));
  run_to_its_end("group");
  EXPECT_EQ(contents(root + "/group"), "0\n65533\n");
}

TEST_F(SystemDomain, AnUnknownUserIsNamed) {
  ASSERT_TRUE(xpcd->bootstrap(
      plist("who", {"/bin/true"}, {}, "<key>UserName</key><string>no such user</string>")));
  answer started = xpcd->verb("kickstart", "who");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.message, "who: cannot be started: UserName no such user: no such user");
}

TEST_F(SystemDomain, AServiceOfAnotherUserChecksInAndSurvivesXpcd) {
  const std::string name = "org.example.echo";
  ASSERT_TRUE(xpcd->bootstrap(
      for_anybody(plist("echo", role_of_copy("echo", {name}), {name}, as_nobody()))));
  session client = xpcd->open(name);
  answer reply = client.call("hello");
  ASSERT_TRUE(reply) << reply.message;
  // It answers as soon as it listens, and checks in beside that.
  const auto checked_in = [&] {
    return ::xpc_dictionary_get_bool(xpcd->print("echo").get(), "checked-in");
  };
  xpc_testing::wait_until("it to check in", checked_in);
  xpcd->replace();
  xpc_testing::wait_until("it to check in again", checked_in);
  answer again = client.call("hello");
  ASSERT_TRUE(again) << again.message;
  EXPECT_EQ(number_at(again.reply, "pid"), number_at(reply.reply, "pid"));
}

TEST_F(SystemDomain, ANameThatDoesNotSayWhoMayUseItIsNotLoaded) {
  const std::string name = "org.example.a";
  const std::string text = plist("open", {"/bin/true"}, {name});
  answer refused = xpcd->bootstrap(text, root + "/open.plist");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.code, OPENXPC_ERROR_MALFORMED);
  const std::string reason = root + "/open.plist:4: MachServices/" + name +
                             ": expected Requirement or AllowAnyPeer true, which a name needs in "
                             "the system domain";
  EXPECT_EQ(refused.message, reason);
  EXPECT_FALSE(xpcd->verb("print", "open"));
  EXPECT_FALSE(std::filesystem::exists(xpcd->directory() + "/" + name));
  ASSERT_TRUE(xpcd->bootstrap(for_anybody(text)));
  EXPECT_TRUE(std::filesystem::exists(xpcd->directory() + "/" + name));
  // Nor one that is found by itself.
  const std::string jobs = root + "/jobs";
  ASSERT_EQ(::mkdir(jobs.c_str(), 0755), 0);
  std::ofstream(jobs + "/open.plist") << text;
  ASSERT_EQ(::chmod((jobs + "/open.plist").c_str(), 0644), 0);
  const manager other(root + "/other", {"--system", "--jobs", jobs});
  EXPECT_FALSE(other.verb("print", "open"));
  EXPECT_NE(other.log().find(jobs + "/open.plist:4: MachServices/" + name + ": expected"),
            std::string::npos)
      << other.log();
}

TEST_F(SystemDomain, WhoLoadsItMayLetAnybodyInAndThatIsRecorded) {
  const std::string file = root + "/open.plist";
  std::ofstream(file) << plist("open", {"/bin/sleep", "1000"}, {"org.example.a"});
  auto xpcctl = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--domain", xpcd->directory()});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = arguments, .keep_stderr = true});
  };
  EXPECT_EQ(xpcctl({"bootstrap", file}).end.status, EX_DATAERR);
  xpc_testing::run_result loaded = xpcctl({"bootstrap", "--allow-any-peer", file});
  EXPECT_EQ(loaded.end.status, 0) << loaded.error;
  const std::string line = "peers                anybody, by bootstrap --allow-any-peer\n";
  EXPECT_NE(xpcctl({"print", "open"}).output.find(line), std::string::npos);
  xpcd->replace();
  EXPECT_NE(xpcctl({"print", "open"}).output.find(line), std::string::npos);
  EXPECT_NE(xpcctl({"print", "open", "--json"}).output.find("\"any-peer\": true"),
            std::string::npos);
  EXPECT_EQ(xpcctl({"bootout", "open"}).end.status, 0);
  EXPECT_EQ(xpcctl({"bootstrap", file}).end.status, EX_DATAERR) << "it was for that time only";
}

TEST_F(SystemDomain, T56_AJobOfAnotherUserMayLookButChangeNothing) {
  ASSERT_TRUE(xpcd->bootstrap(
      plist("victim", {"/bin/true"}, {},
            "<key>EnvironmentVariables</key><dict><key>SECRET</key><string>1</string></dict>")));
  for (const char* op : {"bootout", "kickstart", "kill", "print"}) {
    const std::string label = std::string("does-") + op;
    ASSERT_TRUE(xpcd->bootstrap(
        plist(label, role_of_copy("as_client", {op, "victim"}), {}, as_nobody(op))));
    run_to_its_end(label);
    EXPECT_EQ(contents(root + "/out/" + op),
              std::string(op) == "print"
                  ? "done\n"
                  : op + std::string(": only the owner of the domain may do that\n"));
  }
  EXPECT_EQ(number_at(xpcd->print("victim"), "starts"), 0);
}

TEST_F(SystemDomain, T58_ProgramsThatOthersMayWriteAreRefusedByName) {
  const std::string open = root + "/open";
  ASSERT_EQ(::mkdir(open.c_str(), 0755), 0);
  std::filesystem::copy_file("/bin/true", open + "/tool");
  ASSERT_EQ(::chmod((open + "/tool").c_str(), 0775), 0);
  answer refused = xpcd->bootstrap(plist("tool", {open + "/tool"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.message, "tool: " + open +
                                 "/tool: others than root may write there, in the system domain "
                                 "nobody may");
  ASSERT_EQ(::chmod((open + "/tool").c_str(), 0755), 0);
  ASSERT_EQ(::chmod(open.c_str(), 0777), 0);
  refused = xpcd->bootstrap(plist("tool", {open + "/tool"}));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.message.find(open + ": others than root may write there"), std::string::npos)
      << refused.message;
  ASSERT_EQ(::chmod(open.c_str(), 0755), 0);
  ASSERT_TRUE(xpcd->bootstrap(plist("tool", {open + "/tool"})));
  // Swapped between the check and the start: what is started is judged again.
  ASSERT_EQ(::chown((open + "/tool").c_str(), nobody, nobody), 0);
  answer started = xpcd->verb("kickstart", "tool");
  ASSERT_FALSE(started);
  EXPECT_NE(started.message.find("/tool: belongs to uid 65534"), std::string::npos)
      << started.message;
}

TEST_F(SystemDomain, T58_DescriptionsThatOthersMayWriteAreNotLoaded) {
  const std::string jobs = root + "/jobs";
  ASSERT_EQ(::mkdir(jobs.c_str(), 0755), 0);
  for (const char* label : {"good", "open"}) {
    std::ofstream(jobs + "/" + label + ".plist") << plist(label, {"/bin/true"});
    ASSERT_EQ(::chmod((jobs + "/" + label + ".plist").c_str(), 0644), 0);
  }
  ASSERT_EQ(::chmod((jobs + "/open.plist").c_str(), 0666), 0);
  const manager other(root + "/other", {"--system", "--jobs", jobs});
  EXPECT_TRUE(other.verb("print", "good"));
  EXPECT_FALSE(other.verb("print", "open"));
  EXPECT_NE(other.log().find(jobs + "/open.plist: others than root may write there"),
            std::string::npos)
      << other.log();
}

TEST_F(SystemDomain, T58_OutputOfRootsJobsGoesThroughNobodysLink) {
  std::ofstream(root + "/precious") << "precious\n";
  std::filesystem::create_symlink(root + "/precious", root + "/link");
  ASSERT_TRUE(
      xpcd->bootstrap(plist("writer", {"/bin/sh", "-c", "echo gone"}, {},
                            "<key>StandardOutPath</key><string>" + root + "/link</string>")));
  answer started = xpcd->verb("kickstart", "writer");
  ASSERT_FALSE(started);
  EXPECT_NE(started.message.find("StandardOutPath " + root + "/link: "), std::string::npos)
      << started.message;
  // A directory of somebody else's is no place for root to write.
  ASSERT_TRUE(
      xpcd->bootstrap(plist("other", {"/bin/sh", "-c", "echo gone"}, {},
                            "<key>StandardOutPath</key><string>" + root + "/out/log</string>")));
  started = xpcd->verb("kickstart", "other");
  ASSERT_FALSE(started);
  EXPECT_NE(started.message.find(root + "/out: belongs to uid 65534"), std::string::npos)
      << started.message;
  EXPECT_EQ(contents(root + "/precious"), "precious\n");
}

}  // namespace
}  // namespace system_test
