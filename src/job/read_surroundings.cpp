// Keys that say where a job is loaded and to what it belongs.

#include "job/read_keys.hpp"

namespace openxpc::job {

namespace {

bool strings_or_one(reader& in, const key_path& path, xpc_object_t value,
                    std::vector<std::string>* out) {
  if (is(value, OPENXPC_TYPE_ARRAY)) return in.strings(path, value, out);
  if (!is(value, OPENXPC_TYPE_STRING)) {
    in.expected(path, "string or array of strings", value);
    return false;
  }
  std::string one;
  if (!in.text_not_empty(path, value, &one)) return false;
  *out = {std::move(one)};
  return true;
}

/// Which domain has it: that of a user has all sessions of the user, and nobody's is LoginWindow.
struct session_type {
  const char* name;
  bool of_user, of_system;
};

constexpr session_type session_types[] = {
    {"Aqua", true, false},       {"Background", true, false}, {"LoginWindow", false, false},
    {"StandardIO", true, false}, {"System", false, true},
};

}  // namespace

void read_session_types(reader& in, const key_path& path, xpc_object_t value, description* job) {
  std::vector<std::string> wanted;
  if (!strings_or_one(in, path, value, &wanted)) return;
  bool for_user = false, for_system = false;
  for (const std::string& name : wanted) {
    const session_type* found = nullptr;
    for (const session_type& one : session_types) {
      if (name == one.name) found = &one;
    }
    if (found == nullptr) {
      return in.error(path, "expected Aqua, Background, LoginWindow, StandardIO or System");
    }
    for_user = for_user || found->of_user;
    for_system = for_system || found->of_system;
  }
  if (!for_user) {
    in.error_in(finding::scope::user, path,
                "keeps the job out of the domain of a user, which has Aqua, Background and "
                "StandardIO");
  }
  if (!for_system) {
    in.error_in(finding::scope::system, path,
                "keeps the job out of the system domain, which has System");
  }
  job->session_types = std::move(wanted);
}

void read_associated_bundles(reader& in, const key_path& path, xpc_object_t value,
                             description* job) {
  strings_or_one(in, path, value, &job->associated_bundles);
}

/// What asks to be confined must not run free.
void read_root_directory(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.absolute_path(path, value, &job->root_directory);
  in.error_in(finding::scope::user, path,
              "only root may change the root of a job, and without it the job would see all files; "
              "load it into the system domain");
}

}  // namespace openxpc::job
