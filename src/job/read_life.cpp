#include "job/read_keys.hpp"

namespace openxpc::job {

void read_abandon_process_group(reader& in, const key_path& path, xpc_object_t value,
                                description* job) {
  in.boolean(path, value, &job->abandon_process_group);
}

/// Every service that is linked to the library is asked to end and does so when its last
/// transaction has ended; a description that says so changes nothing.
void read_transactions(reader& in, const key_path& path, xpc_object_t value, description*) {
  bool ignored = false;
  in.boolean(path, value, &ignored);
}

/// Rule 177: not with KeepAlive true.
void read_pressured_exit(reader& in, const key_path& path, xpc_object_t value, description* job) {
  bool wanted = false;
  if (!in.boolean(path, value, &wanted) || !wanted) return;
  xpc_object_t keep = in.find("KeepAlive");
  if (keep != nullptr && is(keep, OPENXPC_TYPE_BOOL) && ::xpc_bool_get_value(keep)) {
    in.warn(path, "has no effect with KeepAlive true");
  } else {
    job->pressured_exit = true;
  }
}

void read_disabled(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.boolean(path, value, &job->disabled);
}

void read_run_at_load(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.boolean(path, value, &job->run_at_load);
}

void read_throttle_interval(reader& in, const key_path& path, xpc_object_t value,
                            description* job) {
  in.seconds(path, value, &job->throttle_interval);
}

void read_exit_timeout(reader& in, const key_path& path, xpc_object_t value, description* job) {
  // Where both spellings stand, that of the manual page counts.
  if (path.front() == "ExitTimeout" && in.find("ExitTimeOut") != nullptr) {
    in.warn(path, "has no effect here: ExitTimeOut is given too");
    return;
  }
  in.seconds(path, value, &job->exit_timeout);
}

void read_launch_only_once(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.boolean(path, value, &job->launch_only_once);
}

void read_upgrade_overlap(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.boolean(path, value, &job->upgrade_overlap);
}

}  // namespace openxpc::job
