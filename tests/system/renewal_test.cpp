// xpcctl upgrade --manager: xpcd becomes another version of itself, as the same process.

#include "system/renewal.hpp"

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace system_test {
namespace {

using xpc_testing::run_result;

std::string first_line_of(const std::string& file) {
  std::string line;
  std::ifstream in(file);
  std::getline(in, line);
  return line;
}

class Renewal : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain", {"--check-in-time", "5"}};
  const std::string name = "org.example.echo";

  /// @return the service's process
  std::int64_t load_and_call(const std::string& more = "") {
    answer loaded = xpcd.bootstrap(plist("echo", role("echo", {name}), {name}, more));
    EXPECT_TRUE(loaded) << loaded.message;
    client = xpcd.open(name);
    answer reply = client.call("hello");
    EXPECT_TRUE(reply) << reply.message;
    // Which xpcd may hear of later than the client.
    xpc_testing::wait_until("the service to have checked in", [this] {
      return ::xpc_dictionary_get_bool(xpcd.print("echo").get(), "checked-in");
    });
    return number_at(reply.reply, "pid");
  }
  /// print of the whole domain.
  object_ref domain() const {
    object_ref order = dictionary();
    set(order, "op", "print");
    answer said = xpcd.ask(order);
    EXPECT_TRUE(said) << said.message;
    return std::move(said.reply);
  }
  std::int64_t generation() const { return number_at(domain(), "generation"); }
  std::string copy_of(const char* program, const std::string& file,
                      const std::string& behaviour = "") const {
    const std::string path = root + "/" + file, fresh = path + ".new";
    std::filesystem::copy_file(program, fresh, std::filesystem::copy_options::overwrite_existing);
    if (!behaviour.empty()) {
      std::ofstream(fresh, std::ios::app) << std::string(64, '\n') << '@' << behaviour;
    }
    std::filesystem::rename(fresh, path);
    return path;
  }
  run_result xpcctl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--domain", xpcd.directory()});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = std::move(arguments), .keep_stderr = true});
  }
  /// Its link is back.
  void wait_for_link() const {
    xpc_testing::wait_until("the service's link to come back", [&] {
      object_ref job = xpcd.print("echo");
      xpc_object_t flag = ::xpc_dictionary_get_value(job.get(), "checked-in");
      return flag != nullptr && ::xpc_bool_get_value(flag);
    });
  }
  session client;
};

TEST_F(Renewal, TheProcessStaysAndServicesAndClientsNoticeNothing) {
  const std::int64_t pid = load_and_call();
  struct stat before, after;
  ASSERT_EQ(::stat((xpcd.directory() + "/" + name).c_str(), &before), 0);
  const run_result said = xpcctl({"upgrade", "--manager", "--force"});
  ASSERT_EQ(said.end.status, 0) << said.error << xpcd.log();
  EXPECT_NE(said.output.find("xpcd " + std::to_string(xpcd.pid()) + ": version "),
            std::string::npos)
      << said.output;
  EXPECT_NE(said.output.find("generation 2"), std::string::npos) << said.output;
  object_ref all = domain();
  EXPECT_EQ(number_at(all, "pid"), xpcd.pid());
  EXPECT_EQ(number_at(all, "generation"), 2);
  EXPECT_EQ(first_line_of(xpcd.directory() + "/.lock"), std::to_string(xpcd.pid()));
  EXPECT_EQ(first_line_of("/proc/" + std::to_string(xpcd.pid()) + "/comm"), "xpcd");
  EXPECT_TRUE(client.call("hello"));
  EXPECT_EQ(number_at(xpcd.open(name).call("hello").reply, "pid"), pid);
  wait_for_link();
  ASSERT_EQ(::stat((xpcd.directory() + "/" + name).c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino) << "the name was bound anew\n" << xpcd.log();
  EXPECT_EQ(number_at(xpcd.print("echo"), "starts"), 1);
  EXPECT_EQ(xpcd.stop().status, 0);
  EXPECT_FALSE(is_alive(static_cast<pid_t>(pid)));
  EXPECT_FALSE(std::filesystem::exists(xpcd.directory()));
}

TEST_F(Renewal, ServicesStayChildrenSoTheirExitStatusIsKnown) {
  const std::string more = "<key>ThrottleInterval</key><integer>0</integer>";
  load_and_call(more);
  for (int round = 0; round < 8; ++round) {
    object_ref order = dictionary();
    set(order, "op", "exit");
    set(order, "status", std::int64_t{7 + round});
    session own = xpcd.open(name);
    ASSERT_TRUE(own.call("hello"));
    // The end comes before, during or after; no more than once, and never unknown.
    {
      const std::jthread other([&] { EXPECT_FALSE(own.call(order)); });
      ASSERT_NO_FATAL_FAILURE(renew(xpcd));
    }
    xpc_testing::wait_until("the end to be seen", [&] {
      return number_at(xpcd.print("echo"), "last-exit/status") == 7 + round;
    });
    EXPECT_EQ(text_at(xpcd.print("echo"), "last-exit/text"),
              "exited with status " + std::to_string(7 + round))
        << xpcd.log();
  }
}

TEST_F(Renewal, TheSameProgramAndARepeatedRequestChangeNothing) {
  const std::int64_t pid = load_and_call();
  run_result said = renewal(xpcd, {});
  EXPECT_EQ(said.end.status, 0) << said.error;
  EXPECT_NE(said.output.find("\"result\": \"unchanged\""), std::string::npos) << said.output;
  EXPECT_EQ(generation(), 1);
  for (int i = 0; i < 3; ++i) {
    said = renewal(xpcd, {"--force", "--request-id", "one"});
    EXPECT_EQ(said.end.status, 0) << said.error;
    EXPECT_NE(said.output.find("\"result\": \"upgraded\""), std::string::npos) << said.output;
    EXPECT_EQ(generation(), 2);
  }
  EXPECT_EQ(number_at(client.call("hello").reply, "pid"), pid);
}

TEST_F(Renewal, AnotherProgramAndThenWhatIsInstalledInItsPlace) {
  load_and_call();
  const std::string other = copy_of(xpc_testing::xpcd_program, "other");
  run_result said = renewal(xpcd, {"--program", other});
  ASSERT_EQ(said.end.status, 0) << said.error << xpcd.log();
  EXPECT_EQ(text_at(domain(), "program"), other);
  // As a package manager does it: a new file under the old name.
  copy_of(xpc_testing::xpcd_program, "other");
  said = renewal(xpcd, {});
  ASSERT_EQ(said.end.status, 0) << said.error << xpcd.log();
  EXPECT_NE(said.output.find("\"result\": \"upgraded\""), std::string::npos) << said.output;
  EXPECT_EQ(generation(), 3);
  said = renewal(xpcd, {});
  EXPECT_NE(said.output.find("\"result\": \"unchanged\""), std::string::npos) << said.output;
  EXPECT_TRUE(client.call("hello"));
}

TEST_F(Renewal, AProgramThatCannotTakeOverIsRefusedAndNothingChanges) {
  const std::int64_t pid = load_and_call();
  std::ofstream(root + "/script") << "#!/bin/sh\nexit 0\n";
  ::chmod((root + "/script").c_str(), 0755);
  std::ofstream(root + "/plain") << "x";
  std::ofstream(root + "/half") << std::string("\x7f") + "ELF and no more";
  ::chmod((root + "/half").c_str(), 0755);
  const struct {
    std::string program;
    int status;
    const char* reason;
  } bad[] = {
      {copy_of(xpc_testing::odd_manager_program, "refuse", "refuse"), 69,
       "--check-state exited with status 65: cannot read format 1"},
      {copy_of(xpc_testing::odd_manager_program, "crash", "crash"), 69,
       "--check-state was ended by signal 6"},
      {copy_of(xpc_testing::odd_manager_program, "hang", "hang"), 69,
       "--check-state did not end within 5 s"},
      {copy_of(xpc_testing::odd_manager_program, "silent", "silent"), 69,
       "--check-state did not answer as an xpcd does"},
      {root + "/script", 65, "is a script, not a program"},
      {root + "/plain", 77, "is not executable"},
      {root + "/missing", 69, "No such file or directory"},
      {root + "/half", 71, "Exec format error"},
  };
  const std::size_t descriptors = xpc_testing::descriptor_count(xpcd.pid());
  for (const auto& one : bad) {
    const run_result said = renewal(xpcd, {"--program", one.program});
    EXPECT_EQ(said.end.status, one.status) << one.program;
    EXPECT_NE(said.error.find("xpcd stays as it is: " + one.program), std::string::npos)
        << said.error;
    EXPECT_NE(said.error.find(one.reason), std::string::npos) << said.error;
    EXPECT_EQ(generation(), 1);
  }
  EXPECT_EQ(number_at(client.call("hello").reply, "pid"), pid);
  EXPECT_EQ(number_at(xpcd.open(name).call("hello").reply, "pid"), pid);
  xpc_testing::wait_until("no descriptor to be left",
                          [&] { return xpc_testing::descriptor_count(xpcd.pid()) <= descriptors; });
}

TEST_F(Renewal, WhenTheExecFailsItGoesOnAsBeforeAndSaysSo) {
  const std::int64_t pid = load_and_call();
  const std::string program = copy_of(xpc_testing::odd_manager_program, "vanish", "vanish");
  const run_result said = renewal(xpcd, {"--program", program});
  EXPECT_EQ(said.end.status, 69) << said.error;
  EXPECT_NE(said.error.find("xpcd stays as it is: " + program + ": Permission denied"),
            std::string::npos)
      << said.error;
  EXPECT_EQ(generation(), 1);
  EXPECT_EQ(number_at(client.call("hello").reply, "pid"), pid);
  wait_for_link();
  // Signals are heard again, and the next one works.
  renew(xpcd);
  EXPECT_EQ(generation(), 2);
  EXPECT_EQ(xpcd.stop().status, 0);
  EXPECT_FALSE(is_alive(static_cast<pid_t>(pid)));
}

}  // namespace
}  // namespace system_test
