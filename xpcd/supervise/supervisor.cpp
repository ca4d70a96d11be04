#include "supervise/supervisor.hpp"

#include "supervise/private_place.hpp"
#include "supervise/sockets.hpp"
#include "supervise/triggers.hpp"

#include <xpc/openxpc/error.h>

#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "activity/activities.hpp"
#include "events/streams.hpp"
#include "log.hpp"

namespace openxpc::supervise {

namespace {

std::chrono::steady_clock::duration for_timer(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::max(time, std::chrono::nanoseconds(0)));
}

}  // namespace

void say(const std::string& label, const std::string& text) {
  log_line(weight::info, label + ": " + text, label);
}

const char* name_of(state at) noexcept {
  switch (at) {
    case state::idle:
      return "waiting";
    case state::throttled:
      return "throttled";
    case state::starting:
    case state::running:
      return "running";
    case state::upgrading:
      return "upgrading";
    case state::stopping:
    case state::restarting:
    case state::removing:
      return "stopping";
    case state::failed:
      return "failed";
    case state::gone:
      return "gone";
  }
  return "unknown";
}

std::string describe_end(const std::optional<int>& status) {
  if (!status) return "ended, nobody knows how";
  if (WIFEXITED(*status)) return "exited with status " + std::to_string(WEXITSTATUS(*status));
  const int signal = WTERMSIG(*status);
  return "was ended by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

supervisor::supervisor(asio::io_context& loop, domain::directory& directory,
                       supervisor_options options)
    : loop_(loop),
      directory_(directory),
      options_(options),
      saved_(directory.borrowed_run_fd()),
      lasting_(options_.state_directory),
      unserved_(directory.borrowed_fd()),
      variables_(saved_.load_variables()),
      born_(base::boot_clock::now()),
      groups_(cgroup_directory_of("self"), cgroup_name(directory.borrowed_fd())),
      watcher_(loop),
      mounts_(loop, [this](bool mounted) { on_mounts_changed(mounted); }),
      wall_clock_watch_(loop),
      hand_back_timer_(loop),
      bind_timer_(loop),
      tell_timer_(loop),
      self_(std::make_shared<supervisor*>(this)) {
  add_companions();
}

supervisor::~supervisor() {
  *self_ = nullptr;
  for (auto& [label, job] : jobs_) disarm_triggers(*job);
  wall_clock_watch_.stop();
}

supervised::supervised(asio::io_context& loop, job::description what)
    : job(std::move(what)), limits(job.throttle_interval), timer(loop) {}
supervised::~supervised() = default;

supervisor::job_ref supervisor::find(const std::string& label) const {
  auto at = jobs_.find(label);
  return at == jobs_.end() ? nullptr : at->second;
}

trouble supervisor::no_such_job(const std::string& label) const {
  const std::string refused = refused_as(label);
  return {trouble::kind::not_found,
          label + ": no such job in this domain" + (refused.empty() ? "" : "; " + refused)};
}

std::vector<std::string> supervisor::labels() const {
  std::vector<std::string> all;
  for (const auto& [label, job] : jobs_) {
    if (!job->apart) all.push_back(label);
  }
  return all;
}

std::string supervisor::owner_of(const std::string& name) const {
  auto at = owners_.find(name);
  return at == owners_.end() ? std::string() : at->second;
}

pid_t supervisor::pid_of(const std::string& label) const {
  job_ref job = find(label);
  return job && job->run ? job->run->id.pid : 0;
}

std::string supervisor::label_of(pid_t pid) const {
  auto at = processes_.find(pid);
  return at == processes_.end() ? newborn_label(pid) : at->second;
}

failure_of supervisor::save(const supervised& job) const {
  if (job.apart) return std::nullopt;  // whoever needs it asks the next xpcd for it
  saved_job all;
  all.description = retain(job.object.get());
  all.origin = job.origin;
  all.any_peer = job.any_peer;
  all.generation = job.generation;
  all.quick_ends = job.limits.quick_ends();
  all.started = job.limits.started();
  all.loaded = job.loaded;
  all.socket_files = socket_files_of(job);
  all.start_count = job.start_count;
  all.wanted = job.want == wish::keep;
  all.at = job.at;
  all.timer_at = job.timer_at;
  all.reason = job.reason;
  all.last = job.last;
  return saved_.save(job.job.label, all);
}

outcome<std::string> supervisor::bootstrap(job::reading what, const std::string& origin,
                                           peers allowed) {
  if (shut_down_) return trouble{trouble::kind::unavailable, "xpcd is shutting down"};
  const job::declaration declared{what.job.label, what.job.names};
  const bool disabled_by_itself = what.job.disabled;
  outcome<std::string> loaded = load(what, origin, allowed);
  if (loaded) {
    forget_refused(origin);
  } else {
    note_refused(origin, declared, loaded.error().text,
                 loaded.error().what == trouble::kind::denied &&
                     is_disabled(declared.label, disabled_by_itself));
  }
  return loaded;
}

outcome<std::string> supervisor::load(job::reading& what, const std::string& origin,
                                      peers allowed) {
  const std::string label = what.job.label;
  if (job_ref other = find(label)) {
    if (other->origin == origin && ::xpc_equal(other->object.get(), what.object.get()))
      return label;
    return trouble{
        trouble::kind::conflict,
        label + ": is loaded already" + (other->origin.empty() ? "" : ", from " + other->origin)};
  }
  for (const std::string& name : what.job.names) {
    const std::string owner = owner_of(name);
    if (!owner.empty()) {
      return trouble{trouble::kind::conflict,
                     label + ": the name " + name + " is taken by the job " + owner};
    }
  }
  if (failure_of why = refuse_loading(what, allowed)) return *why;
  job_ref job = std::make_shared<supervised>(loop_, std::move(what.job));
  job->object = std::move(what.object);
  job->origin = origin;
  job->any_peer = allowed == peers::any;
  job->loaded = base::boot_clock::now();
  if (failure_of why = bind_sockets(*job)) return *why;
  if (failure_of why = bind_names(*job)) {
    unbind_sockets(*job);
    return *why;
  }
  job->want = wish_at_load(*job);
  if (failure_of why = save(*job)) {
    unbind_sockets(*job);
    unbind_names(*job, OPENXPC_ERROR_NOT_FOUND, label + ": could not be loaded");
    return *why;
  }
  saved_.forget_removed(label);
  jobs_[label] = job;
  unserved_.serve(job->job.names);
  apply(job, event::load);
  if (jobs_.count(label) != 0) {
    arm_triggers(job);
    for (companion* one : companions()) one->arrived(job->job, false);
  }
  on_jobs_changed();
  return label;
}

void supervisor::bootout(const std::string& label, done finished) {
  job_ref job = find(label);
  if (!job) return finished(no_such_job(label));
  job->await_gone.push_back(std::move(finished));
  apply(job, event::bootout);
}

void supervisor::kickstart(const std::string& label, bool restart, done finished) {
  job_ref job = find(label);
  if (!job) return finished(no_such_job(label));
  if (job->at == state::removing || job->at == state::gone) {
    return finished(trouble{trouble::kind::conflict, label + ": is being removed"});
  }
  const bool waits = restart || !has_process(job->at) || is_ending(job->at) || job->start;
  job->limits.forgive();
  if (!waits) return finished(std::nullopt);
  job->await_start.push_back(std::move(finished));
  apply(job, restart ? event::restart : event::kickstart);
}

failure_of supervisor::kill(const std::string& label, int signal) {
  job_ref job = find(label);
  if (!job) return no_such_job(label);
  if (signal < 0 || signal >= NSIG) {
    return trouble{trouble::kind::bad_input, "there is no signal " + std::to_string(signal)};
  }
  if (!job->run) return trouble{trouble::kind::not_found, label + ": has no process"};
  if (signal != 0) job->run->asked = true;
  send_signal(*job->run, signal);
  return std::nullopt;
}

void supervisor::apply(const job_ref& borrowed, event what) {
  // A duty may remove it from where the caller found it.
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
  const job_ref job = borrowed;
  const state before = job->at;
  const step next = supervise::next(before, what, job->want);
  job->at = next.to;
  perform(job, next.then);
  if (rests(next.to) && next.to != before && job->at == next.to) {
    if (failure_of why = save(*job)) say(job->job.label, why->text);
  }
  if (job->at != state::gone) update_watches(job);
  if (job->versions && job->versions->undecided && job->at != state::starting) decide_upgrade(job);
  settle_upgrade(job);
}

void supervisor::perform(const job_ref& job, duties what) {
  if (what & untime) clear_timer(*job);
  if (what & drop_candidate) give_candidate_up(job);
  if (what & hand_over) hand_names_over(job);
  if (what & promote) promote_candidate(job);
  if (what & ask_exit) request_exit(job);
  // Where its end was seen it was rejected then.
  if ((what & revert) && job->run) {
    reject(*job, versions_of(*job).on_trial, check_in_too_late());
  }
  if (what & kill_hard) {
    if (!(what & revert)) say(job->job.label, "does not end, is killed");
    if (job->run) kill_group(*job->run);
  }
  if (what & time_check_in) set_timer(job, options_.check_in_time);
  if (what & time_throttle) set_timer(job, job->limits.allowed() - base::boot_clock::now());
  if (what & time_retry) {
    set_timer(job, std::max<std::chrono::nanoseconds>(job->job.throttle_interval,
                                                      std::chrono::seconds(1)));
  }
  if (what & time_failed) set_timer(job, throttle::rest_of_failed);
  if ((what & time_exit) && job->job.exit_timeout.count() > 0)
    set_timer(job, job->job.exit_timeout);
  if (what & refuse) refuse_waiting(job);
  if (what & remove) forget(job);
  if (what & start_beside) start_candidate(job);
  if (what & start) begin_start(job, nullptr);
}

void supervisor::set_timer(const job_ref& job, std::chrono::nanoseconds from_now) {
  job->timer_at = base::from_now(from_now);
  job->timer.expires_after(for_timer(from_now));
  job->timer.async_wait([self = self_, weak = std::weak_ptr(job)](const asio::error_code& error) {
    job_ref here = weak.lock();
    if (!error && *self != nullptr && here) (*self)->on_timer(here);
  });
}

void supervisor::clear_timer(supervised& job) {
  job.timer_at = base::never;
  job.timer.cancel();
}

void supervisor::on_timer(const job_ref& job) {
  // A wait that was done already when the timer was set anew or cancelled still arrives here.
  if (job->timer_at > base::boot_clock::now() + std::chrono::milliseconds(5)) return;
  job->timer_at = base::never;
  if (job->at == state::failed) job->limits.forgive();
  apply(job, event::timer);
}

/// The next start of xpcd would load it.
bool supervisor::comes_back_by_itself(const supervised& job) const {
  const std::string directory = job.origin.substr(0, job.origin.rfind('/'));
  const std::vector<std::string>& all = options_.job_directories;
  return !job.apart && std::find(all.begin(), all.end(), directory) != all.end();
}

bool supervisor::was_removed(const std::string& label) const { return saved_.was_removed(label); }

void supervisor::forget(const job_ref& job) {
  const std::string label = job->job.label;
  unbind_sockets(*job);
  unbind_names(*job, OPENXPC_ERROR_NOT_FOUND, label + ": was removed from this domain");
  if (job->versions && !job->versions->retired.empty()) {
    // They have accepted messages to handle.
    job->versions->forget_when_retired = true;
    return;
  }
  saved_.forget(label);
  if (!shut_down_ && comes_back_by_itself(*job)) {
    if (failure_of why = saved_.note_removed(label)) say(label, why->text);
  }
  disarm_triggers(*job);
  jobs_.erase(label);
  if (!shut_down_) remind_of_refused(job->job.names);
  if (job->apart) note_private(job->job.names.front());
  awaiting_hand_back_.erase(label);
  groups_.forget(label);
  for (companion* one : companions()) one->left(label);
  say(label, "removed");
  for (done& one : job->await_start) one(no_such_job(label));
  for (done& one : job->await_gone) one(std::nullopt);
  job->await_start.clear();
  job->await_gone.clear();
  settle_upgrade(job);
  on_jobs_changed();
  check_shut_down();
}

void supervisor::shut_down(base::function<void()> finished) {
  shut_down_ = std::move(finished);
  bind_timer_.cancel();
  // Sockets are of no use any more, but a link that comes back is.
  awaiting_hand_back_.clear();
  std::vector<std::string> all;
  for (const auto& [label, job] : jobs_) all.push_back(label);
  for (const std::string& label : all) {
    if (job_ref job = find(label)) apply(job, event::bootout);
  }
  check_shut_down();
}

void supervisor::check_shut_down() {
  if (!shut_down_ || !jobs_.empty()) return;
  // They end with the domain.
  if (failure_of why = saved_.save_variables({})) say("variables", why->text);
  saved_.forget_mounts();
  saved_.forget_all_removed();
  saved_.forget_refused();
  refused_ = {};
  unserved_.clear();
  // Not from within a duty of the last job.
  asio::post(loop_, [self = self_] {
    if (*self != nullptr && (*self)->shut_down_) {
      base::function<void()> finished = std::move((*self)->shut_down_);
      (*self)->shut_down_ = nullptr;
      // While the directory is there: its number, which the group is named after, may be somebody
      // else's at once.
      (*self)->groups_.remove();
      finished();
    }
  });
}

}  // namespace openxpc::supervise
