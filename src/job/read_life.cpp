#include "job/read_keys.hpp"

namespace openxpc::job {

void read_abandon_process_group(reader& in, const key_path& path, xpc_object_t value,
                                description* job) {
  in.boolean(path, value, &job->abandon_process_group);
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

}  // namespace openxpc::job
