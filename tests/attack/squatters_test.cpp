// Other users that go for names, for a privileged client's variables, and for what root starts.
// Root's alone, since nobody else can be somebody else.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"
#include "support/sanitizers.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "system/manager.hpp"

using namespace system_test;
using openxpc::base::fd;

namespace {

constexpr uid_t nobody = 65534;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  return address;
}

bool bind_at(int socket, const std::string& path) {
  const sockaddr_un address = address_of(path);
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void become_nobody() {
  if (::setgid(nobody) != 0 || ::setuid(nobody) != 0) throw std::runtime_error("cannot be nobody");
}

/// Does something again and again until the test says that it is enough.
template <class F>
long again_until_told(F work) {
  std::atomic<bool> enough{false};
  std::thread waits([&enough] {
    xpc_testing::hear();
    enough = true;
  });
  long times = 0;
  while (!enough) {
    work();
    if (++times == 1) xpc_testing::say("at work");
  }
  waits.join();
  return times;
}

}  // namespace

/// squatter DIRECTORY NAME OWN: another user, who tries to have the name in every way; what it may
/// write is in OWN. Says how often it succeeded.
XPC_TEST_ROLE(squatter) {
  become_nobody();
  const std::string target = call.arguments.at(0) + "/" + call.arguments.at(1);
  const std::string own = call.arguments.at(2);
  long successes = 0;
  const fd evil(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!bind_at(evil.get(), own + "/evil") || ::listen(evil.get(), 16) != 0) return 1;
  again_until_told([&] {
    const fd other(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    for (const std::string& place :
         {target, call.arguments.at(0) + "/." + call.arguments.at(1) + ".new"}) {
      successes += bind_at(other.get(), place);
      successes += ::rename((own + "/evil").c_str(), place.c_str()) == 0;
      successes += ::link((own + "/evil").c_str(), place.c_str()) == 0;
      successes += ::symlink((own + "/evil").c_str(), place.c_str()) == 0;
      successes += ::unlink(place.c_str()) == 0;
      successes += ::chmod(place.c_str(), 0777) == 0;
    }
  });
  pollfd look{evil.get(), POLLIN, 0};
  successes += ::poll(&look, 1, 0);
  xpc_testing::say(std::to_string(successes));
  return 0;
}

/// opens NAME: opens a session by its name, with whatever the environment says; says what came.
XPC_TEST_ROLE(opens) {
  xpc_rich_error_t error = nullptr;
  session opened(::openxpc_session_open(call.arguments.at(0).c_str(), nullptr, &error));
  if (!opened) {
    xpc_testing::say(::openxpc_error_get_message(error));
    ::xpc_release(error);
    return 0;
  }
  xpc_testing::say("opened");
  xpc_testing::say(opened.call("hello").message);
  return 0;
}

/// swapper PATH MARKER: another user, who puts one thing after the other at the path.
XPC_TEST_ROLE(swapper) {
  become_nobody();
  const std::string path = call.arguments.at(0), beside = path + ".mine";
  const std::string evil = "#!/bin/sh\nid -u >> " + call.arguments.at(1) + "\n";
  again_until_told([&] {
    std::ofstream(beside) << evil;
    ::chmod(beside.c_str(), 0755);
    ::rename(beside.c_str(), path.c_str());
    (void)!::symlink("/bin/true", beside.c_str());
    ::rename(beside.c_str(), path.c_str());
    (void)!::link("/bin/true", beside.c_str());
    ::rename(beside.c_str(), path.c_str());
    ::unlink(path.c_str());
  });
  return 0;
}

/// two_domains USERS_DIRECTORY: a machine of its own with the domain of the system and that of
/// another user. Says what became of the user's jobs, then what the user's xpcd said of them.
XPC_TEST_ROLE(two_domains) {
  const std::string& users = call.arguments.at(0);
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("run", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0) {
    xpc_testing::say("no mounts");
    return 0;
  }
  xpc_testing::child system = xpc_testing::child::program(
      xpc_testing::xpcd_program,
      {.arguments = {"--system", "--ready-fd", "1", "--state", users + "/../state"},
       .keep_stderr = true});
  system.expect_line("ready");
  const auto bootstrap = [](const std::string& directory, const std::string& list) {
    object_ref request = dictionary();
    set(request, "op", "bootstrap");
    set(request, "origin", "test.plist");
    ::xpc_dictionary_set_data(request.get(), "plist", list.data(), list.size());
    const answer result = ask_control(directory, request);
    return result ? std::string("loaded") : result.message;
  };
  xpc_testing::say(
      bootstrap("/run/xpc", for_anybody(plist("daemon", {"/bin/true"}, {"org.example.daemon"}))));
  xpc_testing::say(
      bootstrap("/run/xpc", with_options(plist("shy", {"/bin/true"}, {"org.example.shy"}),
                                         "<key>AllowAnyPeer</key><true/>"
                                         "<key>HideUntilCheckIn</key><true/>")));
  xpc_testing::child user = xpc_testing::child::program(
      "/usr/bin/setpriv", {.arguments = {"--reuid=65534", "--regid=65534", "--clear-groups",
                                         xpc_testing::xpcd_program, "--ready-fd", "1"},
                           .environment = {"XDG_RUNTIME_DIR=" + users, "HOME=" + users},
                           .keep_stderr = true});
  user.expect_line("ready");
  const std::string domain = users + "/xpc";
  xpc_testing::say(bootstrap(
      domain, plist("squatter", {"/bin/true"}, {"org.example.mine", "org.example.daemon"})));
  xpc_testing::say(bootstrap(domain, plist("other", {"/bin/true"}, {"org.example.shy"})));
  xpc_testing::say(bootstrap(domain, plist("honest", {"/bin/true"}, {"org.example.mine"})));
  constexpr int tries = 200;
  for (int i = 0; i < tries; ++i) {
    (void)bootstrap(domain, plist("squatter", {"/bin/true"}, {"org.example.daemon"}));
  }
  const std::string log = user.error_text();
  int lines = 0;
  for (std::size_t at = 0; (at = log.find("squatter: refused: ", at)) != std::string::npos; ++at) {
    ++lines;
  }
  xpc_testing::say(lines > 0 && lines < tries / 2 ? "logged now and then"
                                                  : std::to_string(lines) + " lines");
  for (xpc_testing::child* one : {&user, &system}) {
    one->kill(SIGTERM);
    one->wait();
  }
  return 0;
}

namespace {

class OtherUsers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: needs root to be somebody else";
    ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
    ASSERT_EQ(::mkdir(own.c_str(), 0700), 0);
    ASSERT_EQ(::chown(own.c_str(), nobody, nobody), 0);
  }
  const std::string root = xpc_testing::runtime_directory();
  const std::string own = root + "/own";  // what the other user may write
  const std::string name = "org.example.echo";
};

TEST_F(OtherUsers, T52_NobodyTakesANameWhileXpcdDiesAHundredTimes) {
  ASSERT_EQ(::mkdir((root + "/domain").c_str(), 0755), 0);
  manager xpcd(root + "/domain");
  answer loaded = xpcd.bootstrap(plist("echo", role("echo", {name}), {name}));
  ASSERT_TRUE(loaded) << loaded.message;
  session client = xpcd.open(name);
  answer first = client.call("hello");
  ASSERT_TRUE(first) << first.message;
  xpc_testing::child squatter =
      xpc_testing::child::role("squatter", {.arguments = {xpcd.directory(), name, own}});
  squatter.expect_line("at work");
  const int times = xpc_testing::has_sanitizer ? 15 : 100;
  for (int i = 0; i < times; ++i) {
    xpcd.kill();
    // While nobody manages the names, and when the next one has come.
    EXPECT_TRUE(client.call("hello"));
    xpcd.start();
    answer late = xpcd.open(name).call("hello");
    ASSERT_TRUE(late) << late.message;
    EXPECT_EQ(number_at(late.reply, "pid"), number_at(first.reply, "pid"));
  }
  squatter.write_line("enough");
  squatter.expect_line("0");
  EXPECT_EQ(squatter.wait().status, 0);
}

TEST_F(OtherUsers, T52_AUsersDomainDoesNotLoadWhatHasANameOfTheSystem) {
  xpc_testing::child both = xpc_testing::child::role("two_domains", {.arguments = {own}});
  const std::string first = both.read_line().value_or("");
  if (first == "no mounts") {
    both.wait();
    GTEST_SKIP() << "NOT SHOWN: a file system of its own cannot be mounted here";
  }
  EXPECT_EQ(first, "loaded");
  both.expect_line("loaded");
  const std::string behind = " is the system's, in /run/xpc, and no job of a user may have it";
  both.expect_line("squatter: the name org.example.daemon" + behind);
  both.expect_line("other: the name org.example.shy" + behind);
  both.expect_line("loaded");  // with the name that the refused one would have had as well
  both.expect_line("logged now and then");
  EXPECT_EQ(both.wait().status, 0);
}

TEST_F(OtherUsers, T53_PrivilegedClientsTakeNoDomainFromTheEnvironment) {
  // Whoever is led there finds somebody.
  ASSERT_EQ(::mkdir((own + "/xpc").c_str(), 0755), 0);
  std::vector<fd> traps;
  for (const std::string& file : {name, std::string(".control")}) {
    traps.emplace_back(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ASSERT_TRUE(bind_at(traps.back().get(), own + "/xpc/" + file));
    ASSERT_EQ(::listen(traps.back().get(), 16), 0);
    ASSERT_EQ(::chmod((own + "/xpc/" + file).c_str(), 0666), 0);
  }
  ASSERT_EQ(::chown((own + "/xpc").c_str(), nobody, nobody), 0);
  ASSERT_EQ(::chmod(own.c_str(), 0755), 0);
  const std::vector<std::string> hostile{"XDG_RUNTIME_DIR=" + own, "OPENXPC_DOMAIN=" + own + "/xpc",
                                         "HOME=" + own};
  const auto somebody_came = [&] {
    bool came = false;
    for (const fd& one : traps) {
      pollfd look{one.get(), POLLIN, 0};
      came = ::poll(&look, 1, 0) > 0 || came;
    }
    return came;
  };
  const std::string set_uid = root + "/set-uid";
  std::filesystem::copy_file(xpc_testing::this_program(), set_uid);
  ASSERT_EQ(::chmod(set_uid.c_str(), 04755), 0);
  const std::vector<std::string> arguments{"--xpc-role=opens", name};
  std::vector<std::string> as_nobody{"--reuid=65534", "--regid=65534", "--clear-groups", set_uid};
  as_nobody.insert(as_nobody.end(), arguments.begin(), arguments.end());
  const std::pair<std::string, xpc_testing::child_options> clients[] = {
      {xpc_testing::this_program(), {.arguments = arguments, .environment = hostile}},
      {"/usr/bin/setpriv", {.arguments = as_nobody, .environment = hostile}}};
  for (const auto& [program, options] : clients) {
    SCOPED_TRACE(program);
    xpc_testing::child_options given = options;
    given.keep_stderr = true;
    const xpc_testing::run_result got = xpc_testing::run(program, given);
    EXPECT_EQ(got.end.status, 0) << got.error;
    // The domain of the system, or the reason why there is none.
    EXPECT_EQ(got.output.find("opened"), std::string::npos) << got.output;
    EXPECT_NE(got.output.find("/run/xpc"), std::string::npos) << got.output;
    EXPECT_EQ(got.output.find(own), std::string::npos) << got.output;
    EXPECT_FALSE(somebody_came());
  }
  // The honest case: the same program without privilege, in its own user's directory.
  const std::string plain = root + "/plain";
  std::filesystem::copy_file(xpc_testing::this_program(), plain);
  ASSERT_EQ(::chmod(plain.c_str(), 0755), 0);
  as_nobody[3] = plain;
  xpc_testing::child honest = xpc_testing::child::program(
      "/usr/bin/setpriv", {.arguments = as_nobody, .environment = hostile});
  honest.expect_line("opened");
  xpc_testing::wait_until("it to connect", somebody_came);
  honest.kill(SIGKILL);
  honest.wait();
}

TEST_F(OtherUsers, T58_WhatIsSwappedAtRandomMomentsIsNeverStartedByRoot) {
  // Everybody may write here, as in /tmp.
  const std::string open = root + "/open";
  ASSERT_EQ(::mkdir(open.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(open.c_str(), 01777), 0);
  std::filesystem::copy_file("/bin/true", open + "/tool");
  manager xpcd(root + "/domain", {"--system"});
  ASSERT_TRUE(xpcd.bootstrap(plist("tool", {open + "/tool"})));
  EXPECT_TRUE(xpcd.verb("kickstart", "tool")) << "root's own file is started";
  std::filesystem::remove(open + "/tool");
  xpc_testing::child swapper =
      xpc_testing::child::role("swapper", {.arguments = {open + "/tool", open + "/marker"}});
  swapper.expect_line("at work");
  const int times = xpc_testing::has_sanitizer ? 60 : 300;
  int refused = 0;
  for (int i = 0; i < times; ++i) {
    answer started = xpcd.verb("kickstart", "tool");
    if (started) continue;  // a link to /bin/true itself: root's file
    ++refused;
    EXPECT_EQ(started.message.find("tool: cannot be started: "), 0u) << started.message;
    EXPECT_NE(started.message.find(open + "/tool"), std::string::npos) << started.message;
  }
  swapper.write_line("enough");
  EXPECT_EQ(swapper.wait().status, 0);
  EXPECT_GT(refused, 0);
  EXPECT_FALSE(std::filesystem::exists(open + "/marker")) << "root ran somebody else's program";
}

}  // namespace
