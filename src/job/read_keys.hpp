#pragma once

#include "job/description.hpp"
#include "job/reader.hpp"

/// One function a key, or a few for keys that are read alike; keys.cpp says which is whose.
namespace openxpc::job {

// read_program.cpp: what is started, and with what.
void read_label(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_program(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_arguments(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_names(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_environment(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_working_directory(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_stdout_path(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_stderr_path(reader& in, const key_path& path, xpc_object_t value, description* job);

// read_life.cpp: when it is started and how it ends.
void read_run_at_load(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_keep_alive(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_throttle_interval(reader& in, const key_path& path, xpc_object_t value, description* job);
void read_exit_timeout(reader& in, const key_path& path, xpc_object_t value, description* job);

}  // namespace openxpc::job
