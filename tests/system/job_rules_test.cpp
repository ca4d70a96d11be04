// Rules about jobs and names as a program with connections of the C API meets them.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/connection.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "system/manager.hpp"

namespace {

std::string name_of_event(xpc_object_t event) {
  if (event == XPC_ERROR_CONNECTION_INTERRUPTED) return "interrupted";
  if (event == XPC_ERROR_CONNECTION_INVALID) return "invalid";
  if (event == XPC_ERROR_TERMINATION_IMMINENT) return "imminent";
  return xpc_get_type(event) == XPC_TYPE_DICTIONARY ? "message" : "something else";
}

void say_event(xpc_object_t event, void*) { xpc_testing::say(name_of_event(event)); }

int notes = -1;

/// A service's peer: notes what it is told, and gives up when the service is to end.
void note_event(xpc_object_t event, void* peer) {
  const std::string line = name_of_event(event) + "\n";
  (void)!::write(notes, line.data(), line.size());
  auto connection = static_cast<xpc_connection_t>(peer);
  if (event == XPC_ERROR_TERMINATION_IMMINENT) xpc_connection_cancel(connection);
  if (event == XPC_ERROR_CONNECTION_INVALID) xpc_release(connection);
  if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
  if (xpc_object_t reply = xpc_dictionary_create_reply(event)) {
    xpc_connection_send_message(connection, reply);
    xpc_release(reply);
  }
}

void take_peer(xpc_object_t event, void*) {
  if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
  auto peer = static_cast<xpc_connection_t>(xpc_retain(event));
  xpc_connection_set_event_handler_f(peer, peer, note_event);
  xpc_connection_activate(peer);
}

}  // namespace

/// noting NAME FILE: serves the name with connections of the C API and writes their events down.
XPC_TEST_ROLE(noting) {
  notes = ::open(call.arguments.at(1).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  xpc_connection_t listener = xpc_connection_create_mach_service(
      call.arguments.at(0).c_str(), nullptr, XPC_CONNECTION_MACH_SERVICE_LISTENER);
  xpc_connection_set_event_handler_f(listener, nullptr, take_peer);
  xpc_connection_activate(listener);
  for (;;) ::pause();
}

/// client_of DIR NAME [privileged]: a connection to the name; says its events, and on its input
/// "ask" waits for a reply, "send" does not.
XPC_TEST_ROLE(client_of) {
  ::setenv("OPENXPC_DOMAIN", call.arguments.at(0).c_str(), 1);
  const bool privileged = call.arguments.size() > 2;
  // For as long as the process, which ends without waiting for it.
  static xpc_connection_t service;
  service = xpc_connection_create_mach_service(
      call.arguments.at(1).c_str(), nullptr,
      privileged ? static_cast<std::uint64_t>(XPC_CONNECTION_MACH_SERVICE_PRIVILEGED) : 0);
  xpc_connection_set_event_handler_f(service, nullptr, say_event);
  xpc_connection_activate(service);
  for (std::string line = xpc_testing::hear(); !line.empty(); line = xpc_testing::hear()) {
    xpc_object_t message = xpc_dictionary_create_empty();
    if (line == "ask") {
      xpc_object_t reply = xpc_connection_send_message_with_reply_sync(service, message);
      xpc_testing::say("reply: " + name_of_event(reply));
      xpc_release(reply);
    } else {
      if (line == "send") xpc_connection_send_message(service, message);
      xpc_testing::say("did " + line);
    }
    xpc_release(message);
  }
  return 0;
}

namespace system_test {
namespace {

class JobRules : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  const std::string name = "org.example.rules";
  manager xpcd{root + "/domain"};

  void load(const std::string& label, const std::vector<std::string>& arguments,
            const std::string& more = {}) {
    answer loaded = xpcd.bootstrap(plist(label, arguments, {name}, more));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  xpc_testing::child client(const std::vector<std::string>& more = {},
                            const std::vector<std::string>& environment = {}) {
    std::vector<std::string> arguments{xpcd.directory(), name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return xpc_testing::child::role("client_of",
                                    {.arguments = arguments, .environment = environment});
  }
  static void does(xpc_testing::child& who, const char* what, const char* line) {
    who.write_line(what);
    who.expect_line(line);
  }
  std::string contents(const std::string& file) const {
    std::stringstream all;
    all << std::ifstream(root + "/" + file).rdbuf();
    return all.str();
  }
};

TEST_F(JobRules, R067_AJobThatIsUnloadedInterruptsItsClientsAndIsInvalidForTheNextMessage) {
  load("job", role("noting", {name, root + "/notes"}));
  auto one = client();
  does(one, "ask", "reply: message");
  ASSERT_TRUE(xpcd.verb("bootout", "job"));
  one.expect_line("interrupted");
  one.write_line("send");
  const std::string first = one.read_line().value_or("end"),
                    second = one.read_line().value_or("end");
  EXPECT_EQ((std::set<std::string>{first, second}), (std::set<std::string>{"did send", "invalid"}));
  // Loading it again is told to nobody.
  load("job", role("noting", {name, root + "/notes"}));
  does(one, "nothing", "did nothing");
  EXPECT_EQ(number_at(xpcd.print("job"), "starts"), 0);
  one.close_input();
  EXPECT_EQ(one.wait(), xpc_testing::ending{.status = 0});
}

TEST_F(JobRules, R073_APeerOfAServiceThatIsToEndHearsThatItsEndIsNear) {
  load("job", role("noting", {name, root + "/notes"}));
  auto one = client();
  does(one, "ask", "reply: message");
  ASSERT_TRUE(xpcd.verb("bootout", "job"));
  // The peer cancelled itself in answer; what was told afterwards is the final event.
  EXPECT_EQ(contents("notes").find("message\nimminent\n"), 0u) << contents("notes");
  one.expect_line("interrupted");
  one.close_input();
  EXPECT_EQ(one.wait(), xpc_testing::ending{.status = 0});
}

TEST_F(JobRules, R344_ClientsNeverHearOfTheTerminationOfAService) {
  load("job", role("noting", {name, root + "/notes"}));
  auto one = client();
  for (int round = 0; round < 3; ++round) {
    does(one, "ask", "reply: message");
    object_ref restart = dictionary();
    set(restart, "op", "kickstart");
    set(restart, "label", "job");
    ::xpc_dictionary_set_bool(restart.get(), "kill", true);
    ASSERT_TRUE(xpcd.ask(restart));
    one.expect_line("interrupted");
  }
  EXPECT_NE(contents("notes").find("imminent\n"), std::string::npos);
  one.close_input();
  EXPECT_EQ(one.wait(), xpc_testing::ending{.status = 0});
}

TEST_F(JobRules, R176_AJobWithATransactionIsKilledAtExitTimeOutAndOneWithoutNeedsNoSignal) {
  for (const char* state : {"active", "idle"}) {
    const std::string served = name + "." + state;
    // The idle one is waited for as long as it takes.
    const std::string patience = std::string(state) == "active" ? "1" : "0";
    ASSERT_TRUE(xpcd.bootstrap(plist(state, role("plain", {served}), {served},
                                     "<key>EnableTransactions</key><true/><key>ExitTimeOut</key>"
                                     "<integer>" +
                                         patience + "</integer>")));
    session talk = xpcd.open(served);
    answer reply = talk.call(std::string(state) == "active" ? "begin" : "hello");
    ASSERT_TRUE(reply) << reply.message;
    talk.end();
    ASSERT_TRUE(xpcd.verb("bootout", state));
  }
  EXPECT_NE(xpcd.log().find("xpcd: active: does not end, is killed\n"), std::string::npos);
  EXPECT_EQ(xpcd.log().find("xpcd: idle: does not end"), std::string::npos);
}

TEST_F(JobRules, R178_AnAdaptiveJobIsNotMadeFasterOrSlowerByItsClients) {
  load("job", role("echo", {name}), "<key>ProcessType</key><string>Adaptive</string>");
  auto polite = xpc_testing::child::role("polite", {.arguments = {xpcd.directory(), name}});
  polite.expect_line("sent");
  session mine = xpcd.open(name);
  answer reply = mine.call("hello");
  ASSERT_TRUE(reply) << reply.message;
  const auto pid = static_cast<id_t>(number_at(reply.reply, "pid"));
  EXPECT_EQ(::getpriority(PRIO_PROCESS, pid), ::getpriority(PRIO_PROCESS, 0));
  polite.close_input();
  EXPECT_EQ(polite.wait(), xpc_testing::ending{.status = 0});
}

TEST_F(JobRules, R231_PrivilegedLooksInTheSystemDomainOnly) {
  load("job", role("noting", {name, root + "/notes"}));
  auto privileged = client({"privileged"});
  privileged.expect_line("invalid");
  auto plain = client();
  does(plain, "nothing", "did nothing");
  EXPECT_EQ(number_at(xpcd.print("job"), "starts"), 0) << "nobody was led to it";
  does(plain, "ask", "reply: message");
  for (auto* one : {&privileged, &plain}) {
    one->close_input();
    EXPECT_EQ(one->wait(), xpc_testing::ending{.status = 0});
  }
}

TEST_F(JobRules, R249_XpcNullBootstrapKeepsAProgramFromLookingNamesUp) {
  load("job", role("noting", {name, root + "/notes"}));
  auto kept_away = client({}, {"XPC_NULL_BOOTSTRAP=1"});
  kept_away.expect_line("invalid");
  EXPECT_EQ(number_at(xpcd.print("job"), "starts"), 0);
  auto other = client({}, {"XPC_NULL_BOOTSTRAP=0"});
  does(other, "ask", "reply: message");
  for (auto* one : {&kept_away, &other}) {
    one->close_input();
    EXPECT_EQ(one->wait(), xpc_testing::ending{.status = 0});
  }
}

TEST_F(JobRules, R235_TheVerbsAreThoseOfTheDomainAndNotLoadAndUnload) {
  auto run = [](std::vector<std::string> arguments) {
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = std::move(arguments), .keep_stderr = true});
  };
  for (const char* verb :
       {"bootstrap", "bootout", "kickstart", "kill", "print", "enable", "disable"}) {
    EXPECT_EQ(run({verb, "--help"}).end.status, 0) << verb;
  }
  // Those exit with 0 whatever happened; nobody should rely on them.
  for (const char* verb : {"load", "unload"}) {
    EXPECT_EQ(run({verb, "job.plist"}).end.status, EX_USAGE) << verb;
  }
}

TEST_F(JobRules, R246_AJobThatMakesADaemonOfItselfIsOver) {
  const std::string file = root + "/daemon";
  load("job", {"/bin/sh", "-c", "setsid sleep 1000 & echo $! >" + file});
  struct stat before{}, after{};
  ASSERT_EQ(::stat((xpcd.directory() + "/" + name).c_str(), &before), 0);
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  object_ref job;
  xpc_testing::wait_until("it to end", [&] {
    job = xpcd.print("job");
    return has(job, "last-exit");
  });
  EXPECT_EQ(text_at(job, "state"), "waiting");
  EXPECT_EQ(number_at(job, "last-exit/status"), 0);
  // What is left of it keeps an old socket; clients come to a new one.
  ASSERT_EQ(::stat((xpcd.directory() + "/" + name).c_str(), &after), 0);
  EXPECT_NE(after.st_ino, before.st_ino);
  const pid_t left = std::stoi(contents("daemon"));
  ::kill(left, SIGKILL);
  wait_until_gone(left);
}

}  // namespace
}  // namespace system_test
