// What of a client reaches the service that its message launches: not its priority.
#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <fstream>
#include <string>

#include "system/manager.hpp"

/// polite DIR NAME: a client with a low priority that sends one message.
XPC_TEST_ROLE(polite) {
  if (::setpriority(PRIO_PROCESS, 0, 15) != 0) return 1;
  openxpc_conversation_options_s options{};
  options.size = sizeof options;
  options.domain_directory = call.arguments.at(0).c_str();
  system_test::session service(
      ::openxpc_session_open(call.arguments.at(1).c_str(), &options, nullptr));
  if (!service) return 2;
  openxpc_call_t waiting = service.begin("hello");
  xpc_testing::say("sent");
  xpc_testing::hear();
  service.end();
  system_test::session::wait(waiting);
  return 0;
}

namespace system_test {
namespace {

TEST(LaunchPriority, R219_AServiceHasTheJobsPriorityNotThatOfWhoCausedItsLaunch) {
  const std::string root = xpc_testing::runtime_directory(), out = root + "/out";
  manager xpcd(root + "/domain");
  const std::string name = "org.example.priority";
  ASSERT_TRUE(xpcd.bootstrap(plist("job", {"/bin/sh", "-c", "nice"}, {name},
                                   "<key>StandardOutPath</key><string>" + out + "</string>")));
  auto client = xpc_testing::child::role("polite", {.arguments = {xpcd.directory(), name}});
  client.expect_line("sent");
  std::string printed;
  xpc_testing::wait_until("the job to say its priority", [&] {
    std::ifstream file(out);
    return static_cast<bool>(std::getline(file, printed));
  });
  EXPECT_EQ(printed, std::to_string(::getpriority(PRIO_PROCESS, 0)));
  client.close_input();
  EXPECT_EQ(client.wait(), xpc_testing::ending{.status = 0});
}

}  // namespace
}  // namespace system_test
