// xpcctl upgrade: a new version of a job's program, and the way back.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/connection.h>

#include <gtest/gtest.h>

#include <signal.h>
#include <sysexits.h>

#include <filesystem>
#include <fstream>

#include "system/versions.hpp"

/// named_client NAME: one connection by name for all its life; says which version answers.
XPC_TEST_ROLE(named_client) {
  xpc_connection_t connection =
      ::xpc_connection_create_mach_service(call.arguments.at(0).c_str(), nullptr, 0);
  ::xpc_connection_set_event_handler_f(connection, nullptr, [](xpc_object_t event, void*) {
    xpc_testing::say(event == XPC_ERROR_CONNECTION_INTERRUPTED ? "interrupted" : "invalid");
  });
  ::xpc_connection_activate(connection);
  do {
    xpc_object_t message = ::xpc_dictionary_create(nullptr, nullptr, 0);
    xpc_object_t reply = ::xpc_connection_send_message_with_reply_sync(connection, message);
    const char* version = ::xpc_dictionary_get_string(reply, "version");
    xpc_testing::say(std::string("version ") + (version ? version : "unknown"));
    ::xpc_release(reply);
    ::xpc_release(message);
  } while (!xpc_testing::hear().empty());
  ::xpc_connection_cancel(connection);
  ::xpc_release(connection);
  return 0;
}

namespace system_test {
namespace {

class Upgrade : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain", {"--check-in-time", "5"}};
  const std::string name = "org.example.versions";
  const std::string program = root + "/service";

  void load(int version, const std::string& behaviour = "good", const std::string& more = {}) {
    install_version(program, version, behaviour);
    answer loaded = xpcd.bootstrap(plist("job", {program, name}, {name}, more));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  /// "VERSION" of who answers.
  std::string ask(const session& client) {
    answer reply = client.call("hello");
    return reply ? text_at(reply.reply, "version") : reply.message;
  }
  std::string ask() { return ask(xpcd.open(name)); }
  std::int64_t pid() { return number_at(xpcd.print("job"), "pid"); }
};

TEST_F(Upgrade, TheNewVersionServesOldAndNewConnectionsAndTheOldOneIsGone) {
  load(1);
  session client = xpcd.open(name);
  ASSERT_EQ(ask(client), "1") << xpcd.log();
  const std::int64_t before = pid();
  install_version(program, 2);
  EXPECT_EQ(ask(client), "1") << "nobody asked for an upgrade";
  answer done = upgrade(xpcd, "job");
  ASSERT_TRUE(done) << done.message;
  EXPECT_EQ(text_at(done.reply, "result"), "upgraded") << text_at(done.reply, "reason");
  EXPECT_FALSE(is_alive(static_cast<pid_t>(before)));
  EXPECT_EQ(number_at(done.reply, "pid"), pid());
  EXPECT_EQ(number_at(done.reply, "generation"), 2);
  EXPECT_EQ(ask(), "2");
  const std::int64_t after = pid();
  // Finished, so there is nothing to do.
  done = upgrade(xpcd, "job");
  EXPECT_EQ(text_at(done.reply, "result"), "unchanged");
  EXPECT_EQ(pid(), after);
  done = upgrade(xpcd, "job", true);
  EXPECT_EQ(text_at(done.reply, "result"), "upgraded");
  EXPECT_NE(pid(), after);
  EXPECT_EQ(ask(), "2");
  EXPECT_EQ(number_at(xpcd.print("job"), "quick-failures"), 0);
}

TEST_F(Upgrade, BothVersionsRunAtOnceUnlessTheDescriptionSaysOtherwise) {
  load(1);
  ask();
  install_version(program, 2);
  ASSERT_TRUE(upgrade(xpcd, "job"));
  EXPECT_NE(xpcd.log().find("job: the new version was started beside it"), std::string::npos);
  answer alone = xpcd.bootstrap(plist("alone", {program, name + ".alone"}, {name + ".alone"},
                                      "<key>UpgradeOverlap</key><false/>"));
  ASSERT_TRUE(alone) << alone.message;
  ASSERT_EQ(ask(xpcd.open(name + ".alone")), "2");
  install_version(program, 3);
  answer done = upgrade(xpcd, "alone");
  ASSERT_TRUE(done) << done.message;
  EXPECT_EQ(text_at(done.reply, "result"), "upgraded");
  EXPECT_EQ(ask(xpcd.open(name + ".alone")), "3");
  EXPECT_EQ(xpcd.log().find("alone: the new version was started beside it"), std::string::npos);
}

// Clients are served as soon as the process listens; its link may come to xpcd after that.
TEST_F(Upgrade, AProcessThatHasNotCheckedInYetIsWaitedFor) {
  load(1);
  object_ref start = dictionary();
  set(start, "op", "kickstart");
  set(start, "label", "job");
  ASSERT_TRUE(xpcd.ask(start));
  install_version(program, 2);
  answer done = upgrade(xpcd, "job");
  ASSERT_TRUE(done) << done.message;
  EXPECT_EQ(text_at(done.reply, "result"), "upgraded") << text_at(done.reply, "reason");
  EXPECT_NE(xpcd.log().find("job: the new version was started beside it"), std::string::npos);
  EXPECT_EQ(ask(), "2");
}

// Nothing says what a program without the library can bear; it is not waited for beyond the time
// that a link may take.
TEST_F(Upgrade, AProgramWithoutALinkEndsBeforeItsNewVersionStarts) {
  ASSERT_TRUE(
      xpcd.bootstrap(plist("job", {"/bin/sleep", "1000"}, {}, "<key>RunAtLoad</key><true/>")));
  const std::int64_t before = pid();
  answer done = upgrade(xpcd, "job", true);
  ASSERT_TRUE(done) << done.message;
  EXPECT_EQ(text_at(done.reply, "result"), "upgraded") << text_at(done.reply, "reason");
  EXPECT_NE(pid(), before);
  EXPECT_FALSE(is_alive(static_cast<pid_t>(before)));
}

TEST_F(Upgrade, ANamedConnectionCarriesOnWithTheNewVersion) {
  load(1);
  xpc_testing::child client = xpc_testing::child::role(
      "named_client", {.arguments = {name}, .environment = {"OPENXPC_DOMAIN=" + xpcd.directory()}});
  client.expect_line("version 1");
  install_version(program, 2);
  ASSERT_TRUE(upgrade(xpcd, "job"));
  // The same connection, and nothing but its word that it was interrupted.
  client.expect_line("interrupted");
  client.write_line("go on");
  client.expect_line("version 2");
  client.close_input();
  EXPECT_EQ(client.wait(), xpc_testing::ending{.status = 0});
}

TEST_F(Upgrade, T64_AVersionThatFailsAtItsStartIsRolledBack) {
  load(1);
  session client = xpcd.open(name);
  ASSERT_EQ(ask(client), "1");
  const std::int64_t before = pid();
  int version = 2;
  for (const auto& [behaviour, reason] :
       {std::pair("crash", "was ended by signal 6"), std::pair("exit", "exited with status 3"),
        std::pair("hang", "did not say that it is ready within 5 s")}) {
    install_version(program, version++, behaviour);
    answer done = upgrade(xpcd, "job");
    ASSERT_TRUE(done) << done.message;
    EXPECT_EQ(text_at(done.reply, "result"), "rolled-back") << behaviour;
    const std::string said = text_at(done.reply, "reason");
    EXPECT_NE(said.find(reason), std::string::npos) << said;
    EXPECT_NE(said.find("libraries are not rolled back"), std::string::npos) << said;
    EXPECT_EQ(text_at(xpcd.print("job"), "rolled-back"), said.substr(5));
    EXPECT_EQ(pid(), before);
    EXPECT_EQ(ask(client), "1") << "the conversation went on";
    EXPECT_EQ(ask(), "1");
  }
  // A file that is no program at all.
  std::ofstream(program + ".half") << "\x7f"
                                      "EL";
  std::filesystem::permissions(program + ".half", std::filesystem::perms::owner_all);
  std::filesystem::rename(program + ".half", program);
  answer done = upgrade(xpcd, "job");
  EXPECT_FALSE(done);
  EXPECT_NE(done.message.find("job: is not upgraded: "), std::string::npos) << done.message;
  EXPECT_EQ(ask(client), "1");
  // What failed is not tried again by itself, and what is good afterwards is taken.
  install_version(program, 9);
  done = upgrade(xpcd, "job");
  EXPECT_EQ(text_at(done.reply, "result"), "upgraded") << text_at(done.reply, "reason");
  EXPECT_EQ(ask(), "9");
  EXPECT_FALSE(has(xpcd.print("job"), "rolled-back"));
}

// A new version that hangs at its start, for as long as anybody cares to wait.
TEST_F(Upgrade, T57_OneThatIsStuckHoldsUpNobodyElse) {
  xpcd.stop();
  manager patient(root + "/domain", {"--check-in-time", "3600"});
  load(1);
  const session client = patient.open(name);
  ASSERT_EQ(ask(client), "1");
  const std::int64_t before = pid();
  install_version(program, 2, "hang");
  answer why;
  const session control = open_control(patient.directory(), &why);
  ASSERT_TRUE(control) << why.message;
  object_ref order = dictionary();
  set(order, "op", "upgrade");
  set(order, "label", "job");
  openxpc_call_t stuck = control.begin(order);
  xpc_testing::wait_until("the new version to hang", [&] {
    return patient.log().find("job: the new version was started beside it") != std::string::npos;
  });
  EXPECT_EQ(ask(client), "1") << "its clients are served";
  EXPECT_EQ(ask(), "1");
  const std::string other = root + "/other", another = name + ".other";
  install_version(other, 1);
  ASSERT_TRUE(patient.bootstrap(plist("other", {other, another}, {another})));
  EXPECT_EQ(ask(patient.open(another)), "1");
  install_version(other, 2);
  answer done = upgrade(patient, "other");
  EXPECT_EQ(text_at(done.reply, "result"), "upgraded") << done.message;
  EXPECT_EQ(ask(patient.open(another)), "2");
  EXPECT_EQ(pid(), before);
  // Nor the job itself: it can be removed, and whoever waits for the upgrade is told.
  ASSERT_TRUE(patient.verb("bootout", "job"));
  const answer ended = session::wait(stuck);
  EXPECT_EQ(ended.code, OPENXPC_ERROR_NOT_FOUND) << ended.message;
  EXPECT_FALSE(is_alive(static_cast<pid_t>(before)));
}

TEST_F(Upgrade, T64_WithoutOverlapTheOldVersionIsStartedAgain) {
  load(1, "good", "<key>UpgradeOverlap</key><false/>");
  ASSERT_EQ(ask(), "1");
  for (const char* behaviour : {"crash", "hang"}) {
    install_version(program, 2, behaviour);
    answer done = upgrade(xpcd, "job");
    ASSERT_TRUE(done) << done.message;
    EXPECT_EQ(text_at(done.reply, "result"), "rolled-back") << behaviour;
    EXPECT_EQ(ask(), "1") << xpcd.log();
  }
}

TEST_F(Upgrade, T64_AChangedFileThatIsStartedByAClientIsOnTrial) {
  load(1);
  ASSERT_EQ(ask(), "1");
  // Its program is held from its check-in on, which comes beside its first answer.
  xpc_testing::wait_until("it to check in", [&] {
    return ::xpc_dictionary_get_bool(xpcd.print("job").get(), "checked-in");
  });
  install_version(program, 2, "exit");
  // A pre-install script that kills processes changes none of this.
  const auto first = pid();
  ASSERT_EQ(::kill(static_cast<pid_t>(first), SIGKILL), 0);
  xpc_testing::wait_until("its end to be seen", [&] { return pid() != first; });
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  EXPECT_EQ(ask(), "1") << xpcd.log();
  EXPECT_NE(text_at(xpcd.print("job"), "rolled-back").find("exited with status 3"),
            std::string::npos);
  // Until there is another file it stays the old one.
  object_ref restart = dictionary();
  set(restart, "op", "kickstart");
  set(restart, "label", "job");
  ::xpc_dictionary_set_bool(restart.get(), "kill", true);
  ASSERT_TRUE(xpcd.ask(restart));
  EXPECT_EQ(ask(), "1");
  install_version(program, 3);
  ASSERT_TRUE(xpcd.ask(restart));
  EXPECT_EQ(ask(), "3") << xpcd.log();
}

TEST_F(Upgrade, AJobThatDoesNotRunStartsItsNewVersionWhenItIsNeeded) {
  load(1);
  answer done = upgrade(xpcd, "job");
  EXPECT_EQ(text_at(done.reply, "result"), "not-running");
  EXPECT_EQ(pid(), 0);
  install_version(program, 2);
  EXPECT_EQ(ask(), "2");
  EXPECT_EQ(upgrade(xpcd, "nobody").code, OPENXPC_ERROR_NOT_FOUND);
}

TEST_F(Upgrade, T64_AChildOfTheOldVersionThatKeepsItsSocketsGetsNoConnection) {
  // Nothing of the group is killed: it stays for good.
  load(1, "child", "<key>AbandonProcessGroup</key><true/>");
  ASSERT_EQ(ask(), "1");
  install_version(program, 2);
  answer done = upgrade(xpcd, "job");
  EXPECT_EQ(text_at(done.reply, "result"), "upgraded") << text_at(done.reply, "reason");
  for (int i = 0; i < 100; ++i) ASSERT_EQ(ask(), "2") << i;
}

TEST_F(Upgrade, TheVerbTellsInItsExitStatusWhatBecameOfIt) {
  load(1);
  ask();
  auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--domain", xpcd.directory(), "upgrade"});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = std::move(arguments), .keep_stderr = true});
  };
  install_version(program, 2);
  xpc_testing::run_result said = run({"job"});
  EXPECT_EQ(said.end.status, 0) << said.error;
  EXPECT_EQ(said.output, "");
  said = run({"--json", "--force", "job"});
  EXPECT_NE(said.output.find("\"result\": \"upgraded\""), std::string::npos) << said.output;
  install_version(program, 3, "exit");
  said = run({"job", "job"});
  EXPECT_EQ(said.end.status, EX_UNAVAILABLE);
  EXPECT_TRUE(said.error.starts_with(
      "xpcctl: job: the new version exited with status 3 before it was ready; the version that "
      "checked in last serves on"))
      << said.error;
  EXPECT_EQ(run({"nobody"}).end.status, EX_UNAVAILABLE);
}

}  // namespace
}  // namespace system_test
