// Launch on demand, by real processes: xpcd, services and clients.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "system/manager.hpp"

namespace system_test {
namespace {

class Launch : public ::testing::Test {
 protected:
  std::string directory() { return xpc_testing::runtime_directory() + "/domain"; }
  manager xpcd{directory()};
  const std::string name = "org.example.echo";
  void load_echo(const std::string& more = {}) {
    answer loaded = xpcd.bootstrap(plist("echo", role("echo", {name}), {name}, more));
    ASSERT_TRUE(loaded) << loaded.message;
    EXPECT_EQ(text_at(loaded.reply, "label"), "echo");
  }
};

TEST_F(Launch, R212_TheFirstMessageStartsTheServiceAndNothingBefore) {
  load_echo();
  session client = xpcd.open(name);
  object_ref job = xpcd.print("echo");
  EXPECT_EQ(text_at(job, "state"), "waiting");
  EXPECT_FALSE(has(job, "pid"));
  answer reply = client.call("hello");
  ASSERT_TRUE(reply) << reply.message << "\n" << xpcd.log();
  EXPECT_EQ(text_at(reply.reply, "op"), "hello");
  job = xpcd.print("echo");
  EXPECT_EQ(number_at(reply.reply, "pid"), number_at(job, "pid"));
  EXPECT_EQ(text_at(job, "state"), "running");
  EXPECT_EQ(number_at(job, "starts"), 1);
}

TEST_F(Launch, R216_EachClientSeesTheServicesOwnPidAlsoAfterACrash) {
  load_echo("<key>ThrottleInterval</key><integer>1</integer>");
  session first = xpcd.open(name);
  answer before = first.call("hello");
  ASSERT_TRUE(before) << before.message;
  EXPECT_EQ(first.pid(), number_at(before.reply, "pid"));

  answer crashed = first.call("crash");
  EXPECT_EQ(crashed.code, OPENXPC_ERROR_INTERRUPTED) << crashed.message;
  // This one connects while nobody runs, and waits through the throttling.
  session second = xpcd.open(name);
  answer waited = second.call("hello");
  ASSERT_TRUE(waited) << waited.message << "\n" << xpcd.log();
  EXPECT_NE(number_at(waited.reply, "pid"), number_at(before.reply, "pid"));
  EXPECT_EQ(second.pid(), number_at(waited.reply, "pid"));

  session third = xpcd.open(name);
  answer later = third.call("hello");
  ASSERT_TRUE(later) << later.message;
  EXPECT_EQ(third.pid(), number_at(waited.reply, "pid"));
  object_ref job = xpcd.print("echo");
  EXPECT_EQ(number_at(job, "last-exit/signal"), SIGKILL);
  EXPECT_EQ(number_at(job, "starts"), 2);
}

TEST_F(Launch, PrintShowsExitStatusWaitingConnectionsAndLastWords) {
  load_echo("<key>ThrottleInterval</key><integer>1000</integer>");
  session client = xpcd.open(name);
  ASSERT_TRUE(client.call("hello"));
  object_ref order = dictionary();
  set(order, "op", "exit");
  set(order, "status", std::int64_t{9});
  EXPECT_FALSE(client.call(order));
  object_ref job = xpcd.wait_for_state("echo", "throttled");
  EXPECT_EQ(number_at(job, "last-exit/status"), 9);
  EXPECT_EQ(texts_at(job, "stderr"), std::vector<std::string>{"serving"});
  EXPECT_GT(number_at(job, "timer-ms"), 900000);
  session waiting = xpcd.open(name);
  openxpc_call_t call = waiting.begin("hello");
  xpc_testing::wait_until("the connection to wait", [&] {
    job = xpcd.print("echo");
    xpc_object_t names = ::xpc_dictionary_get_value(job.get(), "names");
    return ::xpc_dictionary_get_int64(::xpc_array_get_value(names, 0), "waiting") == 1;
  });
  // A verb does not count: kickstart starts it now, and whoever waited is served.
  ASSERT_TRUE(xpcd.verb("kickstart", "echo"));
  EXPECT_TRUE(session::wait(call));
}

TEST_F(Launch, T62_AServiceThatKeepsDyingIsRefusedWithItsLastWords) {
  ASSERT_TRUE(xpcd.bootstrap(plist("hopeless", role("hopeless"), {"org.example.hopeless"},
                                   "<key>ThrottleInterval</key><integer>1</integer>")));
  session client = xpcd.open("org.example.hopeless");
  answer refused = client.call("hello");
  EXPECT_EQ(refused.code, OPENXPC_ERROR_LAUNCH_FAILED) << refused.message;
  EXPECT_NE(refused.message.find("exited with status 3"), std::string::npos) << refused.message;
  EXPECT_NE(refused.message.find("cannot open the database"), std::string::npos) << refused.message;
  object_ref job = xpcd.print("hopeless");
  EXPECT_EQ(text_at(job, "state"), "failed");
  EXPECT_EQ(number_at(job, "starts"), 5);
  // New connections hear it at once, and start nothing.
  session again = xpcd.open("org.example.hopeless");
  EXPECT_EQ(again.call("hello").code, OPENXPC_ERROR_LAUNCH_FAILED);
  EXPECT_EQ(number_at(xpcd.print("hopeless"), "starts"), 5);
  // Kickstart gives another chance.
  ASSERT_TRUE(xpcd.verb("kickstart", "hopeless"));
  EXPECT_EQ(number_at(xpcd.print("hopeless"), "starts"), 6);
}

TEST_F(Launch, AProgramThatDoesNotExistIsAClearError) {
  ASSERT_TRUE(xpcd.bootstrap(plist("missing", {"/no/such/program"}, {"org.example.missing"})));
  session client = xpcd.open("org.example.missing");
  answer refused = client.call("hello");
  EXPECT_EQ(refused.code, OPENXPC_ERROR_LAUNCH_FAILED);
  EXPECT_NE(refused.message.find("/no/such/program: No such file or directory"), std::string::npos)
      << refused.message;
  answer started = xpcd.verb("kickstart", "missing");
  ASSERT_FALSE(started);
  EXPECT_NE(started.message.find("/no/such/program"), std::string::npos);
}

TEST_F(Launch, BadRequestsAreClearErrorsAndChangeNothing) {
  load_echo();
  struct {
    std::string plist, expected;
  } const cases[] = {
      {"<plist><dict>", "x.plist:1:"},
      {plist("bad name", {"/p"}), "x.plist:2: Label: byte 0x20 at position 4"},
      {plist("echo", {"/p"}), "echo: is loaded already, from test.plist"},
      {plist("other", {"/p"}, {"org.example.new", name}),
       "the name " + name + " is taken by the job echo"},
      {plist("other", {"/p"}, {}, "<key>RunAtLoad</key><string/>"),
       "RunAtLoad: expected bool, found string"},
  };
  for (const auto& one : cases) {
    answer refused = xpcd.bootstrap(one.plist, "x.plist");
    ASSERT_FALSE(refused) << one.expected;
    EXPECT_NE(refused.message.find(one.expected), std::string::npos) << refused.message;
  }
  EXPECT_FALSE(std::filesystem::exists(directory() + "/org.example.new"));
  EXPECT_EQ(xpcd.verb("kickstart", "nobody").code, OPENXPC_ERROR_NOT_FOUND);
  EXPECT_EQ(xpcd.verb("fly", "echo").code, OPENXPC_ERROR_UNKNOWN_METHOD);
  object_ref empty = dictionary();
  set(empty, "op", "bootout");
  EXPECT_EQ(xpcd.ask(empty).message, "bootout: label: is missing");
  EXPECT_TRUE(xpcd.open(name).call("hello"));
}

TEST_F(Launch, AFileInPlaceOfANameIsNotReplaced) {
  std::filesystem::create_directory(directory() + "/org.example.echo");
  answer refused = xpcd.bootstrap(plist("echo", role("echo", {name}), {name}));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.message.find("a file that is no socket has this name"), std::string::npos);
  EXPECT_FALSE(xpcd.verb("print", "echo"));
}

TEST_F(Launch, BootoutEndsTheProcessAndTakesTheNamesAway) {
  load_echo();
  session client = xpcd.open(name);
  answer reply = client.call("hello");
  ASSERT_TRUE(reply);
  ASSERT_TRUE(xpcd.verb("bootout", "echo"));
  EXPECT_FALSE(is_alive(static_cast<pid_t>(number_at(reply.reply, "pid"))));
  std::string message;
  EXPECT_EQ(xpcd.open_fails(name, &message), OPENXPC_ERROR_NOT_FOUND);
  EXPECT_NE(message.find(name), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(directory() + "/" + name));
  load_echo();
  EXPECT_TRUE(xpcd.open(name).call("hello"));
}

TEST_F(Launch, R239_AProcessThatDoesNotEndIsKilledAtExitTimeOut) {
  ASSERT_TRUE(xpcd.bootstrap(
      plist("stubborn", role("stubborn"), {},
            "<key>RunAtLoad</key><true/><key>ExitTimeOut</key><integer>1</integer>")));
  const pid_t pid = static_cast<pid_t>(number_at(xpcd.print("stubborn"), "pid"));
  ASSERT_GT(pid, 0);
  ASSERT_TRUE(xpcd.verb("bootout", "stubborn"));
  EXPECT_FALSE(is_alive(pid));
}

TEST_F(Launch, R236_KeepAliveStartsAgainWhatWasKilledByAVerb) {
  ASSERT_TRUE(xpcd.bootstrap(plist("foreign", role("foreign"), {}, "<key>KeepAlive</key><true/>")));
  const std::int64_t before = number_at(xpcd.print("foreign"), "pid");
  ASSERT_GT(before, 0);
  object_ref order = dictionary();
  set(order, "op", "kill");
  set(order, "label", "foreign");
  set(order, "signal", std::int64_t{SIGTERM});
  ASSERT_TRUE(xpcd.ask(order));
  xpc_testing::wait_until("a new process", [&] {
    const std::int64_t now = number_at(xpcd.print("foreign"), "pid");
    return now != 0 && now != before;
  });
  EXPECT_EQ(number_at(xpcd.print("foreign"), "quick-failures"), 0);
}

TEST_F(Launch, KickstartCanReplaceARunningProcess) {
  load_echo();
  answer reply = xpcd.open(name).call("hello");
  ASSERT_TRUE(reply);
  object_ref order = dictionary();
  set(order, "op", "kickstart");
  set(order, "label", "echo");
  ::xpc_dictionary_set_bool(order.get(), "kill", true);
  answer restarted = xpcd.ask(order);
  ASSERT_TRUE(restarted) << restarted.message;
  EXPECT_NE(number_at(restarted.reply, "pid"), number_at(reply.reply, "pid"));
  EXPECT_GT(number_at(restarted.reply, "pid"), 0);
}

TEST_F(Launch, ALeftoverChildOfACrashedServiceGetsNoConnection) {
  load_echo("<key>ThrottleInterval</key><integer>0</integer>");
  session client = xpcd.open(name);
  answer reply = client.call("leave-a-child");
  ASSERT_TRUE(reply);
  client.call("crash");
  for (int i = 0; i < 20; ++i) {
    answer next = xpcd.open(name).call("hello");
    ASSERT_TRUE(next) << next.message << "\n" << xpcd.log();
    EXPECT_NE(number_at(next.reply, "pid"), number_at(reply.reply, "pid"));
  }
}

TEST_F(Launch, ACleanShutdownEndsServicesAndRemovesTheDirectory) {
  load_echo();
  answer reply = xpcd.open(name).call("hello");
  ASSERT_TRUE(reply);
  EXPECT_EQ(xpcd.stop().status, 0) << xpcd.log();
  EXPECT_FALSE(is_alive(static_cast<pid_t>(number_at(reply.reply, "pid"))));
  EXPECT_FALSE(std::filesystem::exists(directory()));
  std::string message;
  EXPECT_EQ(xpcd.open_fails(name, &message), OPENXPC_ERROR_NO_DOMAIN) << message;
}

TEST_F(Launch, XpcdEndsWhenItsDirectoryIsRemoved) {
  load_echo();
  answer reply = xpcd.open(name).call("hello");
  ASSERT_TRUE(reply);
  // As rm -rf does it, while xpcd makes and removes files of its own as well: what came behind its
  // back keeps it from ending.
  xpc_testing::wait_until("the directory to be gone", [this] {
    std::error_code ignored;
    std::filesystem::remove_all(directory(), ignored);
    return !std::filesystem::exists(directory());
  });
  EXPECT_EQ(xpcd.wait().status, 0);
  EXPECT_FALSE(is_alive(static_cast<pid_t>(number_at(reply.reply, "pid"))));
}

TEST_F(Launch, ASecondXpcdInTheSameDirectoryIsRefused) {
  xpc_testing::child_options options;
  options.arguments = {"--domain", directory()};
  xpc_testing::run_result second = xpc_testing::run(xpc_testing::xpcd_program, options);
  EXPECT_EQ(second.end.status, 69);  // EX_UNAVAILABLE
  EXPECT_NE(second.error.find("another xpcd serves this domain (pid " + std::to_string(xpcd.pid())),
            std::string::npos)
      << second.error;
}

TEST(LaunchForOthers, T56_TheControlInterfaceIsTheOwnersAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: needs root to be somebody else";
  // A domain that others may enter: they may call its services, and no more.
  const std::string directory = xpc_testing::runtime_directory() + "/domain";
  std::filesystem::create_directory(directory);
  ASSERT_EQ(::chmod(directory.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(xpc_testing::runtime_directory().c_str(), 0755), 0);
  manager xpcd(directory);
  ASSERT_TRUE(
      xpcd.bootstrap(plist("echo", role("echo", {"org.example.echo"}), {"org.example.echo"})));
  xpc_testing::child stranger = xpc_testing::child::role("stranger", {.arguments = {directory}});
  EXPECT_EQ(stranger.read_line(), "control: Permission denied");
  EXPECT_EQ(stranger.read_line(), "echo: connected");
  EXPECT_EQ(stranger.wait().status, 0);
}

TEST_F(Launch, WhatAServicePrintsIsKeptInBoundedSpace) {
  ASSERT_TRUE(xpcd.bootstrap(plist("chatty", role("chatty"), {}, "<key>RunAtLoad</key><true/>")));
  const std::string file = directory() + "/.run/chatty.err";
  struct stat status;
  // It prints 8 MiB and then says so.
  xpc_testing::wait_until("the beginning to be let go", [&] {
    const std::vector<std::string> lines = texts_at(xpcd.print("chatty"), "stderr");
    return !lines.empty() && lines.back() == "that was all" && ::stat(file.c_str(), &status) == 0 &&
           status.st_blocks * 512 <= (1 << 20);
  });
  EXPECT_GT(status.st_size, 8 << 20);
}

TEST_F(Launch, AThousandClientsOfAStoppedServiceAreAllServedByOneProcess) {
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  // A client costs the service its socket and pidfds: where it may have 1,024, the crowd is
  // smaller.
  const int clients = limit.rlim_cur < 4096 ? 200 : 1000;
  load_echo();
  std::vector<xpc_testing::child> crowds;
  for (int i = 0; i < 5; ++i) {
    crowds.push_back(xpc_testing::child::role(
        "crowd", {.arguments = {directory(), name, std::to_string(clients / 5)}}));
  }
  for (xpc_testing::child& one : crowds) one.expect_line(std::to_string(clients / 5));
  EXPECT_EQ(number_at(xpcd.print("echo"), "starts"), 1);
  for (xpc_testing::child& one : crowds) {
    one.write_line("enough");
    EXPECT_EQ(one.wait().status, 0);
  }
}

}  // namespace
}  // namespace system_test
