// Starting a job: from its description to a process.

#include "supervise/environment.hpp"
#include "supervise/given_files.hpp"
#include "supervise/hardened.hpp"
#include "supervise/job_root.hpp"
#include "supervise/journal_output.hpp"
#include "supervise/output.hpp"
#include "supervise/private_place.hpp"
#include "supervise/program.hpp"
#include "supervise/sockets.hpp"
#include "supervise/spawn.hpp"
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

outcome<program> supervisor::open_program_of(const job::description& job,
                                             const std::vector<std::string>& environment) const {
  program_rule rule;
  rule.trusted = directory_.is_system();
  rule.no_new_privileges = job.process.no_new_privileges;
  if (job.process.hardened) {
    const std::optional<group_entry> group = group_of(options_.hardened_group);
    rule.hardened = group ? group->gid : static_cast<gid_t>(-1);
  }
  const std::string& search_path = value_of(environment, "PATH");
  if (job.root_directory.empty()) {
    return open_program(job.program, job.arguments, search_path, rule);
  }
  outcome<base::fd> root = open_job_root(job.root_directory);
  if (!root) return root.error();
  rule.borrowed_root = root->get();
  outcome<program> found = open_program(job.program, job.arguments, search_path, rule);
  if (found) return found;
  trouble why = found.error();
  why.text = "RootDirectory " + job.root_directory + ": " + why.text;
  return why;
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
  outcome<program> what = open_program_of(
      job, is_path ? std::vector<std::string>() : job_environment(environ, job.environment));
  // One that is not there yet may come; one that may not be started is refused now.
  if (what || what.error().number != EPERM) return std::nullopt;
  trouble why = what.error();
  why.text = job.label + ": " + why.text;
  return why;
}

failure_of supervisor::open_files(supervised& job, const std::optional<credentials>& who,
                                  given_files* files) {
  const bool trusted = directory_.is_system() && (!who || who->uid == 0);
  if (failure_of why = open_given_files(job.job, who, trusted, files)) return why;
  job.kept_output.reset();
  job.told_output = 0;
  if (goes_to_journal(job.job)) {
    files->out = journal::open_stream(job.job.label);
    if (!files->out) say(job.job.label, system_trouble(errno, "its output is lost: journal").text);
  }
  if (files->error) return std::nullopt;
  outcome<base::fd> kept =
      open_kept_output(saved_.borrowed_fd(), run_state::output_file(job.job.label));
  if (kept) {
    job.kept_output = std::move(*kept);
    if (goes_to_journal(job.job)) begin_telling(job.kept_output.get());
  } else {
    // No reason not to start: what it prints is lost, and that is said.
    say(job.job.label, "its standard error is not kept: " + kept.error().text);
  }
  return std::nullopt;
}

/// @param sockets_beside  the next version's own; nullptr: what starts gets the job's names
outcome<spawned> supervisor::spawn_job(supervised& job, program_image* image,
                                       const std::vector<domain::bound_name>* sockets_beside) {
  spawn_plan plan;
  plan.process = job.job.process;
  std::optional<credentials> owner;  // of what it writes
  if (directory_.is_system()) {
    outcome<std::optional<credentials>> who = credentials_of(job.job.process);
    if (!who) return who.error();
    owner = plan.identity = std::move(*who);
    if (failure_of why = harden(job.job.process, options_.hardened_group, &plan.identity)) {
      return *why;
    }
  }
  std::map<std::string, std::string> declared = variables_;
  for (const auto& [name, value] : job.job.environment) declared[name] = value;
  plan.environment = job_environment(environ, declared, plan.identity);
  outcome<program> what = choose_program(job, plan.environment, image);
  if (!what) return what.error();
  plan.what = &*what;
  for (std::size_t i = 0; i < job.names.size(); ++i) {
    const owned_name& name = job.names[i];
    plan.listeners.emplace_back(name.name,
                                (sockets_beside ? (*sockets_beside)[i] : name.bound).socket.get());
  }
  for (const owned_socket& one : job.sockets) {
    plan.listeners.emplace_back(one.it.name, one.it.fd.get());
  }
  plan.service_names = job.names.size();
  plan.domain_path = directory_.path();
  plan.own_keyring = directory_.is_system();
  plan.domain_fd = plan.link_domain_fd = directory_.borrowed_fd();
  if (options_.service_links) plan.link_socket = domain::control_name;
  base::fd root, enclosed;
  if (!job.job.root_directory.empty()) {
    outcome<base::fd> opened = open_job_root(job.job.root_directory);
    if (!opened) return opened.error();
    root = std::move(*opened);
    enclosed = enclosed_directory(directory_.borrowed_fd());
    if (!enclosed) {
      say(job.job.label, system_trouble(errno, "RootDirectory: it is told of no domain").text);
    }
    plan.root_fd = root.get();
    plan.domain_fd = enclosed.get();
  }
  plan.working_directory = job.job.working_directory;
  plan.run_fd = saved_.borrowed_fd();
  plan.run_file =
      sockets_beside ? run_state::next_run_file(job.job.label) : run_state::run_file(job.job.label);
  plan.generation = job.generation + 1;
  if (job.apart) {
    plan.own_session = job.apart->own_session;
    plan.application_fd = job.apart->application.get();
    plan.application_pid = job.apart->application_pid;
  }
  plan.descriptor_limit = options_.descriptor_limit;
  // What xpcd ignores it ignores from before its first launch on.
  static const std::uint64_t ignored = ignored_signals();
  plan.ignored = ignored;
  given_files files;
  if (failure_of why = open_files(job, owner, &files)) return *why;
  // What was lent in the low room is closed there.
  if (files.served_mount.empty()) plan.room = &room_;
  plan.stdin_fd = files.in.get();
  plan.stdout_fd = files.out.get();
  if (files.out && goes_to_journal(job.job)) {
    plan.environment.push_back("JOURNAL_STREAM=" + journal::stream_of(files.out.get()));
  }
  plan.stderr_fd = files.error ? files.error.get() : job.kept_output.get();
  outcome<job_cgroup> group = groups_.make(job.job.label, job.job.group_limits);
  if (!group) return group.error();
  plan.cgroup_fd = group->borrowed_fd();
  outcome<spawned> child = spawn(plan);
  if (child) child->group = std::move(*group);
  return child;
}

event supervisor::start_program(supervised& job) {
  program_image image;
  outcome<spawned> child = spawn_job(job, &image, nullptr);
  if (!child && image.on_trial && child.error().what != trouble::kind::unavailable) {
    reject(job, image.what, "cannot be started: " + child.error().text);
    image = {};
    child = spawn_job(job, &image, nullptr);
  }
  if (!child) {
    // A file system that does not answer now will not be asked again and again: whoever waits is
    // told.
    const bool later =
        child.error().what == trouble::kind::unavailable && child.error().number != ETIMEDOUT;
    saved_.forget_run(job.job.label);
    job.reason = job.job.label + ": cannot be started: " + child.error().text;
    say(job.job.label, "cannot be started: " + child.error().text);
    return later ? event::spawn_delayed : event::spawn_failed;
  }
  ++job.generation;
  ++job.start_count;
  job.reason.clear();
  job.run.emplace(loop_);
  job.run->id = child->id;
  job.run->pidfd = std::move(child->pidfd);
  job.run->group = std::move(child->group);
  job.run->image = std::move(image);
  job.run->started = base::boot_clock::now();
  job.limits.started(job.run->started);
  processes_[job.run->id.pid] = job.job.label;
  say(job.job.label, "started, pid " + std::to_string(job.run->id.pid));
  if (failure_of why = save(job)) say(job.job.label, why->text);
  return job.run->image.on_trial ? event::spawned_on_trial : event::spawned;
}

}  // namespace openxpc::supervise
