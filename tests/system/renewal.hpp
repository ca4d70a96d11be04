#pragma once

#include "support/places.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "system/manager.hpp"

/// xpcd becoming another version of itself.
namespace system_test {

/// xpcctl upgrade --manager with these options.
inline xpc_testing::run_result renewal(const manager& xpcd, std::vector<std::string> more) {
  std::vector<std::string> all{"--domain", xpcd.directory(), "--json", "upgrade", "--manager"};
  all.insert(all.end(), more.begin(), more.end());
  return xpc_testing::run(xpc_testing::xpcctl_program,
                          {.arguments = std::move(all), .keep_stderr = true});
}

/// xpcd becomes what it is already, which takes the same way.
inline void renew(const manager& xpcd) {
  const xpc_testing::run_result said = renewal(xpcd, {"--force"});
  ASSERT_EQ(said.end.status, 0) << said.error << xpcd.log();
  ASSERT_NE(said.output.find("\"result\": \"upgraded\""), std::string::npos) << said.output;
}

}  // namespace system_test
