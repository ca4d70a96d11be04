#pragma once

#include "support/child.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "system/manager.hpp"

/// A service manager of the test's own, services among the ported programs, and their clients.
namespace ported {

inline std::string program(const std::string& name) {
  return std::string(OPENXPC_PORTED) + "/" + name;
}

class Ported : public testing::Test {
 protected:
  /// Declares a service for the name; it starts when somebody wants it.
  void declare(const std::string& service, const std::string& name, const std::string& more = {}) {
    const auto answer =
        xpcd_.bootstrap(system_test::plist(service, {program(service)}, {name}, more));
    ASSERT_TRUE(answer) << answer.message;
  }
  xpc_testing::run_result client(const std::string& name,
                                 const std::vector<std::string>& arguments = {}) {
    xpc_testing::child_options options;
    options.arguments = arguments;
    options.environment = {"OPENXPC_DOMAIN=" + xpcd_.directory()};
    return xpc_testing::run(program(name), options);
  }
  const std::filesystem::path directory_ = std::filesystem::path(::getenv("XDG_RUNTIME_DIR"));
  system_test::manager xpcd_{(directory_ / "xpc").string()};
};

}  // namespace ported

#define EXPECT_RUN(result, text)                                          \
  EXPECT_EQ((result).end, (xpc_testing::ending{0, 0})) << (result).error; \
  EXPECT_EQ((result).output, (text)) << (result).error
