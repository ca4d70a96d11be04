// Files on a file system that never answers: behind a job's paths, beside an application, and as
// descriptors in messages.

#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "attack/hung_mount.hpp"
#include "system/application.hpp"
#include "system/manager.hpp"

using namespace system_test;
using attack::hung_mount;

namespace {

class HungFiles : public ::testing::Test {
 protected:
  void mount(const std::string& directory, hung_mount::server how) {
    std::filesystem::create_directories(directory);
    hung.emplace(directory, how);
    if (!*hung) GTEST_SKIP() << "NOT SHOWN: " << hung->why_not();
  }
  void start() {
    xpcd.emplace(root + "/domain");
    ASSERT_TRUE(xpcd->bootstrap(plist("echo", role("echo", {name}), {name})));
  }
  void TearDown() override {
    // A process of which a thread hangs where nothing can wake it ends when it is let go.
    hung.reset();
    xpcd.reset();
  }
  /// It cannot be started, for this reason, and xpcd goes on.
  void expect_refused(const std::string& label, const std::string& reason) {
    for (int round = 0; round < 3; ++round) {
      answer refused = xpcd->verb("kickstart", label);
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.message.find(label + ": cannot be started: " + reason), 0u)
          << refused.message;
      EXPECT_NE(refused.message.find("its file system does not answer"), std::string::npos)
          << refused.message;
    }
    EXPECT_EQ(text_at(xpcd->print(label), "state"), "failed");
    EXPECT_TRUE(xpcd->open(name).call("hello")) << "others are served";
  }

  const std::string root = xpc_testing::runtime_directory();
  const std::string place = root + "/hung";
  const std::string name = "org.example.echo";
  std::optional<hung_mount> hung;
  std::optional<manager> xpcd;
};

TEST_F(HungFiles, T45_AJobWhoseProgramDoesNotAnswerIsRefusedAndSoAreItsClients) {
  mount(place, hung_mount::server::silent);
  if (IsSkipped()) return;
  start();
  ASSERT_TRUE(xpcd->bootstrap(plist("job", {place + "/program"}, {"org.example.job"})))
      << "what is not there yet may come";
  expect_refused("job", place + "/program");
  answer told = xpcd->open("org.example.job").call("hello");
  EXPECT_EQ(told.code, OPENXPC_ERROR_LAUNCH_FAILED) << told.message;
  EXPECT_NE(told.message.find("its file system does not answer"), std::string::npos)
      << told.message;
  EXPECT_TRUE(xpcd->verb("bootout", "job"));
}

TEST_F(HungFiles, T45_AServiceManagerThatWouldStandStillWithItStaysWhatItIs) {
  mount(place, hung_mount::server::silent);
  if (IsSkipped()) return;
  start();
  ASSERT_TRUE(xpcd->bootstrap(plist("job", {place + "/program"}, {})));
  expect_refused("job", place + "/program");
  object_ref order = dictionary();
  set(order, "op", "upgrade-manager");
  set(order, "request-id", "1");
  ::xpc_dictionary_set_bool(order.get(), "force", true);
  const answer refused = xpcd->ask(order);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.message.find("xpcd stays as it is: " + place), 0u) << refused.message;
  EXPECT_NE(refused.message.find("its file system does not answer"), std::string::npos)
      << refused.message;
  EXPECT_TRUE(xpcd->open(name).call("hello")) << "others are served";
  // With the file system gone nothing is in the way.
  hung.reset();
  xpc_testing::wait_until("it to become another one", [&] {
    const answer done = xpcd->ask(order);
    return done && text_at(done.reply, "result") == "upgraded";
  });
  EXPECT_TRUE(xpcd->open(name).call("hello"));
}

TEST_F(HungFiles, T45_SoIsOneWhoseOutputOrDirectoryDoesNotAnswer) {
  mount(place, hung_mount::server::silent);
  if (IsSkipped()) return;
  start();
  for (const char* key : {"StandardErrorPath", "StandardOutPath", "StandardInPath"}) {
    ASSERT_TRUE(xpcd->bootstrap(
        plist(key, {"/bin/true"}, {},
              std::string("<key>") + key + "</key><string>" + place + "/file</string>")));
    expect_refused(key, std::string(key) + " " + place + "/file");
  }
  ASSERT_TRUE(
      xpcd->bootstrap(plist("directory", {"/bin/true"}, {},
                            "<key>WorkingDirectory</key><string>" + place + "/deep</string>")));
  expect_refused("directory", "WorkingDirectory " + place + "/deep");
  // Printing it looks at its errors.
  EXPECT_EQ(text_at(xpcd->print("StandardErrorPath"), "state"), "failed");
}

TEST_F(HungFiles, T45_PathsThatDoNotAnswerAreNotWatchedAndStartNothing) {
  mount(place, hung_mount::server::silent);
  if (IsSkipped()) return;
  start();
  const std::string in_place = "<string>" + place + "/deep</string>";
  for (const char* key : {"WatchPaths", "QueueDirectories"}) {
    ASSERT_TRUE(xpcd->bootstrap(
        plist(key, {"/bin/true"}, {},
              std::string("<key>") + key + "</key><array>" + in_place + "</array>")));
  }
  for (const char* wanted : {"true", "false"}) {
    ASSERT_TRUE(xpcd->bootstrap(plist(wanted, {"/bin/true"}, {},
                                      "<key>KeepAlive</key><dict><key>PathState</key><dict><key>" +
                                          place + "/deep</key><" + wanted + "/></dict></dict>")));
  }
  for (const char* label : {"WatchPaths", "QueueDirectories", "true", "false"})
    EXPECT_EQ(number_at(xpcd->print(label), "starts"), 0) << label;
  EXPECT_TRUE(xpcd->open(name).call("hello")) << "others are served";
  const std::string socket =
      "<key>Sockets</key><dict><key>door</key><dict><key>SockPathName</key>" + in_place +
      "</dict></dict>";
  answer refused = xpcd->bootstrap(plist("socket", {"/bin/true"}, {}, socket));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.message.find(place + "/deep: its file system does not answer"),
            std::string::npos)
      << refused.message;
}

TEST_F(HungFiles, T45_ADescriptionThatDoesNotAnswerIsLeftOutAlone) {
  mount(place, hung_mount::server::silent);
  if (IsSkipped()) return;
  const std::string jobs = root + "/jobs";
  std::filesystem::create_directory(jobs);
  for (const char* label : {"a", "b", "d", "e"})
    std::ofstream(jobs + "/" + label + ".plist") << plist(label, {"/bin/true"});
  std::filesystem::create_symlink(place + "/file", jobs + "/c.plist");
  xpcd.emplace(root + "/domain", std::vector<std::string>{"--jobs", jobs});
  for (const char* label : {"a", "b", "d", "e"})
    EXPECT_EQ(text_at(xpcd->print(label), "state"), "waiting") << label;
  EXPECT_FALSE(xpcd->verb("print", "c"));
  EXPECT_NE(xpcd->log().find(jobs + "/c.plist: its file system does not answer"), std::string::npos)
      << xpcd->log();
}

TEST_F(HungFiles, T45_OutputThatHangsAtClosingHoldsUpItsJobAlone) {
  mount(place, hung_mount::server::deaf_at_closing);
  if (IsSkipped()) return;
  start();
  ASSERT_TRUE(xpcd->bootstrap(plist(
      "job", {"/bin/true"}, {}, "<key>StandardOutPath</key><string>" + place + "/file</string>")));
  EXPECT_TRUE(xpcd->verb("kickstart", "job"));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(xpcd->open(name).call("hello")) << "others are served";
}

TEST_F(HungFiles, T45_AnApplicationWhoseBundlesDoNotAnswerHangsNobodyElse) {
  const std::string contents = root + "/Demo.app/Contents";
  const std::string program = contents + "/MacOS/Demo";
  install_program(program);
  mount(contents + "/XPCServices", hung_mount::server::silent);
  if (IsSkipped()) return;
  start();
  application demo(program, xpcd->directory());
  for (int round = 0; round < 3; ++round) {
    const std::string said = demo.say("control " + xpcd->directory() + " org.example.helper 1");
    EXPECT_NE(said.find("its file system does not answer"), std::string::npos) << said;
  }
  EXPECT_TRUE(xpcd->open(name).call("hello")) << "others are served";
}

/// hung_sender SOCKET FILE: sends messages with a descriptor of that file, which it does not live
/// to close.
XPC_TEST_ROLE(hung_sender) {
  const int file = ::open(call.arguments.at(1).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 1;
  const object_ref endpoint(
      ::openxpc_endpoint_create_from_fd(::open(call.arguments.at(0).c_str(), O_PATH | O_CLOEXEC)));
  const session talk(::openxpc_session_open_endpoint(static_cast<xpc_endpoint_t>(endpoint.get()),
                                                     nullptr, nullptr));
  if (!talk) return 1;
  for (int left = 5; left > 0; --left) {
    object_ref message = dictionary();
    set(message, "op", "hello");
    ::xpc_dictionary_set_fd(message.get(), "file", file);
    if (::openxpc_peer_send(talk.get(), message.get()) != nullptr) return 1;
    xpc_testing::say("sent");
    // Let go of only by the end of the process: to close a copy hangs.
    (void)message.release();
  }
  xpc_testing::hear();
  return 0;
}

TEST_F(HungFiles, T45_DescriptorsThatHangAtClosingHoldUpNeitherServiceNorManager) {
  mount(place, hung_mount::server::deaf_at_closing);
  if (IsSkipped()) return;
  start();
  session before = xpcd->open(name);
  answer got = before.call("hello");
  ASSERT_TRUE(got) << got.message;
  for (const std::string& whom : {name, std::string(".control")}) {
    xpc_testing::child sender = xpc_testing::child::role(
        "hung_sender", {.arguments = {xpcd->directory() + "/" + whom, place + "/file"}});
    for (int i = 0; i < 5; ++i) sender.expect_line("sent");
    for (int i = 0; i < 50; ++i) {
      answer again = before.call("hello");
      ASSERT_TRUE(again) << again.message;
    }
    EXPECT_TRUE(xpcd->open(name).call("hello")) << "a newcomer is served";
    EXPECT_EQ(text_at(xpcd->print("echo"), "state"), "running");
    sender.kill(SIGKILL);
    // It may hang at its own end as long as the file system does.
    hung.reset();
    sender.wait();
    if (whom == name) mount(place, hung_mount::server::deaf_at_closing);
  }
}

}  // namespace
