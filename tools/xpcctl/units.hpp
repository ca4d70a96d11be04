#pragma once

#include "job/read.hpp"

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// A job's description in the words of systemd.
namespace xpcctl {

struct unit_options {
  bool system = true;                // units of the system's manager, else of a user's
  std::chrono::seconds watchdog{0};  // how often the service must give a sign of life; 0: never
};

struct exported_units {
  std::map<std::string, std::string> files;  // name of a unit, its text
  std::vector<std::string> warnings;         // "KEY: what is not the same"
};

/// A service unit, and what starts it: a socket unit for each descriptor name (systemd gives all
/// sockets of one unit the same), a timer unit, a path unit.
exported_units export_units(const openxpc::job::reading& what, const unit_options& how);

/// As a unit file has it: `%` doubled, quoted where systemd would take it apart.
std::string unit_word(std::string_view text);
/// The same for a value that systemd takes whole to the end of the line.
std::string unit_value(std::string_view text);

}  // namespace xpcctl
