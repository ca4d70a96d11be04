// xpcd becomes another version of itself many times in a row, under load, and as the first process
// of a namespace.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"
#include "support/sanitizers.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/renewal.hpp"
#include "system/upgrade_load.hpp"
#include "system/versions.hpp"

namespace system_test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int renewals = 10;
#else
constexpr int renewals = 50;
#endif

class RenewalUnderLoad : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain"};
  const std::string name = "org.example.versions";
  const std::string program = root + "/service";
  const std::string handled = root + "/handled";

  void load() {
    install_version(program, 0);
    answer loaded = xpcd.bootstrap(plist("job", {program, name, handled}, {name}));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  static std::string first_of(const std::vector<std::string>& wrong) {
    return wrong.empty() ? "" : std::to_string(wrong.size()) + " wrong, the first: " + wrong[0];
  }
  bool is_linked() const {
    object_ref job = xpcd.print("job");
    xpc_object_t flag = ::xpc_dictionary_get_value(job.get(), "checked-in");
    return flag != nullptr && ::xpc_bool_get_value(flag);
  }
};

TEST_F(RenewalUnderLoad, T64_ManyInARowLoseNothingDoNothingTwiceAndLeakNothing) {
  load();
  clients all(xpcd, name, {.callers = 2, .sender = true, .subscriber = true});
  all.wait_for_progress();
  const std::int64_t pid = number_at(xpcd.print("job"), "pid");
  renew(xpcd);
  xpc_testing::wait_until("the link to come back", [&] { return is_linked(); });
  const std::size_t descriptors = xpc_testing::descriptor_count(xpcd.pid());
  for (int count = 1; count < renewals; ++count) {
    ASSERT_NO_FATAL_FAILURE(renew(xpcd));
    all.wait_for_progress();
  }
  xpc_testing::wait_until("the link to come back", [&] { return is_linked(); });
  // What a question needs is closed soon after it.
  xpc_testing::wait_until("no descriptor to be left",
                          [&] { return xpc_testing::descriptor_count(xpcd.pid()) <= descriptors; });
  EXPECT_EQ(first_of(all.finish(handled)), "");
  object_ref job = xpcd.print("job");
  EXPECT_EQ(number_at(job, "pid"), pid);
  EXPECT_EQ(number_at(job, "generation"), 1);
  EXPECT_EQ(number_at(job, "starts"), 1);
}

TEST_F(RenewalUnderLoad, T64_BetweenUpgradesOfTheServiceItself) {
  load();
  clients all(xpcd, name, {.callers = 2, .sender = false, .subscriber = false});
  all.wait_for_progress();
  for (int version = 1; version <= renewals / 5; ++version) {
    install_version(program, version);
    // The verb that is under way is asked for again by xpcctl, and means the same upgrade.
    xpc_testing::child verb = xpc_testing::child::program(
        xpc_testing::xpcctl_program,
        {.arguments = {"--domain", xpcd.directory(), "--json", "upgrade", "job"},
         .keep_stderr = true});
    ASSERT_NO_FATAL_FAILURE(renew(xpcd));
    const std::string said = verb.read_all();
    EXPECT_EQ(verb.wait().status, 0) << verb.error_text() << xpcd.log();
    EXPECT_NE(said.find("\"result\": \"upgraded\""), std::string::npos) << said;
    all.wait_for_progress();
    EXPECT_EQ(text_at(xpcd.open(name).call("hello").reply, "version"), std::to_string(version));
  }
  EXPECT_EQ(first_of(all.finish(handled)), "");
  EXPECT_EQ(number_at(xpcd.print("job"), "generation"), renewals / 5 + 1);
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string task = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid);
  std::stringstream list;
  list << std::ifstream(task + "/children").rdbuf();
  std::vector<pid_t> all;
  for (pid_t one; list >> one;) all.push_back(one);
  return all;
}

TEST(RenewalOfTheFirstProcess, ItStaysTheFirstAndItsServicesGoOn) {
  if (xpc_testing::run(
          "/usr/bin/unshare",
          {.arguments = {"--pid", "--fork", "--mount-proc", "/bin/true"}, .keep_stderr = true})
          .end.status != 0) {
    GTEST_SKIP() << "no namespace of processes can be made here";
  }
  const std::string root = xpc_testing::runtime_directory(), directory = root + "/domain";
  xpc_testing::child xpcd = xpc_testing::child::program(
      "/usr/bin/unshare",
      {.arguments = {"--pid", "--fork", "--kill-child", "--mount-proc", xpc_testing::xpcd_program,
                     "--domain", directory, "--ready-fd", "1"},
       .keep_stderr = true});
  ASSERT_EQ(xpcd.read_line(), "ready") << xpcd.error_text();
  const pid_t outside = children_of(xpcd.pid()).at(0);
  auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--target", std::to_string(outside), "--pid", "--mount",
                                         "--", xpc_testing::xpcctl_program, "--domain", directory});
    return xpc_testing::run("/usr/bin/nsenter",
                            {.arguments = std::move(arguments), .keep_stderr = true});
  };
  const std::string name = "org.example.echo";
  std::ofstream(root + "/echo.plist") << plist("echo", role("echo", {name}), {name});
  xpc_testing::run_result said = run({"bootstrap", root + "/echo.plist"});
  ASSERT_EQ(said.end.status, 0) << said.error;
  said = run({"call", name, R"({"op": "hello"})"});
  ASSERT_EQ(said.end.status, 0) << said.error;
  const std::vector<pid_t> services = children_of(outside);
  for (int count = 0; count < 3; ++count) {
    said = run({"upgrade", "--manager", "--force"});
    ASSERT_EQ(said.end.status, 0) << said.error << xpcd.error_text();
    EXPECT_NE(said.output.find("xpcd 1: "), std::string::npos) << said.output;
    EXPECT_EQ(children_of(outside), services);
    said = run({"call", name, R"({"op": "hello"})"});
    EXPECT_EQ(said.end.status, 0) << said.error;
  }
  EXPECT_EQ(run({"bootout", "echo"}).end.status, 0);
  EXPECT_TRUE(children_of(outside).empty());
  ::kill(outside, SIGTERM);
  EXPECT_EQ(xpcd.wait(), xpc_testing::ending{.status = 0});
  EXPECT_FALSE(std::filesystem::exists(directory));
}

}  // namespace
}  // namespace system_test
