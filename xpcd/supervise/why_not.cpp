// Why a name cannot be reached: step by step, as a client would meet it.

#include "job/name.hpp"
#include "supervise/environment.hpp"
#include "supervise/output.hpp"
#include "supervise/program.hpp"
#include "supervise/supervisor.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace openxpc::supervise {

namespace {

constexpr std::size_t shown_lines = 5;

/// Collects the steps and what they come to.
class explanation {
 public:
  void good(const std::string& text) { add("good", text); }
  void wait(const std::string& text) { add("wait", text); }
  void bad(const std::string& text) {
    add("bad", text);
    reachable_ = false;
  }
  object_ref take() {
    object_ref result = new_dictionary();
    set(result.get(), "steps", std::move(steps_));
    set_bool(result.get(), "reachable", reachable_);
    return result;
  }

 private:
  void add(const char* how, const std::string& text) {
    object_ref step = new_dictionary();
    set(step.get(), "is", how);
    set(step.get(), "text", text);
    append(steps_.get(), std::move(step));
  }

  object_ref steps_ = new_array();
  bool reachable_ = true;
};

std::string seconds_until(base::instant when) {
  const auto left =
      std::chrono::duration_cast<std::chrono::seconds>(when - base::boot_clock::now());
  return std::to_string(std::max<std::int64_t>(left.count(), 0) + 1) + " s";
}

void explain_last_run(const supervised& job, bool whole,
                      void (explanation::*add)(const std::string&), explanation* out) {
  if (job.last) (out->*add)("its last run " + describe_end(job.last->status));
  if (!whole || !job.kept_output) return;
  for (const std::string& line : last_lines(job.kept_output.get(), shown_lines)) {
    (out->*add)("it printed: " + line);
  }
}

}  // namespace

/// The name is nobody's: is there something that looks like it?
std::string supervisor::why_nobody(const std::string& name) const {
  std::string text = "no job in " + directory_.path() + " has this name";
  if (jobs_.count(name) != 0) {
    return text + "; a job of that label is loaded, but MachServices of its description lacks it";
  }
  const std::string reason = unserved_.why(name);
  if (!reason.empty()) return text + ": " + reason;
  outcome<std::map<std::string, bool>> labels = lasting_.disabled();
  if (labels) {
    auto at = labels->find(name);
    if (at != labels->end() && at->second) text += "; a job of that label is disabled";
  }
  return text;
}

object_ref supervisor::why_not(const std::string& name, bool whole) const {
  explanation out;
  if (auto wrong = job::wrong_with_name(name)) {
    out.bad("it can be nobody's name: " + *wrong);
    return out.take();
  }
  auto owner = owners_.find(name);
  job_ref job = owner == owners_.end() ? nullptr : find(owner->second);
  if (!job) {
    out.bad(why_nobody(name));
    if (unserved_.why(name).empty()) {
      for (const std::string& one : who_may_declare(whole)) out.bad(one);
    }
    return out.take();
  }
  out.good("the job " + owner->second + " has this name" +
           (job->origin.empty() ? "" : ", from " + job->origin));
  for (const owned_name& one : job->names) {
    if (one.name != name) continue;
    struct stat file;
    if (one.bound.hidden) {
      out.bad("it is hidden until its service checks in");
    } else if (!directory_.stat_name(name, &file)) {
      out.bad("its socket file " + directory_.path() + "/" + name + " was removed");
    } else if (one.bound.socket &&
               (file.st_dev != one.bound.device || file.st_ino != one.bound.inode)) {
      out.bad("another file took the place of its socket " + directory_.path() + "/" + name);
    }
  }
  if (job->run && !is_ending(job->at)) {
    out.good("it runs, pid " + std::to_string(job->run->id.pid));
    return out.take();
  }
  if (job->start) {
    out.wait("it is being started, which waits for its files; clients wait");
    return out.take();
  }
  const outcome<found_program> what =
      find_program_now(program_of(job->job, job_environment(environ, job->job.environment)));
  if (!what) out.bad("its program cannot be started: " + what.error().text);
  switch (job->at) {
    case state::failed:
      out.bad(
          "it failed, clients are refused" +
          (job->timer_at != base::never ? " for " + seconds_until(job->timer_at) : std::string()) +
          ": " + job->reason);
      explain_last_run(*job, whole, &explanation::bad, &out);
      break;
    case state::throttled:
      out.wait("it ended too quickly and starts again in " + seconds_until(job->timer_at) +
               "; clients wait");
      explain_last_run(*job, whole, &explanation::wait, &out);
      break;
    case state::removing:
      out.bad("it is being removed");
      break;
    case state::stopping:
    case state::restarting:
      out.wait("it is ending; clients wait for the next start");
      break;
    default:
      out.good("it does not run and starts with the first message");
  }
  return out.take();
}

}  // namespace openxpc::supervise
