// Going on as the xpcd that became this one by exec: its jobs, sockets and processes are ours
// already.

#include "job/reader.hpp"
#include "supervise/hand_over.hpp"
#include "supervise/private_place.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"
#include "supervise/triggers.hpp"

#include <fcntl.h>

#include "activity/activities.hpp"
#include "events/streams.hpp"

namespace openxpc::supervise {

namespace {

std::uint64_t count_in(xpc_object_t from, std::string_view key) {
  return static_cast<std::uint64_t>(get_integer(from, key).value_or(0));
}

outcome<job::reading> description_in(xpc_object_t from) {
  xpc_object_t given = private_part(from);
  if (given == nullptr) {
    return job::read(retain(get_object(from, "description")),
                     get_text(from, "origin").value_or(""));
  }
  job::reading made;
  made.object = new_dictionary();
  made.job.label = get_text(from, "label").value_or("");
  made.job.program = get_text(given, "program").value_or("");
  made.job.arguments = {made.job.program};
  each_in(from, "names",
          [&](xpc_object_t one) { made.job.names.push_back(get_text(one, "name").value_or("")); });
  if (xpc_object_t variables = get_object(given, "environment")) {
    job::each_entry(variables, [&](const std::string& name, xpc_object_t) {
      made.job.environment[name] = get_text(variables, name).value_or("");
    });
  }
  outcome<job::process_setup> setup = unpack_setup(from);
  if (!setup) return setup.error();
  made.job.process = std::move(*setup);
  made.job.pressured_exit = true;
  return made;
}

std::unique_ptr<private_place> place_in(xpc_object_t from, handover::incoming& in) {
  xpc_object_t given = private_part(from);
  if (given == nullptr) return nullptr;
  auto place = std::make_unique<private_place>();
  place->endpoint = in.take(given, "endpoint");
  place->application = in.take(given, "application");
  place->application_pid = static_cast<pid_t>(get_integer(given, "application-pid").value_or(0));
  place->own_session = get_bool(given, "own-session").value_or(true);
  return place;
}

void take_sockets(supervised& job, xpc_object_t from, asio::io_context& loop,
                  handover::incoming& in) {
  each_in(from, "sockets", [&](xpc_object_t one) {
    open_socket socket;
    socket.name = get_text(one, "name").value_or("");
    socket.address = get_text(one, "address").value_or("");
    socket.fd = in.take(one, "socket");
    socket.directory = in.take(one, "directory");
    socket.file = get_text(one, "file").value_or("");
    socket.device = count_in(one, "device");
    socket.inode = count_in(one, "inode");
    if (socket.fd) job.sockets.emplace_back(loop, std::move(socket));
  });
}

}  // namespace

void supervisor::resume(xpc_object_t given, handover::incoming& in) {
  const base::instant born = get_instant(given, "born");
  if (born != base::never) born_ = born;
  each_in(given, "forgotten-groups", [&](xpc_object_t one) {
    if (const char* name = ::xpc_string_get_string_ptr(one)) groups_.forget_group(name);
  });
  const std::optional<std::set<std::string>> mounts = saved_.load_mounts();
  watcher_.adopt(in.take(given, "job-paths"));
  streams_->resume_watches(given, in);
  activities_->resume(given);
  std::vector<job_ref> all;
  each_in(given, "jobs", [&](xpc_object_t one) {
    if (job_ref job = resume_job(one, in)) all.push_back(job);
  });
  // Only now: a start of one may depend on another one being there.
  each_in(given, "jobs", [&](xpc_object_t one) {
    if (job_ref job = find(get_text(one, "label").value_or(""))) resume_triggers(job, one);
  });
  for (const job_ref& job : all) {
    if (job->apart || job->at == state::gone) continue;
    for (companion* each : companions()) each->arrived(job->job, true);
  }
  streams_->resume(given, in);
  restore_refused();
  make_up_for_mounts(mounts);
  await_returns();
}

supervisor::job_ref supervisor::resume_job(xpc_object_t from, handover::incoming& in) {
  outcome<job::reading> reading = description_in(from);
  const std::string label = get_text(from, "label").value_or("");
  const std::optional<supervise::state> at = state_of(get_text(from, "state").value_or(""));
  if (!reading || !at) {
    // --check-state read the same; nothing of it goes on unseen.
    say(label, "is lost: " + (reading ? "its state is not known" : reading.error().text));
    return nullptr;
  }
  job_ref job = std::make_shared<supervised>(loop_, std::move(reading->job));
  job->object = std::move(reading->object);
  job->origin = get_text(from, "origin").value_or("");
  job->any_peer = get_bool(from, "any-peer").value_or(false);
  job->at = *at;
  job->want = get_bool(from, "wanted").value_or(false) ? wish::keep : wish::on_demand;
  job->generation = count_in(from, "generation");
  job->start_count = count_in(from, "start-count");
  job->limits.restore(get_instant(from, "started"),
                      static_cast<unsigned>(count_in(from, "quick-ends")));
  job->loaded = get_instant(from, "loaded");
  job->reason = get_text(from, "reason").value_or("");
  job->last = unpack_end(from, "last");
  job->kept_output.reset(::openat(saved_.borrowed_fd(), run_state::output_file(label).c_str(),
                                  O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  job->apart = place_in(from, in);
  each_in(from, "names", [&](xpc_object_t one) {
    const std::string text = get_text(one, "name").value_or("");
    owned_name& name = job->names.emplace_back(loop_, text, job->job.options_of(text));
    name.apart = job->apart.get();
    name.bound = unpack_bound(one, in);
    if (!job->apart) owners_[text] = label;
    if (!name.bound.socket) awaiting_hand_back_.insert(label);
  });
  take_sockets(*job, from, loop_, in);
  jobs_[label] = job;
  if (std::optional<job_run> run = unpack_run(from, "run", loop_, in)) {
    job->run.emplace(std::move(*run));
    adopt_run(*job, *job->run);
    watch_exit(job);
    await_idleness(job);
  } else if (has_process(job->at)) {
    job->at = supervise::state::idle;
    say(label, "its process is lost");
  }
  if (job->sockets.empty() && !job->job.sockets.empty()) resume_without_sockets(*job);
  resume_versions(job, from, in);
  tell_output(*job, !job->run);
  const base::instant timer_at = get_instant(from, "timer-at");
  if (timer_at != base::never) set_timer(job, timer_at - base::boot_clock::now());
  return job;
}

/// Its process has them and is to hand them back, or somebody else is in the way of them.
void supervisor::resume_without_sockets(supervised& job) {
  const std::string& label = job.job.label;
  if (outcome<saved_job> saved = saved_.load(label)) {
    job.had_files = std::move(saved->socket_files);
  }
  if (job.run) {
    awaiting_hand_back_.insert(label);
  } else if (failure_of why = bind_sockets(job)) {
    bind_later(job, *why);
  }
}

/// What is known of a process of ours comes with it; whoever was asked to end is asked once more
/// when its link is back, for the answer may have gone by.
void supervisor::adopt_run(supervised& job, job_run& run) {
  processes_[run.id.pid] = job.job.label;
  run.ask_later = run.returns && run.asked;
  if (run.group) groups_.adopt();
}

void supervisor::resume_versions(const job_ref& job, xpc_object_t from, handover::incoming& in) {
  xpc_object_t given = get_object(from, "versions");
  if (given == nullptr) return;
  upgrades& all = versions_of(*job);
  all.held = unpack_image(given, "held", in);
  all.on_trial = unpack_identity(given, "on-trial");
  if (get_object(given, "rejected") != nullptr) all.rejected = unpack_identity(given, "rejected");
  all.forget_when_retired = get_bool(given, "forget-when-retired").value_or(false);
  all.result = get_text(given, "result").value_or("");
  all.failure = get_text(given, "failure").value_or("");
  all.rolled_back = get_text(given, "rolled-back").value_or("");
  if (job->run && get_bool(given, "undecided").value_or(false)) put_decision_off(job);
  if (xpc_object_t next = get_object(given, "next")) {
    if (std::optional<job_run> run = unpack_run(next, "run", loop_, in)) {
      all.next = std::make_unique<candidate>(std::move(*run));
      all.next->generation = count_in(next, "generation");
      all.next->sockets.resize(job->names.size());
      std::size_t number = 0;
      each_in(next, "sockets", [&](xpc_object_t one) {
        if (number < all.next->sockets.size()) all.next->sockets[number++] = unpack_bound(one, in);
      });
      adopt_run(*job, all.next->run);
    }
  }
  each_in(given, "retired", [&](xpc_object_t one) {
    std::optional<job_run> run = unpack_run(one, "run", loop_, in);
    if (!run) return;
    adopt_run(*job, *run);
    all.retired.emplace_back(loop_, std::move(*run));
    watch_retired(job, all.retired.back());
    const std::int64_t killed_at = get_integer(one, "killed-at").value_or(0);
    if (killed_at == 0) return;
    kill_when_late(job, all.retired.back(),
                   asio::steady_timer::time_point(asio::steady_timer::duration(killed_at)));
  });
}

/// What was due between the two is due now.
void supervisor::resume_triggers(const job_ref& job, xpc_object_t from) {
  arm_triggers(job);
  if (job->extra) {
    job->extra->pending = job->extra->pending || get_bool(from, "pending").value_or(false);
    const std::optional<std::int64_t> calendar = get_integer(from, "calendar-due");
    if (get_instant(from, "interval-due") <= base::boot_clock::now() ||
        (calendar && *calendar <= std::time(nullptr))) {
      trigger(job, false);
    }
  }
  if (job->at != state::gone) update_watches(job);
}

/// For a while processes whose links or sockets are not here yet are waited for.
void supervisor::await_returns() {
  bool any = !awaiting_hand_back_.empty();
  each_run([&](const job_ref&, job_run& run) { any = any || run.returns; });
  if (!any) return;
  hand_back_timer_.expires_after(options_.hand_back_time);
  hand_back_timer_.async_wait([self = self_](const asio::error_code& error) {
    if (!error && *self != nullptr) (*self)->give_returns_up();
  });
}

void supervisor::give_returns_up() {
  links_return_ = false;
  each_run([](const job_ref& job, job_run& run) {
    run.returns = false;
    if (std::exchange(run.ask_later, false)) ask_to_end(run, job->job);
  });
  const std::set<std::string> late = awaiting_hand_back_;
  for (const std::string& label : late) finish_take_over(label);
}

void supervisor::each_run(const std::function<void(const job_ref&, job_run&)>& f) {
  for (const auto& [label, job] : jobs_) {
    if (job->run) f(job, *job->run);
    if (!job->versions) continue;
    if (job->versions->next) f(job, job->versions->next->run);
    for (retired_run& one : job->versions->retired) f(job, one.run);
  }
}

}  // namespace openxpc::supervise
