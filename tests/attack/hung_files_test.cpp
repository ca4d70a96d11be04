// Files on a file system that never answers: behind a job's paths, beside an application, and as
// descriptors in messages.

#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>

#include "attack/hung_mount.hpp"
#include "system/application.hpp"
#include "system/manager.hpp"

using namespace system_test;
using attack::hung_mount;

namespace {

class HungFiles : public ::testing::Test {
 protected:
  void mount(const std::string& directory, hung_mount::server how,
             const std::string& program = {}) {
    std::filesystem::create_directories(directory);
    hung.emplace(directory, how, program);
    if (!*hung) GTEST_SKIP() << "NOT SHOWN: " << hung->why_not();
  }
  /// @param more  options of its own
  void start(std::vector<std::string> more = {}) {
    xpcd.emplace(root + "/domain", std::move(more));
    ASSERT_TRUE(xpcd->bootstrap(plist("echo", role("echo", {name}), {name})));
  }
  /// Somebody's call of a verb, which may take as long as it likes.
  std::future<answer> begin(const char* op, const std::string& label) {
    return std::async(std::launch::async,
                      [directory = xpcd->directory(), op = std::string(op), label] {
                        object_ref request = dictionary();
                        set(request, "op", op);
                        set(request, "label", label);
                        return ask_control(directory, request);
                      });
  }
  /// Whatever xpcd waits for, others are served: old jobs, new ones, and who asks.
  void expect_others_served(const std::string& label) {
    ASSERT_TRUE(xpcd->bootstrap(plist(label, role("echo", {label}), {label})));
    EXPECT_TRUE(xpcd->open(label).call("hello")) << "another job is launched";
    EXPECT_TRUE(xpcd->open(name).call("hello")) << "others are served";
    object_ref request = dictionary();
    set(request, "op", "list");
    EXPECT_TRUE(xpcd->ask(request));
    EXPECT_EQ(text_at(xpcd->print(label), "state"), "running");
  }
  static bool is_over(const std::future<answer>& call) {
    return call.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  /// The program at `place`, of which nothing is known but that it can be looked at.
  std::vector<std::string> in_place(std::vector<std::string> arguments) const {
    arguments.front() = place + "/program";
    return arguments;
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

// With all the time in the world xpcd gives nothing up: what it does meanwhile, it does beside it.
const std::vector<std::string> patient{"--file-time", "100000"};

TEST_F(HungFiles, T45_OthersAreServedWhileALookAtAProgramHangs) {
  mount(place, hung_mount::server::deaf_at_looks);
  if (IsSkipped()) return;
  start(patient);
  ASSERT_TRUE(xpcd->bootstrap(plist("job", {place + "/program"}, {"org.example.job"})));
  hung->wait_until_asked();
  std::future<answer> started = begin("kickstart", "job");
  xpcd->wait_for_state("job", "starting");
  std::future<answer> another = begin("kickstart", "job");
  expect_others_served("org.example.other");
  EXPECT_FALSE(is_over(started) || is_over(another));
  // One look is under way there, and the next begins when that has ended.
  hung->let_go();
  hung->wait_until_asked();
  expect_others_served("org.example.more");
  EXPECT_FALSE(is_over(started) || is_over(another));
  hung->let_go();
  for (std::future<answer>* one : {&started, &another}) {
    const answer refused = one->get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.message,
              "job: cannot be started: " + place + "/program: No such file or directory");
  }
}

TEST_F(HungFiles, T45_OthersAreServedWhileALookAtWhatAJobWritesHangs) {
  mount(place, hung_mount::server::deaf_at_looks);
  if (IsSkipped()) return;
  start(patient);
  ASSERT_TRUE(
      xpcd->bootstrap(plist("job", {"/bin/true"}, {},
                            "<key>StandardErrorPath</key><string>" + place + "/file</string>")));
  std::future<answer> started = begin("kickstart", "job");
  hung->wait_until_asked();
  xpcd->wait_for_state("job", "starting");
  expect_others_served("org.example.other");
  EXPECT_FALSE(is_over(started));
  // Printing it looks there, too.
  EXPECT_NE(texts_at(xpcd->print("job"), "stderr").at(0).find("has not answered yet"),
            std::string::npos);
  // Whoever wants it gone does not wait for that.
  EXPECT_TRUE(xpcd->verb("bootout", "job"));
  EXPECT_FALSE(started.get());
  hung->let_go();
}

TEST_F(HungFiles, T45_OthersAreServedWhileAnExecHangsAndTheProgramStartsWhenItIsRead) {
  mount(place, hung_mount::server::deaf_at_exec, xpc_testing::this_program());
  if (IsSkipped()) return;
  start(patient);
  const std::string service = "org.example.job";
  ASSERT_TRUE(xpcd->bootstrap(plist("job", in_place(role("echo", {service})), {service})));
  for (int round = 0; round < 5; ++round) {
    std::future<answer> started = begin("kickstart", "job");
    hung->wait_until_asked();
    expect_others_served("org.example.other" + std::to_string(round));
    EXPECT_EQ(text_at(xpcd->print("job"), "state"), "starting");
    EXPECT_FALSE(is_over(started));
    hung->let_go();
    const answer done = started.get();
    ASSERT_TRUE(done) << done.message;
    const answer served = xpcd->open(service).call("hello");
    ASSERT_TRUE(served) << served.message;
    EXPECT_EQ(number_at(served.reply, "pid"), number_at(done.reply, "pid"));
    object_ref order = dictionary();
    set(order, "op", "exit");
    set(order, "status", std::int64_t{0});
    EXPECT_FALSE(xpcd->open(service).call(order));
    const object_ref ended = xpcd->wait_for_state("job", "waiting");
    EXPECT_EQ(number_at(ended, "last-exit/pid"), number_at(done.reply, "pid"));
    EXPECT_EQ(number_at(ended, "last-exit/status"), 0);
  }
}

TEST_F(HungFiles, T45_AnEndThatComesWithTheEndOfAnExecIsSeen) {
  mount(place, hung_mount::server::deaf_at_exec, "/bin/false");
  if (IsSkipped()) return;
  start(patient);
  ASSERT_TRUE(xpcd->bootstrap(
      plist("job", {place + "/program"}, {}, "<key>ThrottleInterval</key><integer>0</integer>")));
  for (int round = 1; round <= 20; ++round) {
    std::future<answer> started = begin("kickstart", "job");
    hung->wait_until_asked();
    hung->let_go();
    const answer done = started.get();
    ASSERT_TRUE(done) << done.message;
    const object_ref ended = xpcd->wait_for_state("job", "waiting");
    EXPECT_EQ(number_at(ended, "starts"), round);
    EXPECT_EQ(number_at(ended, "last-exit/status"), 1);
  }
}

TEST_F(HungFiles, T45_AProgramThatIsNotReadInTimeIsRefusedAndNeverRuns) {
  mount(place, hung_mount::server::deaf_at_exec, "/bin/touch");
  if (IsSkipped()) return;
  start({"--file-time", "1"});
  ASSERT_TRUE(
      xpcd->bootstrap(plist("job", in_place({"touch", root + "/ran"}), {"org.example.job"})));
  expect_refused("job", place + "/program");
  answer told = xpcd->open("org.example.job").call("hello");
  EXPECT_EQ(told.code, OPENXPC_ERROR_LAUNCH_FAILED) << told.message;
  hung->let_go();
  const pid_t echo = static_cast<pid_t>(number_at(xpcd->print("echo"), "pid"));
  xpc_testing::wait_until("its process to end", [&] {
    std::size_t count = 0;
    for (const auto& thread :
         std::filesystem::directory_iterator("/proc/" + std::to_string(xpcd->pid()) + "/task")) {
      std::ifstream list(thread.path() / "children");
      for (pid_t one = 0; list >> one;) count += one != echo;
    }
    return count == 0;
  });
  EXPECT_FALSE(std::filesystem::exists(root + "/ran"));
  EXPECT_EQ(number_at(xpcd->print("job"), "starts"), 0);
}

TEST_F(HungFiles, T45_AJobWhoseExecHangsCanBeRemovedAndXpcdStopped) {
  mount(place, hung_mount::server::deaf_at_exec, "/bin/touch");
  if (IsSkipped()) return;
  start(patient);
  for (const char* label : {"one", "two"}) {
    ASSERT_TRUE(xpcd->bootstrap(plist(label, in_place({"touch", root + "/ran"}), {label})));
    std::future<answer> started = begin("kickstart", label);
    xpcd->wait_for_state(label, "starting");
    if (label == std::string("one")) {
      hung->wait_until_asked();
      EXPECT_TRUE(xpcd->verb("bootout", label));
      EXPECT_FALSE(started.get());
      EXPECT_EQ(xpcd->open_fails(label), OPENXPC_ERROR_NOT_FOUND);
      expect_others_served("org.example.other");
      continue;
    }
    xpcd->signal(SIGTERM);
    EXPECT_FALSE(started.get());
  }
  // A process of which a thread hangs where nothing can wake it ends when it is let go.
  hung->let_go();
  EXPECT_EQ(xpcd->wait().status, 0);
  EXPECT_FALSE(std::filesystem::exists(root + "/ran"));
}

TEST_F(HungFiles, T45_OthersAreServedWhileALookAtAnApplicationHangs) {
  const std::string program = place + "/Demo";
  mount(place, hung_mount::server::answering, xpc_testing::this_program());
  if (IsSkipped()) return;
  start(patient);
  application demo(program, xpcd->directory());
  hung->become(hung_mount::server::deaf_at_looks);
  std::future<std::string> said = std::async(std::launch::async, [&] {
    return demo.say("control " + xpcd->directory() + " org.example.helper 1");
  });
  hung->wait_until_asked();
  expect_others_served("org.example.other");
  EXPECT_NE(said.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  // The kernel asks once more when what it knew is no longer so.
  xpc_testing::wait_until("the caller to be answered", [&] {
    hung->let_go();
    return said.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
  const std::string answered = said.get();
  EXPECT_NE(answered.find("its executable was moved or replaced"), std::string::npos) << answered;
}

TEST_F(HungFiles, T45_OthersAreServedWhileALookForABundleHangs) {
  const std::string contents = root + "/Demo.app/Contents";
  const std::string program = contents + "/MacOS/Demo";
  install_program(program);
  mount(contents + "/XPCServices", hung_mount::server::deaf_at_looks);
  if (IsSkipped()) return;
  start(patient);
  application demo(program, xpcd->directory());
  std::future<std::string> said = std::async(std::launch::async, [&] {
    return demo.say("control " + xpcd->directory() + " org.example.helper 1");
  });
  hung->wait_until_asked();
  expect_others_served("org.example.other");
  EXPECT_NE(said.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  // Without its server it answers to all that there is nothing.
  hung.reset();
  const std::string answered = said.get();
  EXPECT_NE(answered.find("there is no bundle"), std::string::npos) << answered;
}

TEST_F(HungFiles, T45_WhatIsSaidLateOfAPathStartsItsJob) {
  mount(place, hung_mount::server::deaf_at_looks);
  if (IsSkipped()) return;
  start(patient);
  ASSERT_TRUE(xpcd->bootstrap(plist("job", role("echo", {"org.example.job"}), {"org.example.job"},
                                    "<key>KeepAlive</key><dict><key>PathState</key><dict><key>" +
                                        place + "/deep</key><false/></dict></dict>")));
  hung->wait_until_asked();
  expect_others_served("org.example.other");
  EXPECT_EQ(number_at(xpcd->print("job"), "starts"), 0);
  // It is looked at to be watched, and to know whether it is there.
  xpc_testing::wait_until("the job to be started", [&] {
    hung->let_go();
    return number_at(xpcd->print("job"), "starts") == 1;
  });
}

TEST_F(HungFiles, T45_OthersAreServedWhileALookForAPlaceForASocketHangs) {
  mount(place, hung_mount::server::deaf_at_looks);
  if (IsSkipped()) return;
  start(patient);
  const std::string socket =
      "<key>Sockets</key><dict><key>door</key><dict><key>SockPathName</key><string>" + place +
      "/deep/socket</string></dict></dict>";
  std::future<answer> loaded = std::async(
      std::launch::async, [&] { return xpcd->bootstrap(plist("job", {"/bin/true"}, {}, socket)); });
  hung->wait_until_asked();
  expect_others_served("org.example.other");
  EXPECT_FALSE(is_over(loaded));
  hung->become(hung_mount::server::answering);
  hung->let_go();
  const answer refused = loaded.get();
  EXPECT_NE(refused.message.find("Sockets door " + place + "/deep"), std::string::npos)
      << refused.message;
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
