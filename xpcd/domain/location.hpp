#pragma once

#include "job/outcome.hpp"

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// Which directory a service manager serves.
namespace openxpc::domain {

/// What the decision depends on, so that a test can vary it.
struct surroundings {
  uid_t euid = 0;
  bool secure_execution = false;      // AT_SECURE: the environment counts for nothing
  bool system = false;                // --system
  std::optional<std::string> option;  // --domain DIR
  std::optional<std::string> xdg_state_home, xdg_config_home, home;
  std::optional<std::string> xdg_runtime_dir;  // as the environment has it
  /// True for a directory that belongs to the uid and is open to nobody else (0700).
  std::function<bool(const std::string& path, uid_t owner)> is_private_directory;
};

struct location {
  std::string directory;
  bool system =
      false;  // the domain of the whole machine: everybody may connect, root alone changes it
  std::vector<std::string> jobs;  // where descriptions are looked for, the first label wins
  std::string state;              // where lasting state is kept; empty: nobody says
  /// The directory of the system's domain, where clients of this one look next and whose names are
  /// not this one's to have; empty for that domain itself, and for a directory of somebody's
  /// choice.
  std::string system_directory = {};
};

/// With --system the domain of the whole machine, in --domain DIR or /run/xpc, for root alone. Else
/// --domain DIR; else for root /run/xpc; else $XDG_RUNTIME_DIR/xpc; else /run/xpc/user/UID where a
/// root xpcd made it. Otherwise an error that names --domain: never a guess in a directory where
/// others may write.
outcome<location> locate(const surroundings& here);

/// The same for this process.
outcome<location> locate(const std::optional<std::string>& option, bool system);

}  // namespace openxpc::domain
