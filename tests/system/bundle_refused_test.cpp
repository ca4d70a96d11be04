// Who does not get at the services of an application, and which bundles are not believed.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "system/bundle_fixture.hpp"

namespace system_test {
namespace {

namespace fs = std::filesystem;
using openxpc::base::fd;

/// A descriptor of another process's that leads to a socket without a name.
fd steal_endpoint(pid_t from) {
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(from) + "/fd")) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone).string();
    if (target.find("/.private") == std::string::npos) continue;
    return fd(::open(entry.path().c_str(), O_PATH | O_CLOEXEC));
  }
  return {};
}

TEST_F(Bundle, T60_AStolenEndpointLetsNobodyInButTheApplication) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  ASSERT_GT(pid_at(demo), 0) << xpcd.log();
  fd stolen = steal_endpoint(demo.pid());
  ASSERT_TRUE(stolen) << "where the attack begins";
  xpc_endpoint_t endpoint = ::openxpc_endpoint_create_from_fd(stolen.get());
  ASSERT_TRUE(endpoint);
  (void)stolen.release();
  session thief(::openxpc_session_open_endpoint(endpoint, nullptr, nullptr));
  ::xpc_release(endpoint);
  ASSERT_TRUE(thief);
  answer said = thief.call("pid");
  EXPECT_FALSE(said);
  EXPECT_PRED_FORMAT2(has_text, said.message,
                      "this service is private to process " + std::to_string(demo.pid()));
  EXPECT_GT(pid_at(demo, "b"), 0) << "the application itself gets in";
}

TEST_F(Bundle, T60_TheNameIsInNobodysDomain) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory);
  ASSERT_GT(pid_at(demo), 0) << xpcd.log();
  std::string message;
  EXPECT_EQ(xpcd.open_fails(name, &message), OPENXPC_ERROR_NOT_FOUND);
  EXPECT_FALSE(fs::exists(directory + "/" + name));
  object_ref request = dictionary();
  set(request, "op", "list");
  answer jobs = xpcd.ask(request);
  ASSERT_TRUE(jobs);
  EXPECT_EQ(::xpc_array_get_count(::xpc_dictionary_get_array(jobs.reply.get(), "jobs")), 0u);
  object_ref question = dictionary();
  set(question, "op", "why-not");
  set(question, "name", name);
  answer why = xpcd.ask(question);
  ASSERT_TRUE(why);
  xpc_object_t steps = ::xpc_dictionary_get_value(why.reply.get(), "steps");
  ASSERT_EQ(::xpc_array_get_count(steps), 1u);
  EXPECT_PRED_FORMAT2(has_text,
                      ::xpc_dictionary_get_string(::xpc_array_get_value(steps, 0), "text"),
                      "which is private to another application");
  EXPECT_EQ(message, "there is no service " + name + " in " + directory +
                         ": there is a service of that name in a bundle, which is private to "
                         "another application");
  demo.process().kill(SIGKILL);
  xpc_testing::wait_until("the reason to be gone", [&] {
    return xpcd.open_fails(name, &message) == OPENXPC_ERROR_NOT_FOUND &&
           message == "there is no service " + name + " in " + directory;
  });
}

TEST_F(Bundle, T60_WhoAsksForAnothersBundleIsToldOfHisOwnProgram) {
  make_bundle(services, {.identifier = name});
  // This process asks by hand: what it runs has no such bundle.
  object_ref request = dictionary();
  set(request, "op", "private-service");
  set(request, "name", name);
  answer said = xpcd.ask(request);
  EXPECT_EQ(said.code, OPENXPC_ERROR_NOT_FOUND);
  EXPECT_PRED_FORMAT2(has_text, said.message, "there is no bundle of the service " + name);
  // A name is a name and no path.
  set(request, "name", "../" + name);
  said = xpcd.ask(request);
  EXPECT_EQ(said.code, OPENXPC_ERROR_MALFORMED) << said.message;
  set(request, "name", name);
  set(request, "instance", "../../x");
  said = xpcd.ask(request);
  EXPECT_EQ(said.code, OPENXPC_ERROR_MALFORMED) << said.message;
}

TEST_F(Bundle, T60_AnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: needs root to be somebody else";
  if (::access("/usr/bin/setpriv", X_OK) != 0) GTEST_SKIP() << "NOT SHOWN: there is no setpriv";
  for (const std::string& path : {root, directory, root + "/Demo.app", contents})
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  make_bundle(services, {.identifier = name});
  xpc_testing::child_options options;
  options.arguments = {"--reuid=65534", "--clear-groups", program, "--xpc-role=application"};
  xpc_testing::child other = xpc_testing::child::program("/usr/bin/setpriv", options);
  other.expect_line("ready");
  other.write_line("control " + directory + " " + name + " 1");
  EXPECT_PRED_FORMAT2(has_text, other.read_line().value_or(""), "error: ");
  application demo(program, directory);
  EXPECT_GT(pid_at(demo), 0) << xpcd.log();
}

TEST_F(Bundle, T56_AProcessInAnotherMountNamespaceIsRefused) {
  make_bundle(services, {.identifier = name});
  xpc_testing::child_options options;
  options.arguments = {"--mount", "--map-root-user", program, "--xpc-role=application"};
  options.environment = {"OPENXPC_DOMAIN=" + directory};
  xpc_testing::child inside = xpc_testing::child::program("/usr/bin/unshare", options);
  if (inside.read_line() != "ready") GTEST_SKIP() << "NOT SHOWN: no mount namespace can be made";
  inside.write_line("control " + directory + " " + name + " 1");
  EXPECT_PRED_FORMAT2(has_text, inside.read_line().value_or(""),
                      "lives in another mount namespace");
  inside.close_input();
  EXPECT_EQ(inside.wait().status, 0);
}

TEST_F(Bundle, ADeletedOrReplacedExecutableIsRefusedWithTheReason) {
  make_bundle(services, {.identifier = name});
  application demo(program, directory), another(program, directory);
  fs::remove(program);
  EXPECT_PRED_FORMAT2(has_text, demo.ask("a", name, "pid"), "its executable was deleted");
  install_program(root + "/other");
  fs::copy_file("/bin/true", program);
  EXPECT_PRED_FORMAT2(has_text, another.ask("a", name, "pid"), "its executable was ");
}

TEST_F(Bundle, T58_FilesThatSomebodyElseMayChangeAreRefusedByName) {
  const std::string bundle = make_bundle(services, {.identifier = name});
  const std::string info = bundle + "/Contents/Info.plist";
  ASSERT_EQ(::chmod(info.c_str(), 0666), 0);
  EXPECT_PRED_FORMAT2(has_text, refusal(), info + ": others than root");
  ASSERT_EQ(::chmod(info.c_str(), 0644), 0);
  const std::string helper = bundle + "/Contents/MacOS/" + name;
  ASSERT_EQ(::chmod(helper.c_str(), 0777), 0);
  EXPECT_PRED_FORMAT2(has_text, refusal(), "CFBundleExecutable: " + helper + ": others than root");
  ASSERT_EQ(::chmod(helper.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(contents.c_str(), 0777), 0);
  EXPECT_PRED_FORMAT2(has_text, refusal(), contents + ": others than root");
  ASSERT_EQ(::chmod(contents.c_str(), 0755), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(helper.c_str(), 65534, 65534), 0);
    EXPECT_PRED_FORMAT2(has_text, refusal(), helper + ": belongs to uid 65534");
    ASSERT_EQ(::chown(helper.c_str(), 0, 0), 0);
  }
  application demo(program, directory);
  EXPECT_GT(pid_at(demo), 0) << xpcd.log();
}

TEST_F(Bundle, AMistakeInTheInfoPlistIsToldToTheClientWithLineAndKey) {
  const std::string bundle = make_bundle(
      services, {.identifier = name, .service = "<key>ServiceType</key><string>Global</string>\n"});
  const std::string info = bundle + "/Contents/Info.plist";
  EXPECT_PRED_FORMAT2(has_text, refusal(),
                      info + ":5: XPCService/ServiceType: expected Application, User or System");
  std::ofstream(info) << "<plist version=\"1.0\"><dict>\n<key>CFBundleIdentifier</key>"
                         "<string>org.example.another</string></dict></plist>\n";
  EXPECT_PRED_FORMAT2(
      has_text, refusal(),
      info + ": CFBundleIdentifier: expected " + name + ", found org.example.another");
  std::ofstream(info) << "<plist";
  EXPECT_PRED_FORMAT2(has_text, refusal(), info + ":");
}

TEST_F(Bundle, T62_TheServicesOfAnApplicationAreCountedAndBounded) {
  make_bundle(services, {.identifier = name, .service = "<key>_MultipleInstances</key><true/>\n"});
  application demo(program, directory);
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(demo.say("control " + directory + " " + name + " " + std::to_string(i)), "endpoint");
  EXPECT_PRED_FORMAT2(has_text, demo.say("control " + directory + " " + name + " 64"),
                      "has too many services: at most 64");
  // What is there can be asked for again, and others are none the worse.
  EXPECT_EQ(demo.say("control " + directory + " " + name + " 63"), "endpoint");
  application another(program, directory);
  EXPECT_GT(pid_at(another), 0) << xpcd.log();
}

TEST_F(Bundle, AServiceOfTypeSystemIsLeftToTheSystemsServiceManager) {
  make_bundle(services,
              {.identifier = name, .service = "<key>ServiceType</key><string>System</string>\n"});
  application demo(program, directory);
  EXPECT_EQ(demo.say("control " + directory + " " + name + " 1"), "ask system");
}

}  // namespace
}  // namespace system_test
