// What a job starts with: its program, and where what it prints goes.

#include "supervise/environment.hpp"
#include "supervise/given_files.hpp"
#include "supervise/hardened.hpp"
#include "supervise/journal_output.hpp"
#include "supervise/output.hpp"
#include "supervise/program.hpp"
#include "supervise/supervisor.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "journal.hpp"

namespace openxpc::supervise {

bool supervisor::goes_to_journal(const job::description& job) {
  return job.stdout_path.empty() && job.stderr_path.empty() && journal::is_in_use();
}

/// Standard error goes by way of the kept file, so that its last lines stay here. What the journal
/// does not take at once it gets a little later: xpcd waits for nobody.
void supervisor::tell_output(supervised& job, bool to_the_end) {
  if (!job.kept_output || !goes_to_journal(job.job)) return;
  if (job.told_output < 0) job.told_output = told_part_of(job.kept_output.get());
  if (tell_journal(job.job.label, job.kept_output.get(), &job.told_output, to_the_end)) return;
  if (!untold_.insert(job.job.label).second) return;
  tell_timer_.expires_after(std::chrono::milliseconds(20));
  tell_timer_.async_wait([self = self_](const asio::error_code& error) {
    if (error || *self == nullptr) return;
    for (const std::string& label : std::exchange((*self)->untold_, {})) {
      if (const job_ref here = (*self)->find(label)) (*self)->tell_output(*here, !here->run);
    }
  });
}

void supervisor::on_output(const std::string& label) {
  if (const job_ref job = find(label)) tell_output(*job, false);
}

std::vector<std::string> supervisor::warnings_for(const job::description& job) const {
  std::vector<std::string> result;
  if (directory_.is_system()) return result;
  const std::string behind = ": has no effect: it counts in the system domain only";
  if (!job.process.user.empty()) result.push_back("UserName" + behind);
  if (!job.process.group.empty()) result.push_back("GroupName" + behind);
  return result;
}

program_order supervisor::program_of(const job::description& job,
                                     const std::vector<std::string>& environment) const {
  program_order what{
      job.program, job.arguments, value_of(environment, "PATH"), {}, job.root_directory};
  what.rule.trusted = directory_.is_system();
  what.rule.no_new_privileges = job.process.no_new_privileges;
  if (job.process.hardened) {
    const std::optional<group_entry> group = group_of(options_.hardened_group);
    what.rule.hardened = group ? group->gid : static_cast<gid_t>(-1);
  }
  return what;
}

failure_of supervisor::forbidden(const job::description& job) const {
  if (directory_.is_system()) {
    outcome<std::optional<credentials>> who = credentials_of(job.process);
    failure_of why = who ? harden(job.process, options_.hardened_group, &*who) : std::nullopt;
    if (why && why->number == EPERM) {
      why->text = job.label + ": " + why->text;
      return why;
    }
  }
  // Only a plain name is looked for in the PATH.
  const bool is_path = !job.program.empty() && job.program.front() == '/';
  const outcome<found_program> what = find_program_now(program_of(
      job, is_path ? std::vector<std::string>() : job_environment(environ, job.environment)));
  // One that is not there yet may come; one that may not be started is refused now.
  if (what || what.error().number != EPERM) return std::nullopt;
  trouble why = what.error();
  why.text = job.label + ": " + why.text;
  return why;
}

/// What it prints, where it names no files for that.
void supervisor::keep_output(supervised& job, given_files* files) {
  job.kept_output.reset();
  job.told_output = 0;
  if (goes_to_journal(job.job)) {
    files->out = journal::open_stream(job.job.label);
    if (!files->out) say(job.job.label, system_trouble(errno, "its output is lost: journal").text);
  }
  if (files->error) return;
  outcome<base::fd> kept =
      open_kept_output(saved_.borrowed_fd(), run_state::output_file(job.job.label));
  if (kept) {
    job.kept_output = std::move(*kept);
    if (goes_to_journal(job.job)) begin_telling(job.kept_output.get());
  } else {
    // No reason not to start: what it prints is lost, and that is said.
    say(job.job.label, "its standard error is not kept: " + kept.error().text);
  }
}

}  // namespace openxpc::supervise
