#pragma once

#include "support/resources.hpp"

#include <string>
#include <vector>

namespace xpc_testing {

/// What surrounds each test; main.cpp hangs it into GoogleTest. Each returns what is wrong, empty
/// when all is well.
class surroundings {
 public:
  /// Own runtime directory, own environment, watchdog armed, descriptors counted.
  void begin(const std::string& test_name);
  /// Watchdog off, descriptors compared, children and their sanitizers' reports looked for,
  /// directory removed. A text for each thing that is wrong.
  std::vector<std::string> end();

 private:
  std::string outer_;  // the directory of the test that started this program, if one did
};

/// Told by child: this test has started a process, so one may be left.
void note_started_child();

/// Aborts the process with the test's name and what each thread is doing unless called again within
/// `seconds`; 0 disarms.
void arm_watchdog(const std::string& test_name, unsigned seconds);

/// Runs the role that `--xpc-role=NAME` asks for and exits with its result; returns where there is
/// no such argument.
void run_role_if_asked(int argc, char** argv);

}  // namespace xpc_testing
