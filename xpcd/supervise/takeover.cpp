// Taking over from an xpcd that was killed: its jobs, their processes, and the sockets these hand
// back.

#include "base/poll_now.hpp"
#include "domain/socket_diag.hpp"
#include "supervise/output.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"

#include <signal.h>
#include <sys/stat.h>

namespace openxpc::supervise {

namespace {

/// The clock begins anew with the machine: what a directory that outlasted it says lies ahead.
void forget_another_boot(saved_job* saved) {
  const base::instant now = base::boot_clock::now();
  if (saved->loaded <= now && saved->started <= now) return;
  saved->loaded = now;
  saved->started = {};
  saved->at = state::idle;
  saved->timer_at = base::never;
  if (saved->last) saved->last->when = now;
}

}  // namespace

void supervisor::take_over() {
  const std::optional<std::set<std::string>> mounts = saved_.load_mounts();
  for (const std::string& label : saved_.labels()) take_over_job(label);
  for (const std::string& label : labels()) {
    if (job_ref job = find(label))
      for (companion* one : companions()) one->arrived(job->job, true);
  }
  restore_refused();
  make_up_for_mounts(mounts);
  await_returns();
}

void supervisor::take_over_job(const std::string& label) {
  outcome<saved_job> saved = saved_.load(label);
  if (!saved) {
    say(label, "is lost: " + saved.error().text);
    saved_.forget(label);
    return;
  }
  outcome<job::reading> reading = job::read(std::move(saved->description), saved->origin);
  if (!reading || reading->job.label != label) {
    say(label, "is lost: its saved description is not one of this job");
    saved_.forget(label);
    return;
  }
  forget_another_boot(&*saved);
  job_ref job = std::make_shared<supervised>(loop_, std::move(reading->job));
  job->object = std::move(reading->object);
  job->origin = saved->origin;
  job->any_peer = saved->any_peer;
  job->generation = saved->generation;
  job->loaded = saved->loaded;
  job->limits.restore(saved->started, saved->quick_ends);
  job->had_files = std::move(saved->socket_files);
  job->kept_output.reset(::openat(saved_.borrowed_fd(), run_state::output_file(label).c_str(),
                                  O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  job->start_count = saved->start_count;
  job->reason = saved->reason;
  job->last = saved->last;
  job->want = saved->wanted ? wish::keep : wish::on_demand;

  take_over_others(job);
  std::optional<saved_run> run = saved_.load_run(label);
  base::fd pidfd = run ? open_process(run->id) : base::fd();
  if (!run || !pidfd) {
    // Nobody holds its sockets, or nobody we could know of.
    if (failure_of why = bind_names(*job)) {
      say(label, "is lost: " + why->text);
      saved_.forget(label);
      return;
    }
    if (failure_of why = bind_sockets(*job)) bind_later(*job, *why);
    jobs_[label] = job;
    if (run) {
      job->last = run_result{std::nullopt, run->id.pid, base::boot_clock::now(), {}};
      saved_.forget_run(label);
      say(label, "its process " + std::to_string(run->id.pid) + " is gone");
      // How it ended nobody can learn, so it counts as a crash.
      tell_output(*job, true);
      apply(job, event::adopt);
      after_run(job, std::nullopt, false);
    } else if (rests(saved->at) && saved->timer_at != base::never) {
      job->at = saved->at;
      set_timer(job, saved->timer_at - base::boot_clock::now());
      update_watches(job);
    } else {
      apply(job, event::load);
    }
    if (job->at == state::gone) return;
    arm_triggers(job);
    return make_up_for_absence(job);
  }
  for (const std::string& text : job->job.names) {
    owned_name& name = job->names.emplace_back(loop_, text, job->job.options_of(text));
    struct stat file;
    name.bound.hidden = name.options.hide_until_check_in &&
                        directory_.stat_name(domain::directory::file_of(text, true), &file);
    owners_[text] = label;
  }
  jobs_[label] = job;
  job->generation = run->generation;
  job->run.emplace(loop_);
  job->run->id = run->id;
  job->run->pidfd = std::move(pidfd);
  job->run->child = false;
  job->run->group = groups_.find(run->id.pid, label);
  job->run->started = job->limits.started();
  processes_[run->id.pid] = label;
  say(label, "still runs, pid " + std::to_string(run->id.pid));
  if (!job->names.empty() || !job->job.sockets.empty()) awaiting_hand_back_.insert(label);
  watch_exit(job);
  apply(job, event::adopt);
  tell_output(*job, false);
  // Only now that it counts as running: what is due must not start it again.
  arm_triggers(job);
  make_up_for_absence(job);
}

failure_of supervisor::hand_back(supervised& job, const std::string& text, base::fd socket) {
  for (owned_name& name : job.names) {
    if (name.name != text) continue;
    if (name.bound.socket) return std::nullopt;  // we have it
    struct stat file;
    const std::string where = domain::directory::file_of(text, name.bound.hidden);
    if (!directory_.stat_name(where, &file) || !domain::is_listener_of_file(socket.get(), file)) {
      return trouble{trouble::kind::bad_input, job.job.label + ": the socket handed back for " +
                                                   text + " is not the one behind the name"};
    }
    name.bound.socket = std::move(socket);
    name.bound.device = file.st_dev;
    name.bound.inode = file.st_ino;
    return std::nullopt;
  }
  return trouble{trouble::kind::denied, job.job.label + ": has no name " + text};
}

failure_of supervisor::check_in(pid_t pid, std::vector<std::pair<std::string, base::fd>> sockets,
                                job_link link) {
  settle_newborn(pid);
  auto at = processes_.find(pid);
  job_ref job = at == processes_.end() ? nullptr : find(at->second);
  if (job_run* other = job ? other_run(*job, pid) : nullptr) {
    other_checked_in(job, *other, std::move(link));
    return std::nullopt;
  }
  if (!job || !job->run || base::has_ended(job->run->pidfd.get())) {
    return trouble{trouble::kind::denied,
                   "process " + std::to_string(pid) + " is not that of any job here"};
  }
  failure_of wrong;
  for (auto& [name, socket] : sockets) {
    if (failure_of why = hand_back(*job, name, std::move(socket))) wrong = why;
  }
  show_names(*job);
  job->run->link = std::move(link);
  hold_program(*job);
  link_is_back(job, *job->run);
  apply(job, event::checked_in);
  await_idleness(job);
  if (awaiting_hand_back_.count(job->job.label)) {
    bool complete = true;
    for (const owned_name& name : job->names) complete = complete && name.bound.socket;
    if (complete) {
      if (!job->names.empty()) say(job->job.label, "handed its sockets back");
      finish_take_over(job->job.label);
    }
  }
  return wrong;
}

void supervisor::drained(pid_t pid) {
  auto at = processes_.find(pid);
  job_ref job = at == processes_.end() ? nullptr : find(at->second);
  // A program may wait for signals only; now one can do no harm.
  if (!job) return;
  if (const job_run* other = other_run(*job, pid)) return send_signal(*other, SIGTERM);
  if (!job->run) return;
  if (!is_ending(job->at) && !job->run->asked_whether_idle) return;
  job->run->asked = true;
  send_signal(*job->run, SIGTERM);
}

void supervisor::link_lost(pid_t pid) {
  auto at = processes_.find(pid);
  job_ref job = at == processes_.end() ? nullptr : find(at->second);
  if (!job) return;
  job_run* run = other_run(*job, pid);
  if (run == nullptr && job->run && job->run->id.pid == pid) run = &*job->run;
  if (run == nullptr) return;
  run->returns = run->returns || (links_return_ && run->link);
  run->link = nullptr;
}

/// What it was to be asked while there was no way to it.
void supervisor::link_is_back(const job_ref& job, job_run& run) {
  run.returns = false;
  if (std::exchange(run.ask_later, false)) ask_to_end(run, job->job);
}

void supervisor::finish_take_over(const std::string& label) {
  awaiting_hand_back_.erase(label);
  if (job_ref job = find(label)) {
    for (owned_name& name : job->names) {
      if (name.bound.socket) continue;
      say(label, "did not hand the socket of " + name.name + " back; bound anew");
      rotate(*job, name);
      if (job->run) job->run->estranged = true;
    }
    update_watches(job);
    // Not before what it is about to hand back.
    asio::post(loop_, [self = self_, weak = std::weak_ptr(job)] {
      job_ref here = weak.lock();
      if (*self != nullptr && here) (*self)->fetch_sockets(here);
    });
  }
  if (awaiting_hand_back_.empty() && settled_) {
    base::function<void()> settled = std::move(settled_);
    settled_ = nullptr;
    settled();
  }
}

void supervisor::when_settled(base::function<void()> settled) {
  if (is_settled()) return settled();
  settled_ = std::move(settled);
}

}  // namespace openxpc::supervise
