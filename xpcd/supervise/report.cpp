// What list and print show. Keys are lower case with dashes; times in milliseconds.

#include "domain/socket_diag.hpp"
#include "supervise/bounded_look.hpp"
#include "supervise/output.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"
#include "supervise/triggers.hpp"
#include "supervise/upgrade.hpp"

#include <sys/wait.h>

namespace openxpc::supervise {

namespace {

constexpr std::size_t shown_lines = 20;

std::int64_t milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

object_ref strings(const std::vector<std::string>& texts) {
  object_ref array = new_array();
  for (const std::string& text : texts) append(array.get(), new_string(text));
  return array;
}

object_ref last_exit(const run_result& last) {
  object_ref result = new_dictionary();
  set(result.get(), "text", describe_end(last.status));
  set(result.get(), "pid", static_cast<std::int64_t>(last.pid));
  set(result.get(), "lasted-ms", milliseconds(last.lasted));
  set(result.get(), "ago-ms", milliseconds(base::boot_clock::now() - last.when));
  if (last.status && WIFEXITED(*last.status)) {
    set(result.get(), "status", static_cast<std::int64_t>(WEXITSTATUS(*last.status)));
  } else if (last.status) {
    set(result.get(), "signal", static_cast<std::int64_t>(WTERMSIG(*last.status)));
  }
  return result;
}

void set_surroundings(xpc_object_t result, const job::description& job) {
  if (!job.session_types.empty()) set(result, "session-types", strings(job.session_types));
  if (!job.associated_bundles.empty()) {
    set(result, "associated-bundles", strings(job.associated_bundles));
  }
  if (job.launch_only_once) set_bool(result, "launch-only-once", true);
}

void set_triggers(xpc_object_t result, const supervised& job) {
  if (job.job.start_on_mount) set_bool(result, "start-on-mount", true);
  if (job.job.start_interval.count() > 0) {
    set(result, "start-interval-s", static_cast<std::int64_t>(job.job.start_interval.count()));
  }
  if (!job.job.watch_paths.empty()) set(result, "watch-paths", strings(job.job.watch_paths));
  if (!job.job.queue_directories.empty()) {
    set(result, "queue-directories", strings(job.job.queue_directories));
  }
  if (!job.extra) return;
  std::chrono::nanoseconds next = std::chrono::nanoseconds::max();
  if (job.job.start_interval.count() > 0) {
    next = job.extra->interval_due - base::boot_clock::now();
  }
  if (job.extra->calendar_due) {
    next = std::min<std::chrono::nanoseconds>(
        next, std::chrono::system_clock::from_time_t(*job.extra->calendar_due) -
                  std::chrono::system_clock::now());
  }
  if (next != std::chrono::nanoseconds::max()) set(result, "next-start-ms", milliseconds(next));
}

object_ref describe_name(const owned_name& name) {
  object_ref one = new_dictionary();
  set(one.get(), "name", name.name);
  set(one.get(), "waiting",
      static_cast<std::int64_t>(
          name.bound.socket ? domain::waiting_connections(name.bound.socket.get()) : 0));
  if (name.options.reset_at_close) set_bool(one.get(), "reset-at-close", true);
  if (name.options.hide_until_check_in) {
    set_bool(one.get(), "hide-until-check-in", true);
    set_bool(one.get(), "hidden", name.bound.hidden);
  }
  if (name.options.allow_any_peer) set_bool(one.get(), "allow-any-peer", true);
  return one;
}

void set_summary(xpc_object_t result, const supervised& job) {
  set(result, "label", job.job.label);
  set(result, "state", job.start && !job.run ? "starting" : name_of(job.at));
  if (job.run) set(result, "pid", static_cast<std::int64_t>(job.run->id.pid));
  if (job.last) set(result, "last-exit", last_exit(*job.last));
}

}  // namespace

object_ref supervisor::list() const {
  object_ref all = new_array();
  for (const auto& [label, job] : jobs_) {
    if (job->apart) continue;
    object_ref one = new_dictionary();
    set_summary(one.get(), *job);
    append(all.get(), std::move(one));
  }
  return all;
}

outcome<object_ref> supervisor::description_of(const std::string& label) const {
  job_ref job = find(label);
  if (!job) return no_such_job(label);
  return retain(job->object.get());
}

outcome<object_ref> supervisor::describe(const std::string& label, bool whole) const {
  job_ref job = find(label);
  if (!job) return no_such_job(label);
  object_ref result = new_dictionary();
  xpc_object_t all = result.get();
  set_summary(all, *job);
  set(all, "origin", job->origin);
  if (job->any_peer) set_bool(all, "any-peer", true);
  set(all, "program", job->job.program);
  set(all, "arguments", strings(job->job.arguments));
  if (!job->job.root_directory.empty()) set(all, "root-directory", job->job.root_directory);
  set(all, "working-directory", job->job.working_directory);
  if (whole) {
    object_ref variables = new_dictionary();
    for (const auto& [name, value] : job->job.environment) set(variables.get(), name, value);
    set(all, "environment", std::move(variables));
  }
  if (!job->job.stdout_path.empty()) set(all, "stdout-path", job->job.stdout_path);
  if (!job->job.stderr_path.empty()) set(all, "stderr-path", job->job.stderr_path);
  if (!job->job.process.user.empty()) set(all, "user", job->job.process.user);
  if (!job->job.process.group.empty()) set(all, "group", job->job.process.group);
  if (job->job.process.hardened) set_bool(all, "hardened", true);
  set_surroundings(all, job->job);
  set_triggers(all, *job);
  set_bool(all, "run-at-load", job->job.run_at_load);
  set_bool(all, "keep-alive", job->job.keep.any());
  set(all, "throttle-interval-s", static_cast<std::int64_t>(job->job.throttle_interval.count()));
  set(all, "exit-timeout-s", static_cast<std::int64_t>(job->job.exit_timeout.count()));
  set(all, "starts", static_cast<std::int64_t>(job->start_count));
  set(all, "generation", static_cast<std::int64_t>(job->generation));
  set(all, "quick-failures", static_cast<std::int64_t>(job->limits.quick_ends()));
  if (!job->reason.empty()) set(all, "reason", job->reason);
  if (job->timer_at != base::never) {
    set(all, "timer-ms", milliseconds(job->timer_at - base::boot_clock::now()));
  }
  if (job->run) {
    if (job->run->group) set(all, "cgroup", job->run->group.path());
    const bool checked_in = job->at == state::running || job->at == state::upgrading;
    set_bool(all, "checked-in", checked_in && static_cast<bool>(job->run->link));
    set_bool(all, "on-trial", job->run->image.on_trial);
    if (const auto& count = job->run->transactions) set(all, "transactions", *count);
    set(all, "runs-for-ms", milliseconds(base::boot_clock::now() - job->run->started));
  }
  if (job->versions && !job->versions->rolled_back.empty()) {
    set(all, "rolled-back", job->versions->rolled_back);
  }
  object_ref names = new_array();
  for (const owned_name& name : job->names) append(names.get(), describe_name(name));
  set(all, "names", std::move(names));
  object_ref sockets = new_array();
  for (const owned_socket& socket : job->sockets) {
    object_ref one = new_dictionary();
    set(one.get(), "name", socket.it.name);
    set(one.get(), "address", socket.it.address);
    append(sockets.get(), std::move(one));
  }
  if (!job->sockets.empty()) set(all, "sockets", std::move(sockets));
  for (const companion* one : companions()) one->describe(label, all);
  if (!whole) return result;
  if (job->kept_output) {
    set(all, "stderr", strings(last_lines(job->kept_output.get(), shown_lines)));
  } else if (!job->job.stderr_path.empty()) {
    using lines = std::vector<std::string>;
    const std::string& path = job->job.stderr_path;
    const outcome<lines> found = looks().look<lines>(path, [path] {
      const base::fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
      return outcome<lines>(file ? last_lines(file.get(), shown_lines) : lines());
    });
    set(all, "stderr", strings(found ? *found : lines{found.error().text}));
  }
  return result;
}

}  // namespace openxpc::supervise
