// MachServices: the names of a job's services, and what holds for each.

#include "job/name.hpp"
#include "job/read_keys.hpp"

namespace openxpc::job {

namespace {

struct reading_of_options {
  name_options options;
  bool has_requirement = false;
};

/// Until it can be judged a job that asks for it is not loaded: it would be open to everybody.
void read_requirement(reader& in, const key_path& path, xpc_object_t value) {
  std::string text;
  if (!in.text_not_empty(path, value, &text)) return;
  in.error(path,
           "is not judged yet: who signed a program is not looked at, so the job is not loaded; "
           "give AllowAnyPeer true to let everybody speak to it");
}

void read_option(reader& in, const key_path& path, xpc_object_t value, reading_of_options* out) {
  const std::string& option = path.back();
  if (option == "ResetAtClose") {
    in.boolean(path, value, &out->options.reset_at_close);
  } else if (option == "HideUntilCheckIn") {
    in.boolean(path, value, &out->options.hide_until_check_in);
  } else if (option == "AllowAnyPeer") {
    in.boolean(path, value, &out->options.allow_any_peer);
  } else if (option == "Requirement") {
    out->has_requirement = true;
    read_requirement(in, path, value);
  } else {
    in.warn(path, "has no effect: there is no such option");
  }
}

void add_name(reader& in, const key_path& path, const reading_of_options& read, description* job) {
  const std::string& name = path.back();
  job->names.push_back(name);
  if (read.options != name_options()) job->options_of_names[name] = read.options;
  if (read.has_requirement && read.options.allow_any_peer) {
    in.error(path, "Requirement and AllowAnyPeer true exclude each other");
  } else if (!read.has_requirement && !read.options.allow_any_peer) {
    in.error_in(finding::scope::any_peer, path,
                "expected Requirement or AllowAnyPeer true, which a name needs in the system "
                "domain");
  }
}

}  // namespace

/// Rule 240: a value of true or a dictionary advertises the name; false does not.
void read_names(reader& in, const key_path& path, xpc_object_t value, description* job) {
  if (!in.is_dictionary(path, value, "dictionary")) return;
  each_entry(value, [&](const std::string& name, xpc_object_t options) {
    const key_path here{path.front(), name};
    if (auto wrong = wrong_with_name(name)) return in.error(here, *wrong);
    reading_of_options read;
    if (is(options, OPENXPC_TYPE_DICTIONARY)) {
      each_entry(options, [&](const std::string& option, xpc_object_t one) {
        read_option(in, {path.front(), name, option}, one, &read);
      });
      return add_name(in, here, read, job);
    }
    bool advertised = false;
    if (!is(options, OPENXPC_TYPE_BOOL)) {
      in.expected(here, "bool or dictionary", options);
    } else if (in.boolean(here, options, &advertised) && advertised) {
      add_name(in, here, read, job);
    }
  });
}

}  // namespace openxpc::job
