#pragma once

#include "support/child.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "attack/faulty_kernel.hpp"

namespace attack {

/// A service manager whose system calls the test may refuse one by one.
class UnderFaults : public ::testing::Test {
 protected:
  /// Skips the test where no system call can be answered.
  /// @param arguments  of xpcd
  void start(std::vector<std::string> arguments);
  void TearDown() override;

  std::optional<xpc_testing::child> xpcd;
  std::optional<faulty_kernel> kernel;
};

}  // namespace attack
