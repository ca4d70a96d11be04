// Keys that act between the fork and the program.

#include "job/read_keys.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>

namespace openxpc::job {

namespace {

constexpr std::int64_t most_umask = 0777;

struct limit_name {
  const char* name;
  int resource;
};

constexpr limit_name limit_names[] = {
    {"CPU", RLIMIT_CPU},
    {"Core", RLIMIT_CORE},
    {"Data", RLIMIT_DATA},
    {"FileSize", RLIMIT_FSIZE},
    {"MemoryLock", RLIMIT_MEMLOCK},
    {"NumberOfFiles", RLIMIT_NOFILE},
    {"NumberOfProcesses", RLIMIT_NPROC},
    {"Stack", RLIMIT_STACK},
};

resource_limit& limit_of(description* job, const limit_name& which) {
  for (resource_limit& one : job->process.limits) {
    if (one.resource == which.resource) return one;
  }
  job->process.limits.push_back({which.resource, which.name, std::nullopt, std::nullopt});
  return job->process.limits.back();
}

/// The two keys are read one after the other, the hard ones first (H before S).
void read_limits(reader& in, const key_path& path, xpc_object_t value, description* job,
                 std::optional<std::uint64_t> resource_limit::* side) {
  if (!in.is_dictionary(path, value, "dictionary of integers")) return;
  each_entry(value, [&](const std::string& name, xpc_object_t number) {
    const key_path here{path.front(), name};
    auto known = std::find_if(std::begin(limit_names), std::end(limit_names),
                              [&](const limit_name& one) { return name == one.name; });
    if (known == std::end(limit_names)) {
      in.warn(here, name == "ResidentSetSize" ? "has no effect here: Linux does not limit that"
                                              : "has no effect: there is no such limit");
      return;
    }
    std::int64_t limit = 0;
    if (!in.integer(here, number, {0, std::numeric_limits<std::int64_t>::max()}, &limit)) return;
    resource_limit& entry = limit_of(job, *known);
    entry.*side = static_cast<std::uint64_t>(limit);
    if (entry.soft && entry.hard && *entry.soft > *entry.hard) {
      in.error(here, "is above the limit in HardResourceLimits");
    }
  });
}

}  // namespace

/// A string is read as strtoul(3) does: a leading 0 makes it octal.
void read_umask(reader& in, const key_path& path, xpc_object_t value, description* job) {
  std::int64_t mask = 0;
  if (!is(value, OPENXPC_TYPE_STRING)) {
    if (in.integer(path, value, {0, most_umask}, &mask)) {
      job->process.umask = static_cast<mode_t>(mask);
    }
    return;
  }
  std::string text;
  if (!in.text(path, value, &text)) return;
  char* end = nullptr;
  errno = 0;
  const unsigned long read = std::strtoul(text.c_str(), &end, 0);
  if (text.empty() || text.front() < '0' || text.front() > '9' || *end != 0 || errno != 0 ||
      read > static_cast<unsigned long>(most_umask)) {
    in.error(path, "expected a number from 0 to 0777, octal with a leading 0");
    return;
  }
  job->process.umask = static_cast<mode_t>(read);
}

void read_nice(reader& in, const key_path& path, xpc_object_t value, description* job) {
  std::int64_t read = 0;
  if (in.integer(path, value, {-20, 19}, &read)) job->process.nice = static_cast<int>(read);
}

void read_soft_limits(reader& in, const key_path& path, xpc_object_t value, description* job) {
  read_limits(in, path, value, job, &resource_limit::soft);
}

void read_hard_limits(reader& in, const key_path& path, xpc_object_t value, description* job) {
  read_limits(in, path, value, job, &resource_limit::hard);
}

void read_user(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.text_not_empty(path, value, &job->process.user);
}

void read_group(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.text_not_empty(path, value, &job->process.group);
}

void read_init_groups(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.boolean(path, value, &job->process.init_groups);
}

void read_process_type(reader& in, const key_path& path, xpc_object_t value, description* job) {
  std::string text;
  if (!in.text(path, value, &text)) return;
  if (text == "Standard") {
    job->process.type = process_type::standard;
  } else if (text == "Background") {
    job->process.type = process_type::background;
  } else if (text == "Interactive") {
    job->process.type = process_type::interactive;
  } else if (text == "Adaptive") {
    job->process.type = process_type::adaptive;
    in.warn(path, "Adaptive acts as Standard here");
  } else {
    in.error(path, "expected Standard, Background, Adaptive or Interactive");
  }
}

void read_low_priority_io(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.boolean(path, value, &job->process.low_priority_io);
}

void read_low_priority_background_io(reader& in, const key_path& path, xpc_object_t value,
                                     description* job) {
  in.boolean(path, value, &job->process.low_priority_background_io);
}

void read_no_new_privileges(reader& in, const key_path& path, xpc_object_t value,
                            description* job) {
  in.boolean(path, value, &job->process.no_new_privileges);
}

/// What asks to be kept apart must not run where everybody of its user can change it.
void read_hardened(reader& in, const key_path& path, xpc_object_t value, description* job) {
  if (!in.boolean(path, value, &job->process.hardened) || !job->process.hardened) return;
  in.error_in(finding::scope::user, path,
              "only xpcd of the system domain can start a program that its own user cannot change; "
              "load it there");
  if (in.find("UserName") == nullptr) {
    in.error(path, "needs UserName: root may read and change every process");
  }
}

void read_wait_for_debugger(reader& in, const key_path& path, xpc_object_t value,
                            description* job) {
  in.boolean(path, value, &job->process.wait_for_debugger);
}

}  // namespace openxpc::job
