// Processes of jobs: hearing of their end, ending them.

#include "supervise/output.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"
#include "supervise/triggers.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace openxpc::supervise {

namespace {

/// As wait(2) would have given it.
int status_of(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return (info.si_status & 0xff) << 8;
  return (info.si_status & 0x7f) | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}

bool is_crash_signal(int signal) {
  switch (signal) {
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
    case SIGSYS:
      return true;
    default:
      return false;
  }
}

/// Rules 236 and 237. A status that nobody knows counts as a crash.
wish wish_after(const job::keep_alive& keep, const std::optional<int>& status) {
  const bool success = status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
  const bool crash = !status || (WIFSIGNALED(*status) && is_crash_signal(WTERMSIG(*status)));
  const bool again = keep.always || (keep.successful_exit && *keep.successful_exit == success) ||
                     (keep.crashed && *keep.crashed == crash);
  return again ? wish::keep : wish::on_demand;
}

/// Children of ours that `is_job` does not know: orphans of services, which came to us when their
/// parents died. True also when the kernel does not say.
template <class F>
bool has_orphans(F is_job) {
  DIR* tasks = ::opendir("/proc/self/task");
  if (tasks == nullptr) return true;
  bool found = false;
  while (const dirent* task = ::readdir(tasks)) {
    if (task->d_name[0] == '.') continue;
    const std::string path = "/proc/self/task/" + std::string(task->d_name) + "/children";
    std::FILE* list = std::fopen(path.c_str(), "re");
    if (list == nullptr) {
      found = true;
      continue;
    }
    int pid = 0;
    while (std::fscanf(list, "%d", &pid) == 1) found = found || !is_job(pid);
    std::fclose(list);
  }
  ::closedir(tasks);
  return found;
}

}  // namespace

void supervisor::watch_exit(const job_ref& job) {
  if (job->run->child) return;  // reap() hears of it
  const bool watched =
      job->run->exit_watch.start(job->run->pidfd.get(), [self = self_, weak = std::weak_ptr(job)] {
        job_ref here = weak.lock();
        if (*self != nullptr && here && here->run) (*self)->on_exit(here, std::nullopt);
      });
  if (!watched) say(job->job.label, "its end cannot be watched; it will not be seen");
}

void supervisor::expect_child(pid_t pid, base::function<void(int)> ended) {
  other_children_[pid] = std::move(ended);
}

void supervisor::reap() {
  for (;;) {
    siginfo_t info{};
    // First only a look: the number stays the process's own until everything that needs it is done.
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0) {
      groups_.sweep();
      return;
    }
    auto at = processes_.find(info.si_pid);
    job_ref job = at == processes_.end() ? nullptr : find(at->second);
    if (job && other_run(*job, info.si_pid) != nullptr) {
      on_other_exit(job, info.si_pid, status_of(info));
      continue;
    }
    if (!job && !newborn_label(info.si_pid).empty()) {
      settle_newborn(info.si_pid);
      continue;
    }
    if (!job || !job->run || job->run->id.pid != info.si_pid) {
      ::waitid(P_PID, static_cast<id_t>(info.si_pid), &info, WEXITED | WNOHANG);
      auto other = other_children_.extract(info.si_pid);
      if (!other.empty()) other.mapped()(status_of(info));
      continue;
    }
    on_exit(job, status_of(info));
  }
}

/// Ends the process and what is left of its groups: the cgroup has also those that left the process
/// group.
void supervisor::kill_group(const job_run& run) {
  run.group.kill();
  if (!run.child) {
    // If nothing was left of the group its number may be somebody else's by now.
    std::optional<std::uint64_t> now = start_ticks_of(run.id.pid);
    if (now && *now != run.id.start_ticks) return;
  }
  ::kill(-run.id.pid, SIGKILL);
}

void supervisor::on_exit(const job_ref& job, std::optional<int> status) {
  const job_run& run = *job->run;
  const std::string& label = job->job.label;
  const base::instant now = base::boot_clock::now();
  // The group first, while the number is certainly the dead process's own.
  if (!job->job.abandon_process_group) kill_group(run);
  siginfo_t info{};
  if (run.child) ::waitid(P_PID, static_cast<id_t>(run.id.pid), &info, WEXITED | WNOHANG);
  processes_.erase(run.id.pid);
  // Nothing is left for certain only if the group is empty and no orphan came to us; what was just
  // killed still counts.
  const bool leftovers = !run.child || run.group.is_populated() || ::kill(-run.id.pid, 0) == 0 ||
                         errno != ESRCH || has_orphans([this](pid_t pid) {
                           return processes_.count(pid) != 0 || other_children_.count(pid) != 0 ||
                                  !newborn_label(pid).empty();
                         });
  const bool asked = run.asked || is_ending(job->at);
  job->last = run_result{status, run.id.pid, now, now - run.started};
  say(label, describe_end(status));
  const bool failed_trial = run.image.on_trial && job->at == state::starting && !run.asked;
  if (failed_trial) reject(*job, run.image.what, describe_end(status) + " before it was ready");
  tell_output(*job, true);
  job->run.reset();
  awaiting_hand_back_.erase(label);
  saved_.forget_run(label);
  // Those of the candidate come instead.
  if (job->at != state::upgrading) settle_names(*job, leftovers);
  settle_sockets(*job);
  for (companion* one : companions()) one->process_ended(label);
  if (failed_trial) return apply(job, event::trial_ended);
  after_run(job, status, asked);
}

void supervisor::after_run(const job_ref& job, std::optional<int> status, bool asked) {
  // It goes with its run, whoever waits for another one; a new version that takes over is none.
  if (job->job.launch_only_once && job->at != state::upgrading) apply(job, event::bootout);
  apply(job, judge_end(job, status, asked));
}

/// What the end of a run means for the next start.
event supervisor::judge_end(const job_ref& ended, std::optional<int> status, bool asked) {
  supervised& job = *ended;
  const std::string& label = job.job.label;
  job.want = wish_after(job.job.keep, status);
  const std::optional<bool> holds = condition_holds(job);
  if (!holds) await_condition(ended);
  if (holds.value_or(false) || (job.extra && job.extra->pending)) job.want = wish::keep;
  if (job.extra) job.extra->pending = false;
  const bool clean = status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
  const run_end how = asked ? run_end::asked : clean ? run_end::clean : run_end::bad;
  const throttle::verdict verdict =
      // Whoever still waits at a socket would start it again at once, and again.
      job.limits.ended(base::boot_clock::now(), how,
                       job.want == wish::keep || !holds || has_waiting_socket(job));
  if (failure_of why = save(job)) say(label, why->text);
  if (verdict == throttle::verdict::at_once) return event::exited;
  if (verdict == throttle::verdict::wait) return event::exited_quickly;
  job.reason = label + ": " + describe_end(status) + ", the last of " +
               std::to_string(throttle::most_quick_ends) + " quick failures in a row";
  std::vector<std::string> words =
      job.kept_output ? last_lines(job.kept_output.get(), 1) : std::vector<std::string>();
  if (!words.empty()) job.reason += "; its last line of standard error: " + words.back();
  say(label, "failed: clients are refused until it is kickstarted, or for 10 minutes");
  return event::exited_too_often;
}

void supervisor::request_exit(const job_ref& job) {
  if (job->run) return ask_to_end(*job->run, job->job);
  if (job->start) end_instead_of_start(job);
}

void supervisor::ask_to_end(job_run& run, const job::description& job) {
  run.asked = true;
  // The link's request lets the library finish what it has accepted; without a link there is only
  // the signal.
  if (run.link && run.link("terminate")) return;
  run.ask_later = run.returns;
  if (run.ask_later) return;
  send_signal(run, SIGTERM);
  // Nobody may have woken it since it was left stopped for a debugger.
  if (job.process.wait_for_debugger) send_signal(run, SIGCONT);
}

/// xpcd never ends a job on its own view of idleness: the job's library decides, under its own
/// lock.
void supervisor::await_idleness(const job_ref& job) {
  if (!job->job.pressured_exit || !job->run) return;
  job->run->idle_timer.expires_after(options_.idle_exit);
  job->run->idle_timer.async_wait([self = self_, weak = std::weak_ptr(job),
                                   pid = job->run->id.pid](const asio::error_code& error) {
    job_ref here = weak.lock();
    if (error || *self == nullptr || !here || !here->run || here->run->id.pid != pid) return;
    if (here->at == state::running && here->run->link) {
      here->run->asked_whether_idle = here->run->link("exit-if-idle");
    }
    (*self)->await_idleness(here);
  });
}

void supervisor::send_signal(const job_run& run, int signal) {
  ::syscall(SYS_pidfd_send_signal, run.pidfd.get(), signal, nullptr, 0);
}

}  // namespace openxpc::supervise
