// From a description to a process: each step may take its time (launching.hpp), and goes on where
// the one before it ends.

#include "supervise/environment.hpp"
#include "supervise/hardened.hpp"
#include "supervise/job_root.hpp"
#include "supervise/launching.hpp"
#include "supervise/private_place.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"

#include <signal.h>

#include <cerrno>
#include <cstdlib>

#include "journal.hpp"

namespace openxpc::supervise {

namespace {

/// The new process enters it while whoever makes it waits.
bool is_near_directory(const std::string& path) {
  return path == "/" || open_trusted(path, reach::near);
}

}  // namespace

/// `step` for the job, unless that start was given up meanwhile.
template <class T>
base::function<void(T)> supervisor::then(const job_ref& job, const start_ref& start,
                                         void (supervisor::*step)(const job_ref&, const start_ref&,
                                                                  T)) {
  return [self = self_, weak = std::weak_ptr(job), start, step](T result) {
    job_ref here = weak.lock();
    if (*self != nullptr && here && here->start == start)
      ((*self)->*step)(here, start, std::move(result));
  };
}

/// @param beside  the next version, with its sockets; nullptr: the job's own process
void supervisor::begin_start(const job_ref& job, std::unique_ptr<candidate> beside) {
  auto start = std::make_shared<launching>();
  job->start = start;
  start->beside = std::move(beside);
  start->order->label = job->job.label;
  spawn_plan& plan = start->order->plan;
  plan.process = job->job.process;
  if (directory_.is_system()) {
    outcome<std::optional<credentials>> who = credentials_of(job->job.process);
    if (!who) return end_start(job, start, who.error());
    start->owner = plan.identity = std::move(*who);
    if (failure_of why = harden(job->job.process, options_.hardened_group, &plan.identity))
      return end_start(job, start, std::move(*why));
  }
  std::map<std::string, std::string> declared = variables_;
  for (const auto& [name, value] : job->job.environment) declared[name] = value;
  plan.environment = job_environment(environ, declared, plan.identity);
  seek_program(program_of(job->job, plan.environment), then(job, start, &supervisor::on_program));
}

/// What the process gets beside its files.
void supervisor::plan_start(supervised& job, launching& start) {
  spawn_plan& plan = start.order->plan;
  plan.what = &start.order->what;
  for (std::size_t i = 0; i < job.names.size(); ++i) {
    const owned_name& name = job.names[i];
    const domain::bound_name& bound = start.beside ? start.beside->sockets[i] : name.bound;
    plan.listeners.emplace_back(name.name, bound.socket.get());
  }
  for (const owned_socket& one : job.sockets) {
    plan.listeners.emplace_back(one.it.name, one.it.fd.get());
  }
  plan.service_names = job.names.size();
  plan.domain_path = directory_.path();
  plan.own_keyring = directory_.is_system();
  plan.domain_fd = plan.link_domain_fd = directory_.borrowed_fd();
  if (options_.service_links) plan.link_socket = domain::control_name;
  if (start.root) {
    start.enclosed = enclosed_directory(directory_.borrowed_fd());
    if (!start.enclosed) {
      say(job.job.label, system_trouble(errno, "RootDirectory: it is told of no domain").text);
    }
    plan.root_fd = start.root.get();
    plan.domain_fd = start.enclosed.get();
  }
  plan.working_directory = job.job.working_directory;
  plan.run_fd = saved_.borrowed_fd();
  plan.run_file =
      start.beside ? run_state::next_run_file(job.job.label) : run_state::run_file(job.job.label);
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
}

void supervisor::on_program(const job_ref& job, const start_ref& start,
                            outcome<found_program> found) {
  if (found) start->root = std::move(found->root);
  outcome<program> what = choose_program(
      *job, found ? outcome<program>(std::move(found->what)) : found.error(), &start->image);
  if (start->beside) versions_of(*job).on_trial = start->image.what;
  if (!what) return end_start(job, start, what.error());
  start->order->what = std::move(*what);
  plan_start(*job, *start);
  const bool trusted = directory_.is_system() && (!start->owner || start->owner->uid == 0);
  open_given_files(job->job, start->owner, trusted, start->files,
                   then(job, start, &supervisor::on_files));
}

void supervisor::on_files(const job_ref& job, const start_ref& start, failure_of why) {
  if (why) return end_start(job, start, std::move(*why));
  process_order& order = *start->order;
  given_files& files = *start->files;
  spawn_plan& plan = order.plan;
  keep_output(*job, &files);
  plan.stdin_fd = files.in.get();
  plan.stdout_fd = files.out.get();
  if (files.out && goes_to_journal(job->job)) {
    plan.environment.push_back("JOURNAL_STREAM=" + journal::stream_of(files.out.get()));
  }
  plan.stderr_fd = files.error ? files.error.get() : job->kept_output.get();
  outcome<job_cgroup> group = groups_.make(job->job.label, job->job.group_limits);
  if (!group) return end_start(job, start, group.error());
  start->group = std::move(*group);
  plan.cgroup_fd = start->group.borrowed_fd();
  const bool may_hang =
      order.what.may_hang || start->root || !is_near_directory(plan.working_directory);
  if (may_hang) return spawn_apart(job, start);
  // What was lent in the low room is closed there.
  if (files.served_mount.empty()) plan.room = &room_;
  outcome<spawned> child = spawn(plan);
  if (!child) return end_start(job, start, child.error());
  end_start(job, start, untaken_process(std::move(*child)));
}

/// The exec may never end: a thread waits for it.
void supervisor::spawn_apart(const job_ref& job, const start_ref& start) {
  if (failure_of why = start->order->own()) return end_start(job, start, std::move(*why));
  const std::shared_ptr<process_order> order = start->order;
  being_born_.insert(order);
  looks().ask<untaken_process>(
      order->what.path,
      [order]() -> outcome<untaken_process> {
        outcome<spawned> child = spawn(order->plan);
        if (!child) return child.error();
        return untaken_process(std::move(*child));
      },
      [self = self_, order,
       go_on = then(job, start, &supervisor::end_start)](outcome<untaken_process> child) {
        if (*self == nullptr) return;
        // Given up, it must never become the program.
        if (!child) kill_newborn(*order);
        (*self)->being_born_.erase(order);
        go_on(std::move(child));
      },
      order->born);
}

void supervisor::kill_newborn(const process_order& order) {
  if (const pid_t pid = order.born->load()) ::kill(pid, SIGKILL);
}

void supervisor::end_start(const job_ref& job, const start_ref& start,
                           outcome<untaken_process> child) {
  job->start.reset();
  outcome<spawned> process =
      child ? outcome<spawned>(child->take()) : outcome<spawned>(child.error());
  if (process) process->group = std::move(start->group);
  if (start->beside) return end_start_beside(job, *start, std::move(process));
  if (!process && start->image.on_trial && process.error().what != trouble::kind::unavailable) {
    reject(*job, start->image.what, "cannot be started: " + process.error().text);
    return begin_start(job, nullptr);
  }
  const event result = take_process(*job, *start, std::move(process));
  if (job->run) watch_exit(job);
  std::vector<done> waiting = std::move(job->await_start);
  job->await_start.clear();
  apply(job, result);
  for (done& one : waiting) {
    if (result == event::spawned || result == event::spawned_on_trial) {
      one(std::nullopt);
    } else {
      one(trouble{
          result == event::spawn_failed ? trouble::kind::not_found : trouble::kind::unavailable,
          job->reason});
    }
  }
}

event supervisor::take_process(supervised& job, launching& start, outcome<spawned> child) {
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
  job.run->image = std::move(start.image);
  job.run->started = base::boot_clock::now();
  job.limits.started(job.run->started);
  processes_[job.run->id.pid] = job.job.label;
  say(job.job.label, "started, pid " + std::to_string(job.run->id.pid));
  if (failure_of why = save(job)) say(job.job.label, why->text);
  return job.run->image.on_trial ? event::spawned_on_trial : event::spawned;
}

/// Before it has come to a process.
void supervisor::give_start_up(const job_ref& job) {
  const start_ref start = std::move(job->start);
  job->start.reset();
  kill_newborn(*start->order);
  if (start->beside) return forget_candidate(*job, *start->beside);
  saved_.forget_run(job->job.label);
}

/// A start that has come to no process yet ends at once, but not within the duty that asks for it.
void supervisor::end_instead_of_start(const job_ref& job) {
  give_start_up(job);
  asio::post(loop_, [self = self_, weak = std::weak_ptr(job)] {
    job_ref here = weak.lock();
    if (*self != nullptr && here && !here->run && is_ending(here->at))
      (*self)->apply(here, event::exited);
  });
}

/// Its label; empty: no process of that number is on its way to becoming a job's.
std::string supervisor::newborn_label(pid_t pid) const {
  for (const auto& order : being_born_)
    if (order->born->load() == pid) return order->label;
  return {};
}

/// A process that does something, or ended, is past its exec: whoever made it will say so at once.
void supervisor::settle_newborn(pid_t pid) {
  if (being_born_.empty() || newborn_label(pid).empty()) return;
  looks().settle([&] { return newborn_label(pid).empty(); });
}

}  // namespace openxpc::supervise
