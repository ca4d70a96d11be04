#pragma once

#include <gtest/gtest.h>

#include <sys/types.h>

#include <optional>
#include <string>

#include "system/manager.hpp"

namespace hostile {

/// A service whose domain another user may enter as well. Needs root, and is passed over without.
class TwoUsers : public ::testing::Test {
 protected:
  TwoUsers();
  void SetUp() override;

  const std::string name = "org.example.victim";
  std::optional<system_test::manager> xpcd;
};

/// For a role: from now on it is this user, with the group of the same number. Throws.
void become(uid_t user);

}  // namespace hostile
