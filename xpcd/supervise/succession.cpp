// What an xpcd gives to the one that it becomes: every job as it stands, with its sockets and
// processes.

#include "job/reader.hpp"
#include "supervise/hand_over.hpp"
#include "supervise/private_place.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"
#include "supervise/triggers.hpp"
#include "supervise/upgrade.hpp"

#include <asio/post.hpp>

#include "activity/activities.hpp"
#include "events/streams.hpp"

namespace openxpc::supervise {

namespace {

object_ref pack_sockets(const supervised& job, handover::outgoing& out) {
  object_ref all = new_array();
  for (const owned_socket& one : job.sockets) {
    object_ref made = new_dictionary();
    set(made.get(), "name", one.it.name);
    set(made.get(), "address", one.it.address);
    out.keep(made.get(), "socket", one.it.fd.get());
    out.keep(made.get(), "directory", one.it.directory.get());
    set(made.get(), "file", one.it.file);
    set(made.get(), "device", static_cast<std::int64_t>(one.it.device));
    set(made.get(), "inode", static_cast<std::int64_t>(one.it.inode));
    append(all.get(), std::move(made));
  }
  return all;
}

object_ref pack_versions(const upgrades& all, handover::outgoing& out) {
  object_ref made = new_dictionary();
  set(made.get(), "held", pack(all.held, out));
  set(made.get(), "on-trial", pack(all.on_trial));
  if (all.rejected) set(made.get(), "rejected", pack(*all.rejected));
  if (all.next) {
    object_ref next = new_dictionary();
    set(next.get(), "run", pack(all.next->run, out));
    set(next.get(), "generation", static_cast<std::int64_t>(all.next->generation));
    object_ref sockets = new_array();
    for (const domain::bound_name& one : all.next->sockets) {
      append(sockets.get(), pack(one, out));
    }
    set(next.get(), "sockets", std::move(sockets));
    set(made.get(), "next", std::move(next));
  }
  object_ref retired = new_array();
  for (const retired_run& one : all.retired) {
    object_ref run = new_dictionary();
    set(run.get(), "run", pack(one.run, out));
    set(run.get(), "killed-at",
        static_cast<std::int64_t>(one.time.expiry().time_since_epoch().count()));
    append(retired.get(), std::move(run));
  }
  set(made.get(), "retired", std::move(retired));
  set_bool(made.get(), "forget-when-retired", all.forget_when_retired);
  set_bool(made.get(), "undecided", all.undecided != nullptr);
  set(made.get(), "result", all.result);
  set(made.get(), "failure", all.failure);
  set(made.get(), "rolled-back", all.rolled_back);
  return made;
}

/// A job that no property list describes.
object_ref pack_private(const supervised& job, handover::outgoing& out) {
  object_ref made = new_dictionary();
  xpc_object_t to = made.get();
  set(to, "program", job.job.program);
  object_ref environment = new_dictionary();
  for (const auto& [name, value] : job.job.environment) set(environment.get(), name, value);
  set(to, "environment", std::move(environment));
  pack_setup(job.job.process, to);
  set_bool(to, "own-session", job.apart->own_session);
  out.keep(to, "endpoint", job.apart->endpoint.get());
  out.keep(to, "application", job.apart->application.get());
  set(to, "application-pid", static_cast<std::int64_t>(job.apart->application_pid));
  return made;
}

object_ref pack_job(const supervised& job, handover::outgoing& out) {
  object_ref made = new_dictionary();
  xpc_object_t to = made.get();
  set(to, "label", job.job.label);
  set(to, "description", retain(job.object.get()));
  set(to, "origin", job.origin);
  set_bool(to, "any-peer", job.any_peer);
  set(to, "state", word_for(job.at));
  set_bool(to, "wanted", job.want == wish::keep);
  set(to, "generation", static_cast<std::int64_t>(job.generation));
  set(to, "start-count", static_cast<std::int64_t>(job.start_count));
  set(to, "quick-ends", static_cast<std::int64_t>(job.limits.quick_ends()));
  set_instant(to, "started", job.limits.started());
  set_instant(to, "loaded", job.loaded);
  set_instant(to, "timer-at", job.timer_at);
  set(to, "reason", job.reason);
  object_ref names = new_array();
  for (const owned_name& one : job.names) {
    object_ref name = pack(one.bound, out);
    set(name.get(), "name", one.name);
    append(names.get(), std::move(name));
  }
  set(to, "names", std::move(names));
  set(to, "sockets", pack_sockets(job, out));
  if (job.apart) set(to, private_key(job.job.process), pack_private(job, out));
  if (job.run) set(to, "run", pack(*job.run, out));
  if (job.last) set(to, "last", pack(*job.last));
  if (job.versions) set(to, "versions", pack_versions(*job.versions, out));
  if (job.extra) {
    set_bool(to, "pending", job.extra->pending);
    set_instant(to, "interval-due", job.extra->interval_due);
    if (job.extra->calendar_due) {
      set(to, "calendar-due", static_cast<std::int64_t>(*job.extra->calendar_due));
    }
  }
  return made;
}

}  // namespace

void supervisor::hand_jobs_over(xpc_object_t into, handover::outgoing& out) const {
  object_ref all = new_array();
  for (const auto& [label, job] : jobs_) append(all.get(), pack_job(*job, out));
  set(into, "jobs", std::move(all));
  streams_->hand_over(into, out);
  activities_->hand_over(into);
  out.keep(into, "job-paths", watcher_.borrowed_fd());
  set_instant(into, "born", born_);
  set(into, "descriptor-limit", static_cast<std::int64_t>(options_.descriptor_limit));
  object_ref abandoned = new_array();
  for (const std::string& one : groups_.forgotten()) append(abandoned.get(), new_string(one));
  set(into, "forgotten-groups", std::move(abandoned));
}

failure_of supervisor::wrong_with_handover(xpc_object_t given) {
  xpc_object_t all = get_object(given, "jobs");
  if (all == nullptr || !job::is(all, OPENXPC_TYPE_ARRAY)) {
    return trouble{trouble::kind::bad_input, "state of the xpcd before this one: has no jobs"};
  }
  for (std::size_t at = 0; at < ::xpc_array_get_count(all); ++at) {
    xpc_object_t one = ::xpc_array_get_value(all, at);
    const std::string label = get_text(one, "label").value_or("");
    const std::string word = get_text(one, "state").value_or("");
    auto wrong = [&](const std::string& why) {
      return trouble{trouble::kind::bad_input,
                     "the job " + label + " cannot be taken over: " + why};
    };
    if (!state_of(word)) return wrong("its state \"" + word + "\" is not known");
    if (private_part(one) != nullptr) {
      if (outcome<job::process_setup> setup = unpack_setup(one); !setup)
        return wrong(setup.error().text);
      continue;
    }
    xpc_object_t description = get_object(one, "description");
    if (description == nullptr) return wrong("it has no description");
    outcome<job::reading> reading =
        job::read(retain(description), get_text(one, "origin").value_or(""));
    if (!reading) return wrong(reading.error().text);
    if (reading->job.label != label) return wrong("its description is one of another job");
  }
  return std::nullopt;
}

void supervisor::when_refuser_is_idle(base::function<void()> idle) {
  // It does one thing after the other.
  refuser::order last;
  last.done = [&loop = loop_, idle = std::make_shared<base::function<void()>>(std::move(idle))] {
    asio::post(loop, [idle] { (*idle)(); });
  };
  refuser_.take(std::move(last));
}

void supervisor::expect_links_back() { links_return_ = true; }

}  // namespace openxpc::supervise
