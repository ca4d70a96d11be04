// An xpcd that is killed in the middle of an upgrade, at each stage that can be told apart, and the
// next one.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "system/versions.hpp"

namespace system_test {
namespace {

class UpgradeCutShort : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain"};
  const std::string name = "org.example.versions";
  const std::string program = root + "/service";
  std::thread asked;

  ~UpgradeCutShort() override {
    if (asked.joinable()) asked.join();
  }
  void load(const std::string& more = {}) {
    install_version(program, 1);
    answer loaded = xpcd.bootstrap(plist("job", {program, name}, {name}, more));
    ASSERT_TRUE(loaded) << loaded.message;
    ASSERT_EQ(ask(), "1") << xpcd.log();
    wait_for("checked-in");
  }
  std::string ask(const session& client) {
    answer reply = client.call("hello");
    return reply ? text_at(reply.reply, "version") : reply.message;
  }
  std::string ask() { return ask(xpcd.open(name)); }
  pid_t pid() { return static_cast<pid_t>(number_at(xpcd.print("job"), "pid")); }
  void wait_for(const char* flag) {
    xpc_testing::wait_until(
        flag, [&] { return ::xpc_dictionary_get_bool(xpcd.print("job").get(), flag); });
  }
  void wait_for_log(const std::string& text) {
    xpc_testing::wait_until(text, [&] { return xpcd.log().find(text) != std::string::npos; });
  }
  void wait_until_gone(pid_t process) {
    xpc_testing::wait_until("process " + std::to_string(process) + " to be gone",
                            [&] { return !is_alive(process); });
  }
  /// The verb, which will not be answered.
  void begin_upgrade() {
    asked = std::thread([this] {
      answer reply = upgrade(xpcd, "job");
      EXPECT_FALSE(reply);
    });
  }
  void begin_upgrade_that_gets_ready() {
    install_version(program, 2);
    begin_upgrade();
    wait_for_log("the new version is ready and serves from now on");
  }
  void kill_and_start() {
    xpcd.kill();
    asked.join();
    xpcd.start();
  }
  /// Behind each of them: nothing is left of the upgrade, and the next one is as any other.
  void expect_as_ever(const std::string& serves) {
    EXPECT_EQ(ask(), serves);
    wait_for("checked-in");
    install_version(program, 7);
    answer done = upgrade(xpcd, "job");
    ASSERT_TRUE(done) << done.message;
    EXPECT_EQ(text_at(done.reply, "result"), "upgraded") << text_at(done.reply, "reason");
    EXPECT_EQ(ask(), "7");
    for (const auto& file : std::filesystem::directory_iterator(xpcd.directory())) {
      const std::string one = file.path().filename();
      EXPECT_TRUE(one == name || one == ".control" || one == ".lock" || one == ".run") << one;
    }
  }
  /// A request that keeps its service until it is let go. It has begun when this returns.
  openxpc_call_t hold(const session& client) {
    EXPECT_EQ(::mkfifo(gate.c_str(), 0600), 0);
    object_ref message = dictionary();
    set(message, "until", gate);
    openxpc_call_t held = ::openxpc_peer_call(client.get(), message.get(), nullptr);
    EXPECT_EQ(ask(client), "1");
    return held;
  }
  /// What was accepted is answered, whoever serves by now.
  void let_go(openxpc_call_t held) {
    openxpc::base::fd opened(::open(gate.c_str(), O_RDWR | O_CLOEXEC));
    answer reply = session::wait(held);
    EXPECT_EQ(text_at(reply.reply, "version"), "1") << reply.message;
  }
  /// Its service is gone, or will be killed with it.
  static void forget(openxpc_call_t held) {
    ::openxpc_call_cancel(held);
    ::openxpc_call_release(held);
  }
  const std::string gate = root + "/gate";
};

TEST_F(UpgradeCutShort, BeforeTheNewVersionIsReadyTheOldOneGoesOn) {
  load();
  session client = xpcd.open(name);
  ASSERT_EQ(ask(client), "1");
  const pid_t old = pid();
  install_version(program, 2, "hang");
  begin_upgrade();
  const std::string started = "the new version was started beside it, pid ";
  wait_for_log(started);
  const std::string log = xpcd.log();
  const pid_t next = static_cast<pid_t>(std::stoi(log.substr(log.find(started) + started.size())));
  EXPECT_TRUE(is_alive(next));
  kill_and_start();
  wait_until_gone(next);
  EXPECT_EQ(pid(), old);
  EXPECT_EQ(ask(client), "1") << "the conversation went on";
  EXPECT_EQ(ask(), "1");
  EXPECT_NE(xpcd.log().find("its upgrade was cut short; the old version goes on"),
            std::string::npos);
  expect_as_ever("1");
  wait_until_gone(old);
}

TEST_F(UpgradeCutShort, BeforeTheOldVersionHasEndedTheNewOneServesOn) {
  load();
  session client = xpcd.open(name);
  openxpc_call_t held = hold(client);
  const pid_t old = pid();
  begin_upgrade_that_gets_ready();
  ASSERT_EQ(ask(), "2");
  const pid_t next = pid();
  ASSERT_NE(next, old);
  session late = xpcd.open(name);
  ASSERT_EQ(ask(late), "2");
  kill_and_start();
  EXPECT_EQ(pid(), next);
  EXPECT_EQ(ask(late), "2");
  EXPECT_EQ(ask(), "2");
  EXPECT_TRUE(is_alive(old)) << "it has not answered all that it accepted";
  let_go(held);
  wait_until_gone(old);
  EXPECT_EQ(pid(), next);
  expect_as_ever("2");
}

TEST_F(UpgradeCutShort, TheOldVersionIsKilledWhenItsTimeIsOverAlsoByTheNextXpcd) {
  load("<key>ExitTimeOut</key><integer>1</integer>");
  session client = xpcd.open(name);
  openxpc_call_t held = hold(client);
  const pid_t old = pid();
  // Killed at once: whichever comes first, the old one may not stay for good.
  begin_upgrade_that_gets_ready();
  kill_and_start();
  wait_until_gone(old);
  forget(held);
  expect_as_ever("2");
}

TEST_F(UpgradeCutShort, WithoutOverlapTheNewVersionComesWithTheNextClient) {
  // The next xpcd cannot know how it ended, which counts as a crash.
  load("<key>UpgradeOverlap</key><false/><key>ThrottleInterval</key><integer>0</integer>");
  session client = xpcd.open(name);
  openxpc_call_t held = hold(client);
  const pid_t old = pid();
  install_version(program, 2);
  begin_upgrade();
  // The old one has been asked to end, and takes nobody new.
  xpcd.wait_for_state("job", "stopping");
  kill_and_start();
  EXPECT_TRUE(is_alive(old));
  let_go(held);
  wait_until_gone(old);
  expect_as_ever("2");
}

TEST_F(UpgradeCutShort, WhoDiesWithTheServiceManagerIsNotWaitedFor) {
  load("<key>ThrottleInterval</key><integer>0</integer>");
  session client = xpcd.open(name);
  openxpc_call_t held = hold(client);
  const pid_t old = pid();
  begin_upgrade_that_gets_ready();
  const pid_t next = pid();
  xpcd.kill();
  asked.join();
  for (const pid_t one : {old, next}) {
    ::kill(one, SIGKILL);
    wait_until_gone(one);
  }
  forget(held);
  xpcd.start();
  expect_as_ever("2");
}

}  // namespace
}  // namespace system_test
