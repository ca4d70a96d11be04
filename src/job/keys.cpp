#include "job/keys.hpp"

#include "job/read_keys.hpp"

#include <strings.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace openxpc::job {

namespace {

constexpr const char* apple_hosts = "there are no host names to choose by";
constexpr const char* apple_hardware = "there are no hardware models to choose by";
constexpr const char* launchd_order = "jobs of one domain end together";
constexpr const char* apple_policy =
    "there are no such policies; seccomp and cgroups take their place";

/// In the order of the keys' bytes.
constexpr key_rule rules[] = {
    {"AbandonProcessGroup", read_abandon_process_group, nullptr},
    {"AssociatedBundleIdentifiers", read_associated_bundles, nullptr},
    {"BeginTransactionAtShutdown", nullptr, launchd_order},
    {"BundleProgram", nullptr, "there are no application bundles to look in; use Program"},
    {"CgroupLimits", read_group_limits, nullptr},
    {"Cryptex", nullptr, "there are no cryptexes"},
    {"Debug", nullptr, "OPENXPC_TRACE in EnvironmentVariables makes a job tell what it does"},
    {"Disabled", read_disabled, nullptr},
    {"EnableGlobbing", nullptr, "arguments are passed as they are written"},
    {"EnablePressuredExit", read_pressured_exit, nullptr},
    {"EnableTransactions", read_transactions, nullptr},
    {"EnvironmentVariables", read_environment, nullptr},
    {"ExitTimeOut", read_exit_timeout, nullptr},
    {"ExitTimeout", read_exit_timeout, nullptr},  // so spelt by some programs (rule 350)
    {"GroupName", read_group, nullptr},
    {"HardResourceLimits", read_hard_limits, nullptr},
    {"Hardened", read_hardened, nullptr},
    {"HopefullyExitsFirst", nullptr, launchd_order},
    {"HopefullyExitsLast", nullptr, launchd_order},
    {"InitGroups", read_init_groups, nullptr},
    {"JetsamProperties", nullptr, "memory is limited by CgroupLimits"},
    {"KeepAlive", read_keep_alive, nullptr},
    {"Label", read_label, nullptr},
    {"LaunchEvents", read_launch_events, nullptr},
    {"LaunchOnlyOnce", read_launch_only_once, nullptr},
    {"LegacyTimers", nullptr, "timers of a program are the kernel's"},
    {"LimitLoadFromHardware", nullptr, apple_hardware},
    {"LimitLoadFromHosts", nullptr, apple_hosts},
    {"LimitLoadToHardware", nullptr, apple_hardware},
    {"LimitLoadToHosts", nullptr, apple_hosts},
    {"LimitLoadToSessionType", read_session_types, nullptr},
    {"LowPriorityBackgroundIO", read_low_priority_background_io, nullptr},
    {"LowPriorityIO", read_low_priority_io, nullptr},
    {"MachExceptionHandler", nullptr, "there are no exception ports"},
    {"MachServices", read_names, nullptr},
    {"MaterializeDatalessFiles", nullptr, "there are no dataless files"},
    {"MultipleInstances", nullptr, "a job has one process"},
    {"Nice", read_nice, nullptr},
    {"NoNewPrivileges", read_no_new_privileges, nullptr},
    {"OnDemand", nullptr, "KeepAlive took its place"},
    {"POSIXSpawnType", nullptr, "ProcessType took its place"},
    {"ProcessType", read_process_type, nullptr},
    {"Program", read_program, nullptr},
    {"ProgramArguments", read_arguments, nullptr},
    {"QueueDirectories", read_queue_directories, nullptr},
    {"RootDirectory", read_root_directory, nullptr},
    {"RunAtLoad", read_run_at_load, nullptr},
    {"SandboxContainer", nullptr, apple_policy},
    {"SandboxFlags", nullptr, apple_policy},
    {"SandboxProfile", nullptr, apple_policy},
    {"ServiceIPC", nullptr, "every job may speak with xpcd"},
    {"SessionCreate", nullptr, "there are no security sessions"},
    {"Sockets", read_sockets, nullptr},
    {"SoftResourceLimits", read_soft_limits, nullptr},
    {"SpawnConstraint", nullptr, "who signed a program is not looked at"},
    {"StandardErrorPath", read_stderr_path, nullptr},
    {"StandardInPath", read_stdin_path, nullptr},
    {"StandardOutPath", read_stdout_path, nullptr},
    {"StartCalendarInterval", read_start_calendar, nullptr},
    {"StartInterval", read_start_interval, nullptr},
    {"StartOnMount", read_start_on_mount, nullptr},
    {"ThrottleInterval", read_throttle_interval, nullptr},
    {"TimeOut", nullptr, "a start is over when the program runs"},
    {"Umask", read_umask, nullptr},
    {"UpgradeOverlap", read_upgrade_overlap, nullptr},
    {"UserName", read_user, nullptr},
    {"WaitForDebugger", read_wait_for_debugger, nullptr},
    {"WatchPaths", read_watch_paths, nullptr},
    {"WorkingDirectory", read_working_directory, nullptr},
    {"inetdCompatibility", nullptr, "a program takes its sockets by launch_activate_socket"},
};

static_assert(std::is_sorted(std::begin(rules), std::end(rules),
                             [](const key_rule& one, const key_rule& other) {
                               return std::string_view(one.key) < other.key;
                             }));

}  // namespace

const key_rule* find_key(const std::string& key) {
  auto at = std::lower_bound(std::begin(rules), std::end(rules), key,
                             [](const key_rule& one, const std::string& k) { return one.key < k; });
  return at != std::end(rules) && at->key == key ? at : nullptr;
}

std::string key_like(const std::string& key) {
  for (const key_rule& one : rules) {
    if (::strcasecmp(one.key, key.c_str()) == 0) return one.key;
  }
  return {};
}

}  // namespace openxpc::job
