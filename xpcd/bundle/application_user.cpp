#include "bundle/application_user.hpp"

#include "base/poll_now.hpp"
#include "control/confinement.hpp"
#include "supervise/process_status.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

namespace openxpc::bundle {

namespace {

using supervise::status_line;

trouble denied(const caller& who, const std::string& reason) {
  return {trouble::kind::denied, "process " + std::to_string(who.pid) + ": " + reason, EPERM};
}

std::vector<unsigned> numbers_in(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::vector<unsigned> all;
  for (unsigned one = 0; words >> one;) all.push_back(one);
  return all;
}

/// Real, effective, saved and that for files are one and the same.
bool are_one(const std::vector<unsigned>& all) {
  for (const unsigned one : all) {
    if (one != all.front()) return false;
  }
  return all.size() == 4;
}

struct limit_line {
  const char* begin;  // of the line in /proc/PID/limits
  int resource;
  const char* name;
};
constexpr limit_line limit_lines[] = {
    {"Max cpu time ", RLIMIT_CPU, "CPU"},
    {"Max file size ", RLIMIT_FSIZE, "FileSize"},
    {"Max data size ", RLIMIT_DATA, "Data"},
    {"Max stack size ", RLIMIT_STACK, "Stack"},
    {"Max core file size ", RLIMIT_CORE, "Core"},
    {"Max processes ", RLIMIT_NPROC, "NumberOfProcesses"},
    {"Max open files ", RLIMIT_NOFILE, "NumberOfFiles"},
    {"Max locked memory ", RLIMIT_MEMLOCK, "MemoryLock"},
    {"Max address space ", RLIMIT_AS, "AddressSpace"},
    {"Max nice priority ", RLIMIT_NICE, "Nice"},
    {"Max realtime priority ", RLIMIT_RTPRIO, "RealtimePriority"},
};

std::uint64_t limit_in(const std::string& word) {
  return word == "unlimited" ? RLIM_INFINITY : std::strtoull(word.c_str(), nullptr, 10);
}

/// Its own, or its services would be a way around them, but no more than xpcd can give. From
/// /proc: to ask the system call about others takes a right that root in a container often lacks.
std::vector<job::resource_limit> limits_in(const std::string& text) {
  std::vector<job::resource_limit> result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    for (const limit_line& one : limit_lines) {
      if (!line.starts_with(one.begin)) continue;
      std::istringstream words(line.substr(std::strlen(one.begin)));
      std::string soft, hard;
      rlimit ours{};
      if (!(words >> soft >> hard) ||
          ::getrlimit(static_cast<__rlimit_resource>(one.resource), &ours) != 0) {
        continue;
      }
      const std::uint64_t most = ours.rlim_max;
      result.push_back(
          {one.resource, one.name, std::min(limit_in(soft), most), std::min(limit_in(hard), most)});
    }
  }
  return result;
}

/// A file that brings a user or a group with it may be run by anybody; who it is run by decides
/// where it stands, so it decides what stands beside it.
bool brings_rights(pid_t pid) {
  struct stat file{};
  return ::stat(("/proc/" + std::to_string(pid) + "/exe").c_str(), &file) != 0 ||
         (file.st_mode & (S_ISUID | S_ISGID)) != 0;
}

}  // namespace

outcome<job::process_setup> setup_as(const caller& who, job::service_type type) {
  if (failure_of confined = control::confinement_of(who.pid, who.pidfd.get())) {
    return denied(who, confined->text + ", and its services would not be");
  }
  const std::string path = "/proc/" + std::to_string(who.pid);
  const base::fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::string status = supervise::read_proc_file(directory.get(), "status");
  const bool has_rights = brings_rights(who.pid);
  const std::string limits = supervise::read_proc_file(directory.get(), "limits");
  // From here on nothing is looked up by the number any more: what was read was this process's.
  if (base::has_ended(who.pidfd.get())) return denied(who, "is gone");
  const std::vector<unsigned> users = numbers_in(status_line(status, "Uid"));
  const std::vector<unsigned> groups = numbers_in(status_line(status, "Gid"));
  if (!are_one(users) || !are_one(groups) || users.front() != who.user || has_rights) {
    return denied(who,
                  "has a user or a group of its program's, or changes them: its services cannot be "
                  "given the same");
  }
  job::process_setup setup;
  setup.user = std::to_string(users.front());
  setup.no_new_privileges = numbers_in(status_line(status, "NoNewPrivs")) == std::vector{1u};
  if (type == job::service_type::user) return setup;
  setup.group = std::to_string(groups.front());
  setup.groups.emplace();
  for (const unsigned one : numbers_in(status_line(status, "Groups"))) setup.groups->push_back(one);
  setup.limits = limits_in(limits);
  return setup;
}

}  // namespace openxpc::bundle
