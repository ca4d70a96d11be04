// SIGKILL of xpcd, and a new one in its place.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "system/manager.hpp"

namespace system_test {
namespace {

class Replace : public ::testing::Test {
 protected:
  manager xpcd{xpc_testing::runtime_directory() + "/domain"};
  const std::string name = "org.example.echo";
  std::int64_t load_and_call() {
    answer loaded = xpcd.bootstrap(plist("echo", role("echo", {name}), {name},
                                         "<key>ThrottleInterval</key><integer>1</integer>"));
    EXPECT_TRUE(loaded) << loaded.message;
    client = xpcd.open(name);
    answer reply = client.call("hello");
    EXPECT_TRUE(reply) << reply.message;
    return number_at(reply.reply, "pid");
  }
  session client;
};

TEST_F(Replace, T52_TheServiceGoesOnAndHandsItsSocketsBack) {
  const std::int64_t pid = load_and_call();
  struct stat before, after;
  ASSERT_EQ(::stat((xpcd.directory() + "/" + name).c_str(), &before), 0);
  xpcd.kill();
  // Nobody manages the domain: old conversations go on, new ones are served as well.
  EXPECT_TRUE(client.call("hello"));
  EXPECT_EQ(number_at(xpcd.open(name).call("hello").reply, "pid"), pid);
  xpcd.start();
  xpc_testing::wait_until("the service to check in", [&] {
    ::xpc_object_t flag = nullptr;
    object_ref job = xpcd.print("echo");
    flag = ::xpc_dictionary_get_value(job.get(), "checked-in");
    return flag != nullptr && ::xpc_bool_get_value(flag);
  });
  EXPECT_EQ(number_at(xpcd.print("echo"), "pid"), pid);
  EXPECT_TRUE(client.call("hello"));
  EXPECT_EQ(number_at(xpcd.open(name).call("hello").reply, "pid"), pid);
  ASSERT_EQ(::stat((xpcd.directory() + "/" + name).c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino) << "the name was bound anew\n" << xpcd.log();
  // The new one manages it in full: its end is seen, the next message starts it again.
  client.call("crash");
  xpc_testing::wait_until("the end to be seen",
                          [&] { return has(xpcd.print("echo"), "last-exit"); });
  EXPECT_EQ(text_at(xpcd.print("echo"), "last-exit/text"), "ended, nobody knows how");
  ASSERT_TRUE(xpcd.verb("kickstart", "echo"));
  answer again = xpcd.open(name).call("hello");
  ASSERT_TRUE(again) << again.message << xpcd.log();
  EXPECT_NE(number_at(again.reply, "pid"), pid);
}

TEST_F(Replace, AServiceThatDiedMeanwhileIsStartedByTheNextMessage) {
  const std::int64_t pid = load_and_call();
  xpcd.kill();
  ::kill(static_cast<pid_t>(pid), SIGKILL);
  wait_until_gone(static_cast<pid_t>(pid));
  xpcd.start();
  answer again = xpcd.open(name).call("hello");
  ASSERT_TRUE(again) << again.message << xpcd.log();
  EXPECT_NE(number_at(again.reply, "pid"), pid);
}

TEST_F(Replace, JobsThatDoNotRunComeBackWithTheirNames) {
  ASSERT_TRUE(xpcd.bootstrap(plist("echo", role("echo", {name}), {name}), "/where/it/was.plist"));
  xpcd.replace();
  EXPECT_EQ(text_at(xpcd.print("echo"), "origin"), "/where/it/was.plist");
  EXPECT_TRUE(xpcd.open(name).call("hello"));
}

TEST_F(Replace, AForeignServiceIsReplacedOnceSomebodyWantsIt) {
  ASSERT_TRUE(xpcd.bootstrap(
      plist("foreign", role("foreign"), {"org.example.foreign"}, "<key>RunAtLoad</key><true/>")));
  const std::int64_t pid = number_at(xpcd.print("foreign"), "pid");
  struct stat before, after;
  const std::string file = xpcd.directory() + "/org.example.foreign";
  ASSERT_EQ(::stat(file.c_str(), &before), 0);
  xpcd.replace();
  xpc_testing::wait_until("the name to be bound anew", [&] {
    return ::stat(file.c_str(), &after) == 0 && after.st_ino != before.st_ino;
  });
  EXPECT_EQ(number_at(xpcd.print("foreign"), "pid"), pid) << "left alone while nobody asks";
  session wants = xpcd.open("org.example.foreign");
  openxpc_call_t call = wants.begin("hello");
  xpc_testing::wait_until("a new process", [&] {
    const std::int64_t now = number_at(xpcd.print("foreign"), "pid");
    return now != 0 && now != pid;
  });
  wants.end();
  session::wait(call);
}

TEST_F(Replace, T52_ASocketThatIsNotTheNamesIsNotTakenBack) {
  // A process that is no job's, with a socket of its own for the name.
  load_and_call();
  object_ref request = dictionary();
  set(request, "op", "check-in-again");
  answer refused = xpcd.ask(request);
  EXPECT_EQ(refused.code, OPENXPC_ERROR_DENIED) << refused.message;
  EXPECT_NE(refused.message.find("is not that of any job here"), std::string::npos)
      << refused.message;
  EXPECT_TRUE(client.call("hello"));
}

TEST_F(Replace, UnderLoadWithoutAClientNoticing) {
  const std::int64_t pid = load_and_call();
  std::atomic<bool> stop{false};
  std::atomic<int> calls{0}, wrong{0};
  // One holds its conversation, the other makes a new one for each call.
  auto work = [&](bool always_new) {
    session own = xpcd.open(name);
    while (!stop) {
      if (always_new) own = xpcd.open(name);
      answer reply = own.call("hello");
      if (!reply || number_at(reply.reply, "pid") != pid) ++wrong;
      ++calls;
    }
  };
  std::thread holding(work, false), renewing(work, true);
  for (int i = 0; i < 5; ++i) {
    const int before = calls;
    xpcd.replace();
    xpc_testing::wait_until("calls to go on", [&] { return calls > before + 20 || wrong > 0; });
  }
  stop = true;
  holding.join();
  renewing.join();
  EXPECT_EQ(wrong, 0) << xpcd.log();
}

TEST_F(Replace, TwentyTimesWithoutAClientNoticing) {
  const std::int64_t pid = load_and_call();
  for (int i = 0; i < 20; ++i) {
    xpcd.replace();
    answer reply = client.call("hello");
    ASSERT_TRUE(reply) << reply.message;
    EXPECT_EQ(number_at(reply.reply, "pid"), pid);
    answer fresh = xpcd.open(name).call("hello");
    ASSERT_TRUE(fresh) << fresh.message << xpcd.log();
    EXPECT_EQ(number_at(fresh.reply, "pid"), pid);
  }
  EXPECT_EQ(xpcd.stop().status, 0);
  EXPECT_FALSE(is_alive(static_cast<pid_t>(pid)));
}

}  // namespace
}  // namespace system_test
