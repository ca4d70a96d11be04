#include "attack/under_faults.hpp"

#include "support/places.hpp"
#include "support/role.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

using openxpc::base::fd;

/// under_faults ARGUMENTS..., a socket: becomes xpcd, whose system calls the test answers.
XPC_TEST_ROLE(under_faults) {
  const fd listener(attack::confine());
  if (!listener) {
    std::fprintf(stderr, "cannot: %s\n", std::strerror(errno));
    return 77;
  }
  if (!attack::send_descriptor(call.borrowed_fd(0), listener.get())) return 1;
  std::vector<std::string> words{xpc_testing::xpcd_program, "--ready-fd", "1"};
  words.insert(words.end(), call.arguments.begin(), call.arguments.end());
  std::vector<char*> arguments;
  for (std::string& each : words) arguments.push_back(each.data());
  arguments.push_back(nullptr);
  ::execv(xpc_testing::xpcd_program, arguments.data());
  return 1;
}

namespace attack {

void UnderFaults::start(std::vector<std::string> arguments) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const fd ours(ends[0]);
  fd theirs(ends[1]);
  xpcd.emplace(xpc_testing::child::role(
      "under_faults",
      {.arguments = std::move(arguments), .borrowed_fds = {theirs.get()}, .keep_stderr = true}));
  theirs.reset();
  fd listener = take_descriptor(ours.get());
  if (!listener) {
    xpcd->wait();
    GTEST_SKIP() << "NOT SHOWN: no system call can be answered here: " << xpcd->error_text();
  }
  kernel.emplace(std::move(listener));
  xpcd->expect_line("ready");
}

void UnderFaults::TearDown() {
  if (xpcd && xpcd->alive()) {
    xpcd->kill(SIGTERM);
    EXPECT_EQ(xpcd->wait().status, 0) << xpcd->error_text();
  }
  kernel.reset();
}

}  // namespace attack
