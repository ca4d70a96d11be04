#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace openxpc::job {

/// When a job is to run without anybody asking: always, or by how its last run ended (each
/// condition that is given counts, one that holds is enough; rules 236, 237).
struct keep_alive {
  bool always = false;
  std::optional<bool> successful_exit;
  std::optional<bool> crashed;
  bool any() const { return always || successful_exit || crashed; }
};

/// What a property list says about a job, checked.
struct description {
  std::string label;
  std::string program;                 // absolute path or plain name
  std::vector<std::string> arguments;  // argv, its name first
  std::vector<std::string> names;      // advertised, in the order of their bytes
  std::map<std::string, std::string> environment;
  std::string working_directory = "/";
  std::string stdout_path, stderr_path;  // empty: not given
  bool run_at_load = false;
  keep_alive keep;
  std::chrono::seconds throttle_interval{10};
  std::chrono::seconds exit_timeout{20};  // zero: wait for ever
};

}  // namespace openxpc::job
