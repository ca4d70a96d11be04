#pragma once

#include "support/child.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "system/manager.hpp"

/// A service under attack, launched by a service manager, and an honest client beside it.
namespace hostile {

class Attack : public ::testing::Test {
 protected:
  /// @param more  what the service gets behind its name.
  explicit Attack(const std::vector<std::string>& more = {});

  /// The attacker: a role that gets the path of the service's socket, then `arguments`.
  xpc_testing::child attacker(const std::string& role,
                              const std::vector<std::string>& arguments = {});
  /// Runs one to its end and checks that it got there.
  void run_attacker(const std::string& role, const std::vector<std::string>& arguments = {});
  /// An honest call is answered by the same process; its descriptors are what they were once the
  /// attackers are gone; its memory has not grown by more than `memory`.
  void expect_unharmed(std::size_t memory = std::size_t{16} << 20);
  /// Memory of its own that the service holds now, and the most that was ever resident, have not
  /// grown by more. (Allocators of sanitizers keep what was freed: there memory says nothing.)
  void expect_memory_below(std::size_t growth) const;
  void expect_peak_below(std::size_t growth) const;
  /// An honest call is answered by the same process.
  void expect_answers();
  /// How conversations with the service ended since the last time, as it was told.
  std::vector<std::string> endings();
  /// Waits for one that holds `words`.
  void expect_ending(const std::string& words);

  const std::string name = "org.example.victim";
  system_test::manager xpcd{xpc_testing::runtime_directory() + "/domain"};
  system_test::session honest;
  pid_t service = 0;
  std::size_t descriptors = 0;

 private:
  std::size_t memory_ = 0, peak_ = 0;
  std::vector<std::string> endings_;
};

}  // namespace hostile
