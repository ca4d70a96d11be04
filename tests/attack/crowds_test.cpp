// Too much at once: connections to a service that stands still, starts of one that dies, names for
// which no descriptor is left.

#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"
#include "support/sanitizers.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "system/manager.hpp"

using namespace system_test;

/// refused_crowd DIRECTORY NAME COUNT: so many clients, one after another and all kept; says how
/// many heard that the launch failed, and the last reason.
XPC_TEST_ROLE(refused_crowd) {
  openxpc_conversation_options_s options{};
  options.size = sizeof options;
  options.domain_directory = call.arguments.at(0).c_str();
  std::vector<session> clients;
  std::vector<openxpc_call_t> calls;
  for (int left = std::stoi(call.arguments.at(2)); left > 0; --left) {
    clients.emplace_back(::openxpc_session_open(call.arguments.at(1).c_str(), &options, nullptr));
    calls.push_back(clients.back().begin("hello"));
  }
  int refused = 0;
  std::string reason;
  for (openxpc_call_t one : calls) {
    answer got = session::wait(one);
    refused += got.code == OPENXPC_ERROR_LAUNCH_FAILED;
    reason = got.message;
  }
  xpc_testing::say(std::to_string(refused));
  xpc_testing::say(reason);
  return 0;
}

/// meddler FILE: the first time it clears O_NONBLOCK of its socket, shrinks its backlog and leaves;
/// once FILE is there it stays, and accepts nobody.
XPC_TEST_ROLE(meddler) {
  constexpr int socket = 3;
  if (::access(call.arguments.at(0).c_str(), F_OK) == 0) {
    for (;;) ::pause();
  }
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) & ~O_NONBLOCK);
  return ::listen(socket, 0);
}

namespace {

class Crowds : public ::testing::Test {
 protected:
  manager xpcd{xpc_testing::runtime_directory() + "/domain"};
  const std::string name = "org.example.echo";

  std::int64_t waiting_at(const std::string& label) const {
    object_ref job = xpcd.print(label);
    xpc_object_t names = ::xpc_dictionary_get_value(job.get(), "names");
    return ::xpc_dictionary_get_int64(::xpc_array_get_value(names, 0), "waiting");
  }
};

TEST_F(Crowds, FiveThousandConnectionsToAServiceThatStandsStillAreAllServed) {
  rlimit limit;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int each = xpc_testing::has_sanitizer ? 300 : 1000, crowds = 5;
  if (limit.rlim_cur < static_cast<rlim_t>(each * crowds * 2 + 200))
    GTEST_SKIP() << "NOT SHOWN: needs " << each * crowds * 2 + 200 << " descriptors";
  ASSERT_TRUE(xpcd.bootstrap(plist("echo", role("echo", {name}), {name})));
  session first = xpcd.open(name);
  answer got = first.call("hello");
  ASSERT_TRUE(got) << got.message;
  const auto service = static_cast<pid_t>(number_at(got.reply, "pid"));
  ASSERT_EQ(::kill(service, SIGSTOP), 0);
  std::vector<xpc_testing::child> all;
  for (int i = 0; i < crowds; ++i) {
    all.push_back(xpc_testing::child::role(
        "crowd", {.arguments = {xpcd.directory(), name, std::to_string(each)}}));
  }
  // The queue of the socket holds 4,096; who does not fit comes again.
  xpc_testing::wait_until("the connections to wait", [&] {
    return waiting_at("echo") >= std::min<std::int64_t>(each * crowds, 4096);
  });
  ASSERT_EQ(::kill(service, SIGCONT), 0);
  for (xpc_testing::child& one : all) one.expect_line(std::to_string(each));
  EXPECT_EQ(number_at(xpcd.print("echo"), "starts"), 1);
  EXPECT_EQ(number_at(first.call("hello").reply, "pid"), service);
  for (xpc_testing::child& one : all) {
    one.write_line("enough");
    EXPECT_EQ(one.wait().status, 0);
  }
}

TEST_F(Crowds, T62_UnderAThousandConnectsAServiceThatDiesIsStartedFiveTimesAndAllHearWhy) {
  ASSERT_TRUE(xpcd.bootstrap(plist("hopeless", role("hopeless"), {"org.example.hopeless"},
                                   "<key>ThrottleInterval</key><integer>1</integer>")));
  const int each = xpc_testing::has_sanitizer ? 50 : 250;
  std::vector<xpc_testing::child> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(xpc_testing::child::role(
        "refused_crowd",
        {.arguments = {xpcd.directory(), "org.example.hopeless", std::to_string(each)}}));
  }
  for (xpc_testing::child& one : all) {
    EXPECT_EQ(one.read_line(), std::to_string(each));
    const std::string reason = one.read_line().value_or("");
    EXPECT_NE(reason.find("exited with status 3"), std::string::npos) << reason;
    EXPECT_NE(reason.find("cannot open the database"), std::string::npos) << reason;
    EXPECT_EQ(one.wait().status, 0);
  }
  object_ref job = xpcd.print("hopeless");
  EXPECT_EQ(text_at(job, "state"), "failed");
  EXPECT_EQ(number_at(job, "starts"), 5);
}

TEST_F(Crowds, WithoutADescriptorTheBootstrapThatNeedsOneFailsAndNamesTheLimit) {
  ASSERT_TRUE(xpcd.bootstrap(plist("echo", role("echo", {name}), {name})));
  const auto most = static_cast<rlim_t>(xpc_testing::descriptor_count(xpcd.pid()) + 100);
  const rlimit few{most, most};
  ASSERT_EQ(::prlimit(xpcd.pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  answer refused;
  int loaded = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string label = "job." + std::to_string(i);
    refused = xpcd.bootstrap(plist(label, {"/bin/true"}, {label + ".a", label + ".b"}));
    if (!refused) break;
    ++loaded;
  }
  ASSERT_FALSE(refused);
  EXPECT_GT(loaded, 5);
  const std::string last = "job." + std::to_string(loaded);
  EXPECT_EQ(refused.message.find(last + ": "), 0u) << refused.message;
  EXPECT_NE(refused.message.find("xpcd may have " + std::to_string(most) + " descriptors"),
            std::string::npos)
      << refused.message;
  // Nothing of it is left, and what was loaded before can be launched.
  EXPECT_FALSE(xpcd.verb("print", last));
  for (const char* end : {".a", ".b"})
    EXPECT_FALSE(std::filesystem::exists(xpcd.directory() + "/" + last + end));
  answer got = xpcd.open(name).call("hello");
  ASSERT_TRUE(got) << got.message;
  // With room again the same description loads.
  ASSERT_TRUE(xpcd.verb("bootout", "job.0"));
  ASSERT_TRUE(xpcd.verb("bootout", "job.1"));
  // Their sockets are closed once whoever waited there was told.
  xpc_testing::wait_until("the description to load", [&] {
    return static_cast<bool>(
        xpcd.bootstrap(plist(last, {"/bin/true"}, {last + ".a", last + ".b"})));
  });
}

TEST_F(Crowds, T62_AServiceThatMeddlesWithItsSocketHarmsNobodyAndIsLogged) {
  const std::string file = xpc_testing::runtime_directory() + "/stay";
  const std::string other = "org.example.meddler";
  ASSERT_TRUE(xpcd.bootstrap(plist("echo", role("echo", {name}), {name})));
  ASSERT_TRUE(xpcd.bootstrap(plist("meddler", role("meddler", {file}), {other})));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 1; i <= 20; ++i) {
    ASSERT_TRUE(xpcd.verb("kickstart", "meddler"));
    xpc_testing::wait_until("it to leave", [&] {
      object_ref job = xpcd.print("meddler");
      return number_at(job, "starts") == i && text_at(job, "state") == "waiting";
    });
    EXPECT_TRUE(xpcd.open(name).call("hello")) << "others are served";
  }
  const auto tens =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin)
          .count() /
      10;
  const std::string log = xpcd.log();
  const std::string line = "xpcd: meddler: its socket of " + other +
                           " is set right: O_NONBLOCK was cleared, the backlog was shrunk to 0";
  std::size_t lines = 0;
  for (std::size_t at = log.find(line); at != std::string::npos; at = log.find(line, at + 1))
    ++lines;
  EXPECT_GE(lines, 1u) << log;
  EXPECT_LE(lines, static_cast<std::size_t>(10 * (tens + 2)));
  // Without effect: a crowd finds room in the queue.
  std::ofstream(file).flush();
  ASSERT_TRUE(xpcd.verb("kickstart", "meddler"));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", xpcd.directory().c_str(),
                other.c_str());
  std::vector<openxpc::base::fd> all;
  for (int i = 0; i < 64; ++i) {
    all.emplace_back(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::connect(all.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0)
        << i;
  }
}

}  // namespace
