#include "ported/ported.hpp"

#include "support/child.hpp"
#include "support/patience.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

// Each client is run to its end; what it prints is what its author expects of macOS.

namespace {

using ported::Ported;
using ported::program;
using xpc_testing::run_result;

TEST_F(Ported, EchoServiceIsLaunchedByItsClientAndAnswersInOrder) {
  declare("echo_service", "com.example.echo");
  const run_result result = client("echo_client", {"one", "two", "three"});
  EXPECT_RUN(result, "reply: one\nreply: two\nreply: three\nevent: no reply wanted\n");
}

TEST_F(Ported, EchoServiceThatIsNotThereIsAnErrorForEachRequest) {
  // The last message has no reply handler, so the program would wait for its event for ever: it is
  // told that the connection is invalid, and ended by us.
  xpc_testing::child_options options;
  options.arguments = {"one"};
  options.environment = {"OPENXPC_DOMAIN=" + xpcd_.directory()};
  options.keep_stderr = true;
  auto running = xpc_testing::child::program(program("echo_client"), options);
  xpc_testing::wait_until("the client to be told", [&] {
    return running.error_text().find("invalid\n") != std::string::npos;
  });
  running.kill(SIGKILL);
  running.wait();
}

TEST_F(Ported, ListenerHarnessPasses) {
  const run_result result = client("listener_harness");
  EXPECT_RUN(result, "PASS\n");
}

TEST_F(Ported, BidirectionalServiceCallsItsClientBack) {
  declare("bidirectional_service", "com.example.downloads");
  const run_result result = client("bidirectional_client");
  EXPECT_EQ(result.end, (xpc_testing::ending{0, 0})) << result.error;
  // Progress and the news that a download is done come on two connections, in no order to each
  // other.
  std::string progress, done;
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);)
    (line.find('%') == std::string::npos ? done : progress) += line + "\n";
  EXPECT_EQ(progress,
            "small 0%\nsmall 25%\nsmall 50%\nsmall 75%\nsmall 100%\nhuge 0%\nhuge 25%\nhuge 50%\n");
  EXPECT_EQ(done, "done after 5 steps\ndone after 8 steps\n");
}

TEST_F(Ported, PrivilegedHelperHandsOutDescriptors) {
  std::ofstream(directory_ / "install.log") << "installed\nagain\n";
  std::filesystem::create_symlink(directory_ / "install.log", directory_ / "system.log");
  declare("privileged_helper", "com.example.logreader",
          "<key>EnvironmentVariables</key><dict><key>LOG_DIRECTORY</key><string>" +
              directory_.string() + "</string></dict>");
  EXPECT_RUN(client("privileged_client", {"install"}), "installed\nagain\n");
  for (const char* not_ours : {"../secret", "system"}) {
    const run_result refused = client("privileged_client", {not_ours});
    EXPECT_EQ(refused.end.status, EXIT_FAILURE);
    EXPECT_EQ(refused.output.rfind("refused: ", 0), 0u) << refused.output << refused.error;
  }
}

TEST_F(Ported, SessionsAnswerEndAndAreRefused) {
  declare("session_service", "com.example.calculator");
  const run_result result = client("session_client");
  EXPECT_EQ(result.end, (xpc_testing::ending{0, 0})) << result.error;
  const std::string& text = result.output;
  EXPECT_EQ(text.rfind("nobody: not there\nsync: 5050\nasync: 55\nover: ", 0), 0u) << text;
  EXPECT_NE(text.find("\nsecond: no answer\n"), std::string::npos) << text;
  EXPECT_NE(text.find("closed for today"), std::string::npos) << text;
}

TEST_F(Ported, DescriptorOfTheClientIsFilledByTheService) {
  declare("fd_service", "com.example.generator");
  EXPECT_RUN(client("fd_client"), "20000 lines, 208894 bytes\n");
}

TEST_F(Ported, SharedMemoryIsChangedInPlace) {
  declare("shmem_service", "com.example.filter");
  EXPECT_RUN(client("shmem_client"), "5000 of 5000 pixels, whole pages\n");
}

}  // namespace
