#pragma once

#include <string>
#include <vector>

namespace xpc_testing {

/// What a child role was started with.
struct role_call {
  std::vector<std::string> arguments;
  int descriptor_count = 0;  ///< descriptors handed over by the test; close-on-exec here

  /// The n-th handed-over descriptor, lent. Ends the process when there is none.
  int borrowed_fd(int index) const;
};

/// Prints one line to the test, at once; child::read_line() gets it. "ready" by convention once the
/// test may go on.
void say(const std::string& line);
/// The next line from child::write_line(); empty when the test closed its end or went away.
std::string hear();

using role_function = int (*)(const role_call&);
bool register_role(const char* name, role_function function);

}  // namespace xpc_testing

/// Defines what a child process does: a function beside the test, run by re-executing the test
/// program (child::role("NAME")). Its result is the exit status; `call` is its role_call.
#define XPC_TEST_ROLE(name)                                            \
  static int xpc_test_role_##name(const xpc_testing::role_call& call); \
  [[maybe_unused]] static const bool xpc_test_role_registered_##name = \
      xpc_testing::register_role(#name, xpc_test_role_##name);         \
  static int xpc_test_role_##name([[maybe_unused]] const xpc_testing::role_call& call)
