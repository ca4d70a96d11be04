// Going to a new version of a job's program, and back.

#include "supervise/upgrade.hpp"

#include "supervise/environment.hpp"
#include "supervise/private_place.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"

#include <xpc/openxpc/error.h>
#include <xpc/openxpc/service.h>

#include <sys/wait.h>
#include <unistd.h>

namespace openxpc::supervise {

namespace {

constexpr const char* where_to =
    "; the version that checked in last serves on (libraries are not rolled back)";

}  // namespace

upgrades& supervisor::versions_of(supervised& job) {
  if (!job.versions) job.versions = std::make_unique<upgrades>();
  return *job.versions;
}

// --- The verb --------------------------------------------------------------------------------

void supervisor::upgrade(const std::string& label, bool force,
                         base::function<void(outcome<object_ref>)> finished) {
  job_ref job = find(label);
  if (!job) return finished(no_such_job(label));
  if (job->at == state::removing || job->at == state::gone) {
    return finished(trouble{trouble::kind::conflict, label + ": is being removed"});
  }
  upgrades& all = versions_of(*job);
  const bool under_way = !all.waiting.empty() || job->at == state::upgrading;
  all.waiting.push_back(std::move(finished));
  if (under_way) return;
  all.looking = true;
  seek_program(program_of(job->job, job_environment(environ, job->job.environment)),
               [self = self_, job, force](outcome<found_program> named) {
                 if (*self == nullptr) return;
                 job->versions->looking = false;
                 (*self)->upgrade_to(job, force, named ? named->what.version : file_identity(),
                                     named ? failure_of() : failure_of(named.error()));
               });
}

/// What is at the program's path is known.
void supervisor::upgrade_to(const job_ref& job, bool force, const file_identity& version,
                            failure_of wrong) {
  upgrades& all = versions_of(*job);
  if (wrong && job->at != state::gone) {
    wrong->text = job->job.label + ": is not upgraded: " + wrong->text;
    auto waiting = std::exchange(all.waiting, {});
    for (auto& one : waiting) one(*wrong);
    return;
  }
  all.failure.clear();
  all.result = "upgraded";
  const bool runs = job->run && !is_ending(job->at);
  if (!force && runs && job->run->image.what == version) {
    all.result = "unchanged";
    return settle_upgrade(job);
  }
  if (runs && job->at == state::starting) return put_decision_off(job);
  decide_upgrade(job);
}

/// What has checked in is what to go back to, and two versions may run beside each other if it has
/// a link. Its clients may have been served before we hear of either, so it gets as long as links
/// have after a start of xpcd.
void supervisor::put_decision_off(const job_ref& job) {
  upgrades& all = versions_of(*job);
  const auto left = job->run->started + options_.hand_back_time - base::boot_clock::now();
  all.undecided = std::make_unique<asio::steady_timer>(
      loop_, std::chrono::duration_cast<asio::steady_timer::duration>(left));
  all.undecided->async_wait(
      [self = self_, weak = std::weak_ptr(job)](const asio::error_code& error) {
        job_ref here = weak.lock();
        if (!error && *self != nullptr && here && here->versions && here->versions->undecided)
          (*self)->decide_upgrade(here);
      });
}

void supervisor::decide_upgrade(const job_ref& job) {
  upgrades& all = versions_of(*job);
  all.undecided.reset();
  job->limits.forgive();
  all.rejected.reset();
  if (job->at == state::removing || job->at == state::gone) return settle_upgrade(job);
  const bool beside = job->job.upgrade_overlap && job->at == state::running &&
                      (job->run->link || job->run->returns) && !job->run->estranged && !job->apart;
  const bool runs = job->run && !is_ending(job->at);
  say(job->job.label, runs ? "is upgraded" : "starts its new version when it is needed");
  apply(job, beside ? event::upgrade_beside : event::upgrade_after);
}

void supervisor::rejoin_upgrade(const std::string& label,
                                base::function<void(outcome<object_ref>)> finished) {
  job_ref job = find(label);
  if (!job || job->at == state::gone) return finished(no_such_job(label));
  versions_of(*job).waiting.push_back(std::move(finished));
  settle_upgrade(job);
}

/// Tells those who wait for the verb once nothing is left to happen.
void supervisor::settle_upgrade(const job_ref& job) {
  if (!job->versions || job->versions->waiting.empty()) return;
  upgrades& all = *job->versions;
  const bool on_trial = job->at == state::starting && job->run && job->run->image.on_trial;
  if (job->at == state::upgrading || is_ending(job->at) || on_trial || !all.retired.empty() ||
      all.next || all.undecided || all.looking || job->start) {
    return;
  }
  object_ref reply = new_dictionary();
  set(reply.get(), "label", job->job.label);
  set(reply.get(), "result",
      !all.failure.empty() ? "rolled-back"
      : job->run           ? all.result
                           : "not-running");
  if (!all.failure.empty()) set(reply.get(), "reason", job->job.label + ": " + all.failure);
  if (job->run) set(reply.get(), "pid", static_cast<std::int64_t>(job->run->id.pid));
  set(reply.get(), "generation", static_cast<std::int64_t>(job->generation));
  auto waiting = std::move(all.waiting);
  all.waiting.clear();
  for (auto& one : waiting) {
    if (job->at == state::gone) {
      one(no_such_job(job->job.label));
    } else {
      one(retain(reply.get()));
    }
  }
}

// --- Which version is started ------------------------------------------------------------------

/// What is at the path, unless that was rejected or cannot be started: then the version that
/// checked in last, where there is one.
outcome<program> supervisor::choose_program(supervised& job, outcome<program> named,
                                            program_image* image) {
  upgrades* known = job.versions.get();
  const bool can_go_back = known != nullptr && is_intact(known->held);
  // Half a file, as an installation under way leaves it, is no reason to serve nobody.
  const bool half = !named && named.error().number == ENOEXEC;
  const bool rejected = named && known && known->rejected && named->version == *known->rejected;
  if (can_go_back && (half || rejected)) {
    program back;
    back.file = base::fd::copy(known->held.file.get());
    if (!back.file) return system_trouble(errno, job.job.program);
    back.path = named ? named->path : job.job.program;
    back.arguments = job.job.arguments;
    if (back.arguments.empty()) back.arguments.push_back(back.path);
    back.version = known->held.what;
    image->what = known->held.what;
    image->file = base::fd::copy(back.file.get());
    image->held = true;
    if (half) say(job.job.label, named.error().text + where_to);
    return back;
  }
  if (!named) return named;
  if (!named->is_script) image->file = base::fd::copy(named->file.get());
  image->what = named->version;
  // What the verb starts must get as far as checking in, too, even if it is the same file.
  image->on_trial =
      can_go_back && (!known->waiting.empty() || !(named->version == known->held.what));
  if (image->on_trial) known->on_trial = image->what;
  return named;
}

/// The process checked in: its executable is the one to go back to.
void supervisor::hold_program(supervised& job) {
  if (!job.run) return;
  job_run& run = *job.run;
  upgrades& all = versions_of(job);
  program_image& image = run.image;
  if (image.held) return;
  if (!image.file && !run.child) {
    const outcome<found_program> named =
        find_program_now(program_of(job.job, job_environment(environ, job.job.environment)));
    const std::string path = named ? named->what.path : job.job.program;
    image = image_of_process(run.id.pid, run.pidfd.get(), path.c_str());
  }
  image.on_trial = false;
  all.rolled_back.clear();
  all.held.what = image.what;
  all.held.file = image.file ? base::fd::copy(image.file.get()) : base::fd();
}

/// Why the new version is not the one that serves.
void supervisor::reject(supervised& job, std::optional<file_identity> version,
                        const std::string& why) {
  upgrades& all = versions_of(job);
  all.rejected = version;
  all.failure = "the new version " + why + where_to;
  all.rolled_back = all.failure;
  say(job.job.label, all.failure);
}

std::string supervisor::check_in_too_late() const {
  return "did not say that it is ready within " + std::to_string(options_.check_in_time.count()) +
         " s";
}

// --- Beside ------------------------------------------------------------------------------------

void supervisor::start_candidate(const job_ref& job) {
  auto next = std::make_unique<candidate>(loop_);
  for (const owned_name& name : job->names) {
    outcome<domain::bound_name> bound = directory_.prepare(name.name);
    if (!bound) return candidate_failed(job, {}, bound.error());
    next->sockets.push_back(std::move(*bound));
  }
  begin_start(job, std::move(next));
}

/// @param version  of the candidate
void supervisor::candidate_failed(const job_ref& job, const file_identity& version,
                                  const trouble& why) {
  for (const owned_name& name : job->names) directory_.discard(name.name);
  saved_.forget_next_run(job->job.label);
  // For lack of resources it is not to blame.
  std::optional<file_identity> wrong;
  if (why.what != trouble::kind::unavailable) wrong = version;
  reject(*job, wrong, "cannot be started: " + why.text);
  apply(job, event::candidate_lost);
}

void supervisor::end_start_beside(const job_ref& job, launching& start, outcome<spawned> child) {
  if (!child) return candidate_failed(job, start.image.what, child.error());
  std::unique_ptr<candidate> next = std::move(start.beside);
  next->run.image = std::move(start.image);
  next->run.id = child->id;
  next->run.pidfd = std::move(child->pidfd);
  next->run.group = std::move(child->group);
  next->run.started = base::boot_clock::now();
  next->generation = job->generation + 1;
  processes_[next->run.id.pid] = job->job.label;
  ++job->start_count;
  say(job->job.label,
      "the new version was started beside it, pid " + std::to_string(next->run.id.pid));
  versions_of(*job).next = std::move(next);
}

/// Puts the candidate in the place of the job's process. New connections go to it from here on, and
/// those that wait at the old sockets are told that they moved.
/// @param has_names  its files have taken the places of the names'; otherwise it serves nobody, and
/// is ended by whoever wants what it cannot serve
void supervisor::take_candidate(const job_ref& job, bool has_names) {
  upgrades& all = *job->versions;
  std::unique_ptr<candidate> next = std::move(all.next);
  next->run.estranged = !has_names;
  std::vector<base::fd> old;
  for (std::size_t i = 0; i < job->names.size(); ++i) {
    owned_name& name = job->names[i];
    name.listener_watch.stop();
    if (!has_names) continue;
    if (name.bound.socket) old.push_back(std::move(name.bound.socket));
    name.bound = std::move(next->sockets[i]);
  }
  if (failure_of why = saved_.advance_run(job->job.label)) say(job->job.label, why->text);
  awaiting_hand_back_.erase(job->job.label);
  job->generation = next->generation;
  job->limits.started(next->run.started);
  std::optional<job_run> before = std::move(job->run);
  job->run.emplace(std::move(next->run));
  if (before) {
    before->idle_timer.cancel();
    retire_run(job, std::move(*before), job->job.exit_timeout);
  }
  // After the request: whoever stops accepting need not see its socket die.
  for (base::fd& socket : old) {
    retire(std::move(socket), OPENXPC_ERROR_INTERRUPTED,
           OPENXPC_REFUSAL_MAY_RETRY | OPENXPC_REFUSAL_MOVED, "a new version serves this name");
  }
  if (failure_of why = save(*job)) say(job->job.label, why->text);
}

void supervisor::hand_names_over(const job_ref& job) {
  if (failure_of why = directory_.reveal(job->job.names)) {
    reject(*job, std::nullopt, "cannot have the names: " + why->text);  // it is not to blame
    return discard_candidate(job);
  }
  take_candidate(job, true);
  say(job->job.label, "the new version is ready and serves from now on");
  hold_program(*job);
  await_idleness(job);
}

/// The job's process died while the candidate was on its way, which serves now whatever it is.
void supervisor::promote_candidate(const job_ref& job) {
  if (job->start) {
    // It has come to no process yet, so there is nothing to promote.
    give_start_up(job);
    settle_names(*job, true);
    return begin_start(job, nullptr);
  }
  if (!job->versions || !job->versions->next) return;
  job->reason.clear();
  const failure_of why = directory_.reveal(job->job.names);
  if (why) say(job->job.label, "the names keep their old sockets: " + why->text);
  take_candidate(job, !why);
  saved_.forget_old_run(job->job.label);
  for (owned_name& name : job->names) {
    if (name.options.hide_until_check_in) hide_name(*job, name);
  }
}

void supervisor::give_candidate_up(const job_ref& job) {
  if (job->start) give_start_up(job);
  if (!job->versions || !job->versions->next) return;
  if (job->at == state::running)
    reject(*job, job->versions->next->run.image.what, check_in_too_late());
  discard_candidate(job);
}

/// Nobody is served by it.
void supervisor::discard_candidate(const job_ref& job) {
  std::unique_ptr<candidate> next = std::move(job->versions->next);
  forget_candidate(*job, *next);
  kill_group(next->run);
  retire_run(job, std::move(next->run), std::chrono::seconds(0));
}

void supervisor::forget_candidate(supervised& job, candidate& next) {
  for (const owned_name& name : job.names) directory_.discard(name.name);
  saved_.forget_next_run(job.job.label);
  // It may live on in children of that process.
  for (domain::bound_name& bound : next.sockets) {
    retire(std::move(bound.socket), OPENXPC_ERROR_INTERRUPTED,
           OPENXPC_REFUSAL_MAY_RETRY | OPENXPC_REFUSAL_MOVED, "this version was given up");
  }
}

// --- Processes without a name ------------------------------------------------------------------

/// Asks it to end, and kills it when `time` is over; zero: never.
void supervisor::retire_run(const job_ref& job, job_run run, std::chrono::seconds time) {
  upgrades& all = versions_of(*job);
  all.retired.emplace_back(loop_, std::move(run));
  retired_run& one = all.retired.back();
  one.run.asked = true;
  watch_retired(job, one);
  ask_to_end(one.run, job->job);
  if (time.count() != 0) kill_when_late(job, one, asio::steady_timer::clock_type::now() + time);
}

void supervisor::watch_retired(const job_ref& job, retired_run& one) {
  if (one.run.child) return;
  // It was watched for the job's own process.
  one.run.exit_watch.stop();
  const bool watched = one.run.exit_watch.start(
      one.run.pidfd.get(), [self = self_, weak = std::weak_ptr(job), pid = one.run.id.pid] {
        job_ref here = weak.lock();
        if (*self != nullptr && here) (*self)->on_other_exit(here, pid, std::nullopt);
      });
  if (!watched) say(job->job.label, "the end of its old version cannot be watched");
}

void supervisor::kill_when_late(const job_ref& job, retired_run& one,
                                asio::steady_timer::time_point when) {
  one.time.expires_at(when);
  one.time.async_wait([self = self_, weak = std::weak_ptr(job),
                       pid = one.run.id.pid](const asio::error_code& error) {
    job_ref here = weak.lock();
    if (error || *self == nullptr || !here || !here->versions) return;
    for (retired_run& late : here->versions->retired) {
      if (late.run.id.pid != pid) continue;
      say(here->job.label, "its old version does not end, is killed");
      kill_group(late.run);
    }
  });
}

/// The end of a process that is not the job's own: the candidate, or one that was retired.
void supervisor::on_other_exit(const job_ref& job, pid_t pid, std::optional<int> status) {
  upgrades& all = versions_of(*job);
  auto bury = [&](job_run& run) {
    if (!job->job.abandon_process_group) kill_group(run);
    siginfo_t info{};
    if (run.child) ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG);
    run.exit_watch.stop();
    processes_.erase(pid);
  };
  if (all.next && all.next->run.id.pid == pid) {
    std::unique_ptr<candidate> next = std::move(all.next);
    bury(next->run);
    forget_candidate(*job, *next);
    reject(*job, next->run.image.what, describe_end(status) + " before it was ready");
    apply(job, event::candidate_lost);
    return;
  }
  for (auto at = all.retired.begin(); at != all.retired.end(); ++at) {
    if (at->run.id.pid != pid) continue;
    bury(at->run);
    say(job->job.label,
        "process " + std::to_string(pid) + ", which it had before, " + describe_end(status));
    all.retired.erase(at);
    break;
  }
  if (all.retired.empty()) {
    saved_.forget_old_run(job->job.label);
    if (all.forget_when_retired) return forget(job);
  }
  settle_upgrade(job);
}

job_run* supervisor::other_run(supervised& job, pid_t pid) {
  if (!job.versions) return nullptr;
  if (job.versions->next && job.versions->next->run.id.pid == pid) return &job.versions->next->run;
  for (retired_run& one : job.versions->retired) {
    if (one.run.id.pid == pid) return &one.run;
  }
  return nullptr;
}

/// A link from a process that is not the job's own. What it says of sockets counts for nothing: the
/// candidate's are known, and one that was retired can never have the name again.
void supervisor::other_checked_in(const job_ref& job, job_run& run, decltype(job_run::link) link) {
  run.link = std::move(link);
  run.returns = run.ask_later = false;
  if (job->versions->next && &job->versions->next->run == &run) {
    apply(job, event::candidate_ready);
  } else {
    // An xpcd before this one asked it already, or died before it could.
    ask_to_end(run, job->job);
  }
}

/// What an xpcd that was killed in the middle of an upgrade left behind.
void supervisor::take_over_others(const job_ref& job) {
  const std::string& label = job->job.label;
  for (const std::string& name : job->job.names) directory_.discard(name);
  auto adopt = [&](const std::optional<saved_run>& saved) {
    base::fd pidfd = saved ? open_process(saved->id) : base::fd();
    std::optional<job_run> run;
    if (!pidfd) return run;
    run.emplace(loop_);
    run->id = saved->id;
    run->pidfd = std::move(pidfd);
    run->child = false;
    run->group = groups_.find(run->id.pid, label);
    processes_[run->id.pid] = label;
    return run;
  };
  if (std::optional<job_run> next = adopt(saved_.load_next_run(label))) {
    say(label, "its upgrade was cut short; the old version goes on");
    kill_group(*next);
    retire_run(job, std::move(*next), std::chrono::seconds(0));
  }
  saved_.forget_next_run(label);
  if (std::optional<job_run> old = adopt(saved_.load_old_run(label))) {
    retire_run(job, std::move(*old), job->job.exit_timeout);
  } else {
    saved_.forget_old_run(label);
  }
}

}  // namespace openxpc::supervise
