#pragma once

#include "job/description.hpp"
#include "job/reader.hpp"

/// One function a key, or a few for keys that are read alike; keys.cpp says which is whose.
namespace openxpc::job {

// read_program.cpp: what is started, and with what.
void read_label(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_program(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_arguments(reader& in, const key_path& path, xpc_object_t value, description* job);
/// What a process gets in its environment; also for bundles.
void read_variables(reader& in, const key_path& path, xpc_object_t value,
                    std::map<std::string, std::string>* variables);
void read_environment(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_working_directory(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_stdin_path(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_stdout_path(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_stderr_path(reader& in, const key_path& path, xpc_object_t value, description* job);

// read_names.cpp
void read_names(reader& in, const key_path& path, xpc_object_t value, description* job);

// read_surroundings.cpp: where it is loaded, and to what it belongs.
void read_session_types(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_associated_bundles(reader& in, const key_path& path, xpc_object_t value,
                             description* job);
void read_root_directory(reader& in, const key_path& path, xpc_object_t value, description* job);

// read_process.cpp: how its process is set up.
void read_umask(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_nice(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_soft_limits(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_hard_limits(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_user(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_group(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_init_groups(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_process_type(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_low_priority_io(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_low_priority_background_io(reader& in, const key_path& path, xpc_object_t value,
                                     description* job);
void read_no_new_privileges(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_hardened(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_wait_for_debugger(reader& in, const key_path& path, xpc_object_t value, description* job);

// read_group_limits.cpp
void read_group_limits(reader& in, const key_path& path, xpc_object_t value, description* job);

// read_life.cpp: when it is started and how it ends.
void read_abandon_process_group(reader& in, const key_path& path, xpc_object_t value,
                                description* job);
void read_transactions(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_pressured_exit(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_disabled(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_run_at_load(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_keep_alive(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_throttle_interval(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_exit_timeout(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_launch_only_once(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_upgrade_overlap(reader& in, const key_path& path, xpc_object_t value, description* job);

// read_sockets.cpp
void read_sockets(reader& in, const key_path& path, xpc_object_t value, description* job);

// read_triggers.cpp: when it starts without a client.
void read_start_interval(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_start_calendar(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_watch_paths(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_queue_directories(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_start_on_mount(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_launch_events(reader& in, const key_path& path, xpc_object_t value, description* job);

}  // namespace openxpc::job
