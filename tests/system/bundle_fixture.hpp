#pragma once

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "system/application.hpp"

namespace system_test {

/// An application with services beside it, and the service manager of its domain.
class Bundle : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  const std::string directory = root + "/domain";
  const std::string contents = root + "/Demo.app/Contents";
  const std::string program = contents + "/MacOS/Demo";
  const std::string services = contents + "/XPCServices";
  const std::string name = "org.example.helper";
  manager xpcd{directory, {"--idle-exit", "1"}};
  void SetUp() override { install_program(program); }

  pid_t pid_at(application& from, const std::string& id = "a") {
    return static_cast<pid_t>(std::atoi(from.ask(id, name, "pid").c_str()));
  }
  /// What the client reads when it asks.
  std::string refusal() {
    application demo(program, directory);
    return demo.ask("a", name, "pid");
  }
};

/// EXPECT_PRED_FORMAT2 of a text that has another in it.
inline ::testing::AssertionResult has_text(const char*, const char*, const std::string& text,
                                           const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "\"" << part << "\" is not in \"" << text << "\"";
}

}  // namespace system_test
