// What starts a job without a client: intervals, the calendar, paths that change, other jobs.

#include "supervise/triggers.hpp"

#include "supervise/bounded_look.hpp"
#include "supervise/supervisor.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace openxpc::supervise {

namespace {

bool is_there(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

bool is_filled(const std::string& path) {
  DIR* stream = ::opendir(path.c_str());
  if (stream == nullptr) return false;
  bool found = false;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    found = found || (name != "." && name != "..");
  }
  ::closedir(stream);
  return found;
}

bool depends_on_exit(const job::keep_alive& keep) {
  return keep.always || keep.successful_exit || keep.crashed;
}

bool has_triggers(const job::description& job) {
  return job.start_interval.count() > 0 || job.start_on_mount || !job.calendar.empty() ||
         !job.watch_paths.empty() || !job.queue_directories.empty() ||
         !job.keep.path_state.empty() || !job.keep.other_job.empty();
}

/// By the clock of the day.
outcome<std::chrono::nanoseconds> time_of_change(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) < 0) return system_trouble(errno, path);
  return std::chrono::seconds(status.st_ctim.tv_sec) +
         std::chrono::nanoseconds(status.st_ctim.tv_nsec);
}

}  // namespace

/// What KeepAlive says of paths and jobs may count only once the job has run.
bool supervisor::keep_counts(const supervised& job) {
  return !job.job.keep.after_initial_demand || job.start_count != 0;
}

/// Nothing: a file system takes its time, and await_condition() is to be called.
std::optional<bool> supervisor::condition_holds(const supervised& job) const {
  const job::description& what = job.job;
  bool known = true;
  // What cannot be looked at is neither there nor not there; a directory that cannot be read has
  // nothing for the job to do.
  auto holds = [&](const std::string& path, bool (*look)(const std::string&), bool wanted) {
    const outcome<bool> found =
        looks().look<bool>(path, [path, look] { return outcome<bool>(look(path)); });
    known = known && (found || found.error().number != EAGAIN);
    return found && *found == wanted;
  };
  for (const std::string& path : what.queue_directories) {
    if (holds(path, is_filled, true)) return true;
  }
  if (keep_counts(job)) {
    for (const auto& [path, wanted] : what.keep.path_state) {
      if (holds(path, is_there, wanted)) return true;
    }
    for (const auto& [label, wanted] : what.keep.other_job) {
      if ((jobs_.count(label) != 0) == wanted) return true;
    }
  }
  return known ? std::optional(false) : std::nullopt;
}

/// Starts the job when a file system says, late, that there is something to do.
void supervisor::await_condition(const job_ref& job) {
  auto await = [&](const std::string& path, bool (*look)(const std::string&), bool wanted) {
    looks().ask<bool>(
        path, [path, look] { return outcome<bool>(look(path)); },
        [self = self_, weak = std::weak_ptr(job), wanted](const outcome<bool>& found) {
          job_ref here = weak.lock();
          if (*self == nullptr || !here || !here->extra || here->at == state::gone) return;
          if (found && *found == wanted) (*self)->trigger(here, false);
        });
  };
  for (const std::string& path : job->job.queue_directories) await(path, is_filled, true);
  if (!keep_counts(*job)) return;
  for (const auto& [path, wanted] : job->job.keep.path_state) await(path, is_there, wanted);
}

/// Starts the job if there is something to do.
void supervisor::check_condition(const job_ref& job) {
  const std::optional<bool> holds = condition_holds(*job);
  if (!holds) return await_condition(job);
  if (*holds) trigger(job, false);
}

wish supervisor::wish_at_load(const supervised& job) const {
  const job::description& what = job.job;
  const bool kept = depends_on_exit(what.keep) && !what.keep.after_initial_demand;
  return what.run_at_load || kept || condition_holds(job).value_or(false) ? wish::keep
                                                                          : wish::on_demand;
}

void supervisor::arm_triggers(const job_ref& job) {
  if (!has_triggers(job->job)) return;
  const job::description& what = job->job;
  job->extra = std::make_unique<triggers>(loop_);
  if (!what.keep.other_job.empty()) dependent_.insert(what.label);
  set_interval(job);
  set_calendar(job);
  if (!what.calendar.empty()) watch_wall_clock();
  if (what.start_on_mount && !mounts_.is_on()) {
    if (mounts_.start()) {
      on_mounts_changed(false);
    } else {
      say(what.label, "StartOnMount has no effect: " +
                          system_trouble(errno, "what is mounted cannot be watched").text);
    }
  }
  auto add = [&](const std::string& path, bool remember) {
    job->extra->paths.push_back(
        watcher_.add(path, [this, self = self_, weak = std::weak_ptr(job), remember] {
          // What the loop does next may end the watch that is telling of this.
          asio::post(loop_, [self, weak, remember] {
            job_ref here = weak.lock();
            if (*self != nullptr && here) (*self)->on_change(here, remember);
          });
        }));
  };
  for (const std::string& path : what.watch_paths) add(path, true);
  for (const std::string& path : what.queue_directories) add(path, false);
  for (const auto& [path, wanted] : what.keep.path_state) add(path, false);
  // What changed before the watch began was told to nobody.
  check_condition(job);
}

void supervisor::disarm_triggers(supervised& job) {
  if (!job.extra) return;
  dependent_.erase(job.job.label);
  for (path_watcher::handle one : job.extra->paths) watcher_.remove(one);
  job.extra.reset();
}

/// Something at one of the job's paths changed. @param counts by itself; otherwise only what is
/// there now counts.
void supervisor::on_change(const job_ref& job, bool counts) {
  if (!job->extra || job->at == state::gone) return;
  if (!counts) return check_condition(job);
  trigger(job, true);
}

/// Starts the job if it does not run. @param remember starts it again after the run it is in.
void supervisor::trigger(const job_ref& job, bool remember) {
  if (job->at == state::idle) {
    apply(job, event::activity);
  } else if (job->at == state::throttled) {
    if (std::exchange(job->want, wish::keep) == wish::keep) return;
    if (failure_of why = save(*job)) say(job->job.label, why->text);
  } else if (remember && has_process(job->at) && job->extra) {
    job->extra->pending = true;
  }
}

/// What came due while there was no xpcd, or was seen by one that was killed before it could start
/// the job for it. Nothing is known of paths that are no longer there.
void supervisor::make_up_for_absence(const job_ref& job) {
  if (!job->extra) return;
  const job::description& what = job->job;
  // Both clocks at the same moment: looking at a file takes its time.
  const base::instant now = base::boot_clock::now();
  const auto day = std::chrono::system_clock::now().time_since_epoch();
  // A run answers what came before it, and what came due during it.
  const base::instant begun = std::max(job->loaded, job->limits.started());
  const base::instant since = job->last ? std::max(begun, job->last->when) : begun;
  bool due = false;
  if (what.start_interval.count() > 0) {
    const std::chrono::nanoseconds every = what.start_interval;
    const base::instant latest = job->loaded + (now - job->loaded) / every * every;
    due = latest > since;
  }
  if (!what.calendar.empty()) {
    const std::time_t today = std::time(nullptr);
    const auto ago = std::chrono::duration_cast<std::chrono::seconds>(now - since);
    const std::optional<std::time_t> next = job::next_time(what.calendar, today - ago.count());
    due = due || (next && *next <= today);
  }
  if (due) trigger(job, false);
  auto told = std::make_shared<bool>(false);
  for (const std::string& path : what.watch_paths) {
    looks().ask<std::chrono::nanoseconds>(
        path, [path] { return time_of_change(path); },
        [self = self_, weak = std::weak_ptr(job), ago = now - begun, day,
         told](const outcome<std::chrono::nanoseconds>& changed) {
          job_ref here = weak.lock();
          if (!changed || *self == nullptr || !here || *told || day - *changed >= ago) return;
          *told = true;
          (*self)->trigger(here, true);
        });
  }
}

void supervisor::on_mounts_changed(bool mounted) {
  if (failure_of why = saved_.save_mounts(mounts_.known())) say("StartOnMount", why->text);
  if (mounted) on_mount();
}

/// What an xpcd before this one did not see. Call when all jobs are there.
void supervisor::make_up_for_mounts(const std::optional<std::set<std::string>>& known_before) {
  if (!mounts_.is_on()) return saved_.forget_mounts();
  if (known_before && mounts_.is_more_than(*known_before)) on_mount();
}

/// A file system was mounted. A job that runs may have looked already, so it runs once more.
void supervisor::on_mount() {
  std::vector<job_ref> all;
  for (const auto& [label, job] : jobs_) {
    if (job->job.start_on_mount) all.push_back(job);
  }
  for (const job_ref& job : all) {
    if (job->at != state::gone) trigger(job, true);
  }
}

/// A job came or went: those that depend on it.
void supervisor::on_jobs_changed() {
  if (shut_down_) return;
  // A copy: what starts may be forgotten.
  const std::set<std::string> dependent = dependent_;
  for (const std::string& label : dependent) {
    job_ref job = find(label);
    if (job && job->at == state::idle) check_condition(job);
  }
}

void supervisor::set_interval(const job_ref& job) {
  const std::chrono::nanoseconds every = job->job.start_interval;
  if (every.count() == 0) return;
  triggers& mine = *job->extra;
  const base::instant now = base::boot_clock::now();
  // Counted from when the job was loaded, so that neither a slow machine nor a new xpcd shifts it.
  const std::chrono::nanoseconds passed = now - job->loaded;
  mine.interval_due = job->loaded + (passed / every + 1) * every;
  mine.interval.expires_after(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(mine.interval_due - now));
  mine.interval.async_wait(
      [self = self_, weak = std::weak_ptr(job)](const asio::error_code& error) {
        job_ref here = weak.lock();
        if (error || *self == nullptr || !here || !here->extra) return;
        (*self)->set_interval(here);
        (*self)->trigger(here, false);
      });
}

void supervisor::set_calendar(const job_ref& job) {
  if (job->job.calendar.empty()) return;
  triggers& mine = *job->extra;
  const std::time_t now = std::time(nullptr);
  if (!mine.calendar_due || *mine.calendar_due <= now) {
    mine.calendar_due = job::next_time(job->job.calendar, now);
  }
  if (!mine.calendar_due) return;
  mine.calendar.expires_after(std::chrono::seconds(*mine.calendar_due - now));
  mine.calendar.async_wait(
      [self = self_, weak = std::weak_ptr(job)](const asio::error_code& error) {
        job_ref here = weak.lock();
        if (!error && *self != nullptr && here && here->extra) (*self)->on_calendar(here);
      });
}

/// A timer went off, or the clock was set: is it time?
void supervisor::on_calendar(const job_ref& job) {
  triggers& mine = *job->extra;
  const bool due = mine.calendar_due && *mine.calendar_due <= std::time(nullptr);
  set_calendar(job);
  if (due) trigger(job, false);
}

/// The kernel tells when the clock of the day is set, or the machine slept.
void supervisor::watch_wall_clock() {
  if (wall_clock_) return;
  wall_clock_.reset(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<std::time_t>::max() / 2;
  if (!wall_clock_ ||
      ::timerfd_settime(wall_clock_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
                        nullptr) < 0) {
    say("calendar", system_trouble(errno, "changes of the clock will not be noticed").text);
    return;
  }
  wall_clock_watch_.start(wall_clock_.get(), [this] { on_wall_clock_set(); });
}

void supervisor::on_wall_clock_set() {
  std::uint64_t ignored = 0;
  if (::read(wall_clock_.get(), &ignored, sizeof ignored) < 0 && errno == ECANCELED) {
    std::vector<job_ref> all;
    for (const auto& [label, job] : jobs_) {
      if (job->extra && !job->job.calendar.empty()) all.push_back(job);
    }
    for (const job_ref& job : all) {
      // Set back, it may be that an earlier time comes again.
      const std::optional<std::time_t> next = job::next_time(job->job.calendar, std::time(nullptr));
      if (next && job->extra->calendar_due && *next < *job->extra->calendar_due) {
        job->extra->calendar_due = next;
      }
      on_calendar(job);
    }
  }
  wall_clock_watch_.start(wall_clock_.get(), [this] { on_wall_clock_set(); });
}

}  // namespace openxpc::supervise
