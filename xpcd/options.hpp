#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace openxpc {

/// What the command line asks for.
struct options {
  std::optional<std::string> domain, state;
  std::vector<std::string> jobs;  // directories of job descriptions; empty: those of the domain
  bool system = false;
  std::optional<int> idle_exit;      // seconds
  std::optional<int> check_in_time;  // seconds
  std::optional<int> file_time;      // seconds
  std::string hardened_group;        // a name or number; empty: the usual one
  std::string log;                   // a file for what xpcd says; empty: standard error
  int ready_fd = -1;
  bool check_state = false;  // say whether it could be taken over, and do no more
  int handover_fd = -1;      // what the xpcd gives that became this one
  /// All that counts for an xpcd that this one becomes.
  std::vector<std::string> lasting;
};

/// The command line was answered or was wrong: print and exit.
struct early_exit {
  int status;
  std::string text;  // for standard output when status is 0, else for standard error
};

std::variant<options, early_exit> parse_options(int argc, char** argv);

}  // namespace openxpc
