#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace xpcctl {

/// Options that every verb understands, before or after its name. Filled in once the verb runs, not
/// while options are added.
struct settings {
  std::string domain;            ///< --domain DIR; empty: the user's own
  std::int64_t application = 0;  ///< the services of that process, pid/PID; 0: the domain's jobs
  std::string request_id;        ///< --request-id ID; empty: one of this run's own
  bool json = false;             ///< --json: data is printed as JSON, for scripts
};

/// What runs a verb; returns the exit status (sysexits.h).
using action = std::function<int()>;

/// One verb of the program, e.g. "decode".
struct verb {
  std::string_view name;
  std::string_view summary;  ///< a line for --help
  /// Adds the verb's options to its subcommand. `shared` lives as long as the program.
  action (*add)(CLI::App& command, const settings& shared);
};

}  // namespace xpcctl
