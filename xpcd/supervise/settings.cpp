// What applies to the domain and not to one job: disabled labels, variables, numbers.

#include "job/name.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"
#include "supervise/trusted_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace openxpc::supervise {

namespace {

std::optional<std::string> wrong_with_variable(const std::string& name) {
  if (name.empty() || name.find('=') != std::string::npos) return "is no name of a variable";
  const bool ours = name.compare(0, 7, "LISTEN_") == 0 || name.compare(0, 8, "OPENXPC_") == 0;
  if (ours && name != "OPENXPC_TRACE") return "is set by xpcd itself";
  return std::nullopt;
}

std::int64_t open_descriptors() {
  DIR* stream = ::opendir("/proc/self/fd");
  if (stream == nullptr) return -1;
  std::int64_t count = -1;  // the stream's own
  while (const dirent* entry = ::readdir(stream)) count += entry->d_name[0] != '.';
  ::closedir(stream);
  return count;
}

}  // namespace

/// Whether the label was disabled or enabled in this domain; nothing where nobody has said so.
outcome<std::optional<bool>> supervisor::said_of(const std::string& label) const {
  const outcome<std::map<std::string, bool>> all = lasting_.disabled();
  if (!all) return all.error();
  const auto at = all->find(label);
  return at == all->end() ? std::nullopt : std::optional(at->second);
}

/// @param by_itself  what its description says, where nobody has said otherwise
bool supervisor::is_disabled(const std::string& label, bool by_itself) const {
  const outcome<std::optional<bool>> said = said_of(label);
  return said && said->value_or(by_itself);
}

failure_of supervisor::refuse_disabled(const job::description& job) const {
  const outcome<std::optional<bool>> said = said_of(job.label);
  if (!said) return said.error();
  if (!said->value_or(job.disabled)) return std::nullopt;
  return trouble{trouble::kind::denied, job.label + ": is disabled in this domain" +
                                            (said->has_value() ? "" : " by its description") +
                                            "; xpcctl enable " + job.label + " changes that"};
}

/// A client of this domain looks here before it looks in that of the system: a name that the system
/// has would be somebody else here. What is believed of its directory is what only root can write.
failure_of supervisor::refuse_squatting(const job::description& job) {
  if (options_.system_directory.empty() || directory_.is_system()) return std::nullopt;
  outcome<base::fd> system = open_trusted(options_.system_directory);
  if (!system) return std::nullopt;
  for (const std::string& name : job.names) {
    for (const bool hidden : {false, true}) {
      struct stat found;
      const std::string file = domain::directory::file_of(name, hidden);
      if (::fstatat(system->get(), file.c_str(), &found, AT_SYMLINK_NOFOLLOW) < 0) continue;
      const std::string why = "the name " + name + " is the system's, in " +
                              options_.system_directory + ", and no job of a user may have it";
      const std::string line = squatting_.take("refused: " + why, base::boot_clock::now());
      if (!line.empty()) say(job.label, line);
      return trouble{trouble::kind::denied, job.label + ": " + why};
    }
  }
  return std::nullopt;
}

failure_of supervisor::refuse_kind(const job::reading& what, peers allowed) const {
  const job::domain_kind here =
      directory_.is_system() ? job::domain_kind::system : job::domain_kind::user;
  std::string wrong;
  for (const job::reading::objection& one : what.objections) {
    const bool waived = allowed == peers::any && one.where == job::finding::scope::any_peer;
    if (!waived && job::counts_in(one.where, here)) wrong += (wrong.empty() ? "" : "\n") + one.text;
  }
  if (wrong.empty()) return std::nullopt;
  return trouble{trouble::kind::bad_input, wrong};
}

failure_of supervisor::refuse_loading(const job::reading& what, peers allowed) {
  failure_of why = refuse_kind(what, allowed);
  if (!why) why = refuse_squatting(what.job);
  if (!why) why = refuse_disabled(what.job);
  if (!why) why = forbidden(what.job);
  return why;
}

failure_of supervisor::set_disabled(const std::string& label, bool disabled) {
  if (auto wrong = job::wrong_with_name(label)) {
    return trouble{trouble::kind::bad_input, label + ": " + *wrong};
  }
  failure_of why = lasting_.set_disabled(label, disabled);
  if (!why && !disabled) reconsider_refused(label);
  return why;
}

outcome<std::map<std::string, bool>> supervisor::disabled() const { return lasting_.disabled(); }

failure_of supervisor::set_variable(const std::string& name, std::optional<std::string> value) {
  if (auto wrong = wrong_with_variable(name)) {
    return trouble{trouble::kind::bad_input, name + ": " + *wrong};
  }
  std::map<std::string, std::string> changed = variables_;
  if (value) {
    changed[name] = std::move(*value);
  } else {
    changed.erase(name);
  }
  if (failure_of why = saved_.save_variables(changed)) return why;
  variables_ = std::move(changed);
  return std::nullopt;
}

std::optional<std::string> supervisor::variable(const std::string& name) const {
  auto at = variables_.find(name);
  if (at == variables_.end()) return std::nullopt;
  return at->second;
}

object_ref supervisor::stats() const {
  std::map<std::string, std::int64_t> states;
  std::int64_t names = 0, sockets = 0, starts = 0;
  for (const auto& [label, job] : jobs_) {
    ++states[name_of(job->at)];
    names += static_cast<std::int64_t>(job->names.size());
    sockets += static_cast<std::int64_t>(job->sockets.size());
    starts += static_cast<std::int64_t>(job->start_count);
  }
  object_ref by_state = new_dictionary();
  for (const auto& [state, count] : states) set(by_state.get(), state, count);
  object_ref result = new_dictionary();
  set(result.get(), "jobs", static_cast<std::int64_t>(jobs_.size()));
  set(result.get(), "states", std::move(by_state));
  set(result.get(), "names", names);
  set(result.get(), "sockets", sockets);
  set(result.get(), "starts", starts);
  set(result.get(), "up-ms",
      static_cast<std::int64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(base::boot_clock::now() - born_)
              .count()));
  set(result.get(), "descriptors", open_descriptors());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    set(result.get(), "descriptor-limit", static_cast<std::int64_t>(limit.rlim_cur));
  }
  return result;
}

}  // namespace openxpc::supervise
