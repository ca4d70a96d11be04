#include "job/name.hpp"
#include "job/read_keys.hpp"

namespace openxpc::job {

void read_label(reader& in, const key_path& path, xpc_object_t value, description* job) {
  if (!in.text_not_empty(path, value, &job->label)) return;
  if (auto wrong = wrong_with_name(job->label)) in.error(path, *wrong);
}

void read_program(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.text_not_empty(path, value, &job->program);
}

void read_arguments(reader& in, const key_path& path, xpc_object_t value, description* job) {
  if (in.strings(path, value, &job->arguments) && job->arguments.empty()) {
    in.error(path, "is empty");
  }
}

void read_variables(reader& in, const key_path& path, xpc_object_t value,
                    std::map<std::string, std::string>* variables) {
  if (!in.is_dictionary(path, value, "dictionary of strings")) return;
  each_entry(value, [&](const std::string& name, xpc_object_t text) {
    key_path here = path;
    here.push_back(name);
    const bool ours = (name.compare(0, 7, "LISTEN_") == 0 || name.compare(0, 8, "OPENXPC_") == 0) &&
                      name != "OPENXPC_TRACE";
    if (name.empty() || name.find('=') != std::string::npos) {
      in.error(here, "is no name of a variable");
    } else if (ours) {
      in.error(here, "is set by xpcd itself");
    } else {
      in.text(here, text, &(*variables)[name]);
    }
  });
}

void read_environment(reader& in, const key_path& path, xpc_object_t value, description* job) {
  read_variables(in, path, value, &job->environment);
}

void read_working_directory(reader& in, const key_path& path, xpc_object_t value,
                            description* job) {
  in.absolute_path(path, value, &job->working_directory);
}

void read_stdin_path(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.absolute_path(path, value, &job->stdin_path);
}

void read_stdout_path(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.absolute_path(path, value, &job->stdout_path);
}

void read_stderr_path(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.absolute_path(path, value, &job->stderr_path);
}

}  // namespace openxpc::job
