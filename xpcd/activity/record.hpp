#pragma once

#include "activity/activities.hpp"

namespace openxpc::activity {

/// One activity of a job that is loaded.
struct activities::record {
  record(std::string job, std::string name, entry what, schedule when)
      : label(std::move(job)),
        identifier(std::move(name)),
        kept(std::move(what)),
        times(std::move(when)) {}

  const std::string label, identifier;
  entry kept;  // `running`, `period_ms` and `runs` are what it began with: see `times`
  schedule times;
  /// The job's process has registered it and may be told to run it.
  bool ready = false;
  /// The job's process was started, or asked for, because of it.
  bool woke = false;
  bool asked_to_defer = false;
  std::uint64_t deferrals = 0;
  std::string not_kept;          // why lasting state does not have it
  instant listed = base::never;  // where it stands in due_
  std::vector<done> waiting;     // verbs
};

/// Reads criteria; what is wrong with them is said in xpcd's log and counts as not given.
job::activity_criteria read_criteria(const std::string& label, const std::string& identifier,
                                     xpc_object_t dictionary);
/// Why a program cannot have such an activity: its identifier, or criteria that lasting state
/// cannot hold.
failure_of wrong_with(const std::string& identifier, xpc_object_t criteria);

}  // namespace openxpc::activity
