#pragma once

#include "job/calendar.hpp"
#include "job/group_limit.hpp"
#include "job/name_options.hpp"
#include "job/object.hpp"
#include "job/socket_entry.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace openxpc::job {

/// When a job is to run without anybody asking: always, by how its last run ended, or by what there
/// is (each condition that is given counts, one that holds is enough; rules 236, 237).
struct keep_alive {
  bool always = false;
  std::optional<bool> successful_exit;
  std::optional<bool> crashed;
  std::map<std::string, bool> path_state;  // a path is there, or is not
  std::map<std::string, bool> other_job;   // a job of that label is loaded, or is not
  bool after_initial_demand = false;       // none of this counts before the first start
  bool any() const {
    return always || successful_exit || crashed || !path_state.empty() || !other_job.empty();
  }
};

/// A limit of setrlimit(2). A side that is not given stays as it is.
struct resource_limit {
  int resource = 0;  // RLIMIT_*
  std::string name;  // as the description has it: NumberOfFiles
  std::optional<std::uint64_t> soft, hard;
};

/// How much the machine is to favour a job over others (rule 244).
enum class process_type : unsigned char {
  standard,
  background,   // gives way to everybody else
  adaptive,     // meant to follow its clients; standard here
  interactive,  // gives way to nobody
};

/// How the process is set up before it becomes the program.
struct process_setup {
  mode_t umask = 022;
  std::optional<int> nice;
  std::vector<resource_limit> limits;
  std::string user, group;  // names or numbers; empty: xpcd's own
  bool init_groups = true;
  /// Supplementary ones, in place of those of the user database; no description says them.
  std::optional<std::vector<gid_t>> groups;
  process_type type = process_type::standard;
  bool low_priority_io = false;
  bool low_priority_background_io = false;  // only where the type is background
  bool no_new_privileges = true;
  bool hardened = false;  // others of its user can neither read nor trace it
  bool wait_for_debugger = false;
};

/// What a property list says about a job, checked.
struct description {
  std::string label;
  std::string program;                                   // absolute path or plain name
  std::vector<std::string> arguments;                    // argv, its name first
  std::vector<std::string> names;                        // advertised, in the order of their bytes
  std::map<std::string, name_options> options_of_names;  // of those that have any
  std::vector<std::string> session_types;       // as written; which domains have them was looked at
  std::vector<std::string> associated_bundles;  // identifiers, for people
  std::vector<socket_entry> sockets;            // in the order of the bytes of their names
  std::map<std::string, std::string> environment;
  std::string root_directory;  // becomes "/" for the job; empty: the one there is
  std::string working_directory = "/";
  std::string stdin_path, stdout_path, stderr_path;  // empty: not given
  process_setup process;
  std::vector<group_limit> group_limits;  // in the order of the bytes of their keys
  bool abandon_process_group = false;
  bool pressured_exit = false;  // ends when nobody needs it
  bool disabled = false;        // unless somebody enabled the label
  bool run_at_load = false;
  keep_alive keep;
  bool launch_only_once = false;  // forgotten after its first run
  bool start_on_mount = false;
  std::chrono::seconds start_interval{0};  // zero: none
  std::vector<calendar_time> calendar;
  std::vector<std::string> watch_paths, queue_directories;
  /// Streams to names of events to what each is to match, as it was written: a dictionary of
  /// dictionaries of dictionaries. Empty where the description has no LaunchEvents.
  object_ref launch_events;
  /// Of a service that checks in: a new version starts beside the old one, not after it.
  bool upgrade_overlap = true;
  std::chrono::seconds throttle_interval{10};
  std::chrono::seconds exit_timeout{20};  // zero: wait for ever

  name_options options_of(const std::string& name) const {
    auto at = options_of_names.find(name);
    return at == options_of_names.end() ? name_options() : at->second;
  }
};

}  // namespace openxpc::job
