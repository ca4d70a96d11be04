#include "job/read.hpp"

#include "job/name.hpp"

#include <xpc/openxpc/plist.h>

#include <algorithm>
#include <cstring>

namespace openxpc::job {

namespace {

/// Collects what is wrong while the keys are read one after the other.
class reader {
 public:
  reader(xpc_object_t root, openxpc_plist_locations_t locations, const std::string& file)
      : root_(root), locations_(locations), file_(file) {}

  std::vector<std::string> errors, warnings;

  void error(std::vector<const char*> path, const std::string& text) {
    errors.push_back(place(path) + text);
  }
  void warn(std::vector<const char*> path, const std::string& text) {
    warnings.push_back(place(path) + text);
  }
  void expected(std::vector<const char*> path, const char* what, xpc_object_t found) {
    error(std::move(path), std::string("expected ") + what + ", found " +
                               ::openxpc_type_name(::openxpc_type_id(found)));
  }

  xpc_object_t find(const char* key) const { return get_object(root_, key); }

  void text(const char* key, std::string* out, bool may_be_empty = false) {
    if (xpc_object_t value = find(key)) take_text({key}, value, out, may_be_empty);
  }
  bool take_text(std::vector<const char*> path, xpc_object_t value, std::string* out,
                 bool may_be_empty = true) {
    std::size_t size = 0;
    const char* text = ::openxpc_string_get_text(value, &size);
    if (text == nullptr) {
      expected(std::move(path), "string", value);
      return false;
    }
    if (size == 0 && !may_be_empty) {
      error(std::move(path), "is empty");
      return false;
    }
    out->assign(text, size);
    return true;
  }
  void absolute_path(const char* key, std::string* out) {
    text(key, out);
    if (!out->empty() && out->front() != '/') error({key}, *out + " is not an absolute path");
  }
  bool boolean(std::vector<const char*> path, xpc_object_t value, bool* out) {
    openxpc_value_t read;
    if (!::openxpc_object_read(value, &read) || read.type != OPENXPC_TYPE_BOOL) {
      expected(std::move(path), "bool", value);
      return false;
    }
    *out = read.as.boolean;
    return true;
  }
  void seconds(const char* key, std::chrono::seconds* out) {
    xpc_object_t value = find(key);
    if (value == nullptr) return;
    openxpc_value_t read;
    if (!::openxpc_object_read(value, &read) ||
        (read.type != OPENXPC_TYPE_INT64 && read.type != OPENXPC_TYPE_UINT64)) {
      expected({key}, "integer", value);
      return;
    }
    constexpr std::int64_t longest = 365LL * 24 * 3600;
    const bool fits = read.type == OPENXPC_TYPE_INT64
                          ? read.as.int64 >= 0 && read.as.int64 <= longest
                          : read.as.uint64 <= static_cast<std::uint64_t>(longest);
    if (!fits) {
      error({key}, "expected seconds from 0 to " + std::to_string(longest));
      return;
    }
    *out = std::chrono::seconds(read.type == OPENXPC_TYPE_INT64
                                    ? read.as.int64
                                    : static_cast<std::int64_t>(read.as.uint64));
  }

 private:
  std::string place(const std::vector<const char*>& path) const {
    std::string text = file_ + ":";
    openxpc_plist_location_t where;
    if (locations_ != nullptr &&
        ::openxpc_plist_locations_find(locations_, path.data(), path.size(), &where) &&
        where.key_line != 0) {
      text += std::to_string(where.key_line) + ":";
    }
    text += " ";
    for (std::size_t at = 0; at < path.size(); ++at)
      text += (at ? "/" : "") + std::string(path[at]);
    return text + (path.empty() ? "" : ": ");
  }

  xpc_object_t root_;
  openxpc_plist_locations_t locations_;
  const std::string& file_;
};

/// Calls f(key, value) for each entry, in the order of the keys' bytes so that messages come in the
/// same order every time.
template <class F>
void each(xpc_object_t dictionary, F f) {
  std::vector<std::pair<std::string, xpc_object_t>> entries;
  ::openxpc_dictionary_apply_f(
      dictionary, &entries,
      [](void* context, const char* key, std::size_t size, xpc_object_t value) {
        static_cast<decltype(entries)*>(context)->emplace_back(std::string(key, size), value);
        return true;
      });
  std::sort(entries.begin(), entries.end());
  for (const auto& [key, value] : entries) f(key, value);
}

bool is(xpc_object_t object, openxpc_type_t type) { return ::openxpc_type_id(object) == type; }

void read_label(reader& in, description* job) {
  if (in.find("Label") == nullptr) {
    in.error({}, "Label: is missing");
    return;
  }
  if (!in.take_text({"Label"}, in.find("Label"), &job->label)) return;
  if (auto wrong = wrong_with_name(job->label)) in.error({"Label"}, *wrong);
}

void read_program(reader& in, description* job) {
  in.text("Program", &job->program);
  if (xpc_object_t list = in.find("ProgramArguments")) {
    if (!is(list, OPENXPC_TYPE_ARRAY)) {
      in.expected({"ProgramArguments"}, "array of strings", list);
      return;
    }
    const std::size_t count = ::xpc_array_get_count(list);
    for (std::size_t at = 0; at < count; ++at) {
      const std::string index = std::to_string(at);
      std::string argument;
      in.take_text({"ProgramArguments", index.c_str()}, ::xpc_array_get_value(list, at), &argument);
      job->arguments.push_back(std::move(argument));
    }
    if (count == 0) in.error({"ProgramArguments"}, "is empty");
  }
  if (in.find("Program") == nullptr) {
    if (job->arguments.empty()) {
      if (in.find("ProgramArguments") == nullptr) {
        in.error({}, "Program: is missing, and so is ProgramArguments");
      }
      return;
    }
    job->program = job->arguments.front();
  }
  if (job->arguments.empty()) job->arguments.push_back(job->program);
  if (job->program.find('/') != std::string::npos && job->program.front() != '/') {
    in.error({in.find("Program") ? "Program" : "ProgramArguments"},
             job->program + " is neither an absolute path nor a plain name");
  }
}

/// Rule 240: a value of true or a dictionary advertises the name; false does not.
void read_names(reader& in, description* job) {
  xpc_object_t services = in.find("MachServices");
  if (services == nullptr) return;
  if (!is(services, OPENXPC_TYPE_DICTIONARY)) {
    in.expected({"MachServices"}, "dictionary", services);
    return;
  }
  each(services, [&](const std::string& name, xpc_object_t value) {
    std::vector<const char*> path{"MachServices", name.c_str()};
    if (auto wrong = wrong_with_name(name)) {
      in.error(path, *wrong);
      return;
    }
    if (is(value, OPENXPC_TYPE_DICTIONARY)) {
      each(value, [&](const std::string& option, xpc_object_t) {
        in.warn({"MachServices", name.c_str(), option.c_str()}, "has no effect here");
      });
      job->names.push_back(name);
      return;
    }
    bool advertised = false;
    if (!is(value, OPENXPC_TYPE_BOOL)) {
      in.expected(path, "bool or dictionary", value);
    } else if (in.boolean(path, value, &advertised) && advertised) {
      job->names.push_back(name);
    }
  });
}

void read_environment(reader& in, description* job) {
  xpc_object_t variables = in.find("EnvironmentVariables");
  if (variables == nullptr) return;
  if (!is(variables, OPENXPC_TYPE_DICTIONARY)) {
    in.expected({"EnvironmentVariables"}, "dictionary of strings", variables);
    return;
  }
  each(variables, [&](const std::string& name, xpc_object_t value) {
    std::vector<const char*> path{"EnvironmentVariables", name.c_str()};
    if (name.empty() || name.find('=') != std::string::npos) {
      in.error(path, "is no name of a variable");
    } else if (name.compare(0, 7, "LISTEN_") == 0 || name.compare(0, 8, "OPENXPC_") == 0) {
      if (name == "OPENXPC_TRACE") {
        in.take_text(path, value, &job->environment[name]);
      } else {
        in.error(path, "is set by xpcd itself");
      }
    } else {
      in.take_text(path, value, &job->environment[name]);
    }
  });
}

void read_keep_alive(reader& in, description* job) {
  xpc_object_t value = in.find("KeepAlive");
  if (value == nullptr) return;
  if (is(value, OPENXPC_TYPE_BOOL)) {
    in.boolean({"KeepAlive"}, value, &job->keep.always);
    return;
  }
  if (!is(value, OPENXPC_TYPE_DICTIONARY)) {
    in.expected({"KeepAlive"}, "bool or dictionary", value);
    return;
  }
  each(value, [&](const std::string& condition, xpc_object_t wanted) {
    std::vector<const char*> path{"KeepAlive", condition.c_str()};
    bool flag = false;
    if (condition == "SuccessfulExit") {
      if (in.boolean(path, wanted, &flag)) job->keep.successful_exit = flag;
    } else if (condition == "Crashed") {
      if (in.boolean(path, wanted, &flag)) job->keep.crashed = flag;
    } else {
      in.warn(path, "has no effect here");
    }
  });
}

constexpr const char* known_keys[] = {"EnvironmentVariables",
                                      "ExitTimeOut",
                                      "ExitTimeout",
                                      "KeepAlive",
                                      "Label",
                                      "MachServices",
                                      "Program",
                                      "ProgramArguments",
                                      "RunAtLoad",
                                      "StandardErrorPath",
                                      "StandardOutPath",
                                      "ThrottleInterval",
                                      "WorkingDirectory"};

outcome<reading> read_with(object_ref object, openxpc_plist_locations_t locations,
                           const std::string& file) {
  if (!is(object.get(), OPENXPC_TYPE_DICTIONARY)) {
    return trouble{trouble::kind::bad_input,
                   file + ": expected dictionary, found " +
                       ::openxpc_type_name(::openxpc_type_id(object.get()))};
  }
  reader in(object.get(), locations, file);
  reading result;
  description& job = result.job;
  read_label(in, &job);
  read_program(in, &job);
  read_names(in, &job);
  read_environment(in, &job);
  in.absolute_path("WorkingDirectory", &job.working_directory);
  in.absolute_path("StandardOutPath", &job.stdout_path);
  in.absolute_path("StandardErrorPath", &job.stderr_path);
  if (xpc_object_t value = in.find("RunAtLoad")) in.boolean({"RunAtLoad"}, value, &job.run_at_load);
  read_keep_alive(in, &job);
  in.seconds("ThrottleInterval", &job.throttle_interval);
  in.seconds("ExitTimeout", &job.exit_timeout);  // so spelt by some programs (rule 350)
  in.seconds("ExitTimeOut", &job.exit_timeout);
  each(object.get(), [&](const std::string& key, xpc_object_t) {
    const bool known = std::any_of(std::begin(known_keys), std::end(known_keys),
                                   [&](const char* one) { return key == one; });
    if (!known) in.warn({key.c_str()}, "has no effect here");
  });
  if (!in.errors.empty()) {
    std::string all;
    for (const std::string& line : in.errors) all += (all.empty() ? "" : "\n") + line;
    return trouble{trouble::kind::bad_input, all};
  }
  result.warnings = std::move(in.warnings);
  result.object = std::move(object);
  return result;
}

}  // namespace

outcome<reading> read(std::string_view text, const std::string& file) {
  openxpc_plist_locations_t locations = nullptr;
  xpc_rich_error_t why = nullptr;
  object_ref object(::openxpc_plist_parse_with_locations(text.data(), text.size(), file.c_str(),
                                                         &locations, &why));
  if (!object) {
    trouble wrong{trouble::kind::bad_input, ::openxpc_error_get_message(why)};
    ::xpc_release(why);
    return wrong;
  }
  outcome<reading> result = read_with(std::move(object), locations, file);
  ::openxpc_plist_locations_destroy(locations);
  return result;
}

outcome<reading> read(object_ref object, const std::string& origin) {
  return read_with(std::move(object), nullptr, origin);
}

}  // namespace openxpc::job
