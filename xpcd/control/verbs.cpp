#include "control/verbs.hpp"

#include "control/companion_verbs.hpp"
#include "job/read.hpp"
#include "job/reader.hpp"

#include <signal.h>
#include <unistd.h>

#include "bundle/verbs.hpp"

namespace openxpc::control {

namespace {

trouble wrong_key(const char* op, const char* key, const char* expected, xpc_object_t message) {
  xpc_object_t found = get_object(message, key);
  return {trouble::kind::bad_input,
          std::string(op) + ": " + key +
              (found == nullptr ? ": is missing"
                                : std::string(": expected ") + expected + ", found " +
                                      ::openxpc_type_name(::openxpc_type_id(found)))};
}

/// Answers a verb that gives nothing back but whether it worked.
supervise::supervisor::done answer_with(std::string label, answer answered) {
  return [label = std::move(label), answered = std::move(answered)](failure_of why) {
    if (why) return answered(*why);
    object_ref reply = new_dictionary();
    set(reply.get(), "label", label);
    answered(std::move(reply));
  };
}

void bootstrap(supervise::supervisor& jobs, verb_call& call, answer answered) {
  const void* bytes = nullptr;
  std::size_t size = 0;
  if (::openxpc_dictionary_get_data_if(call.message, "plist", 5, &bytes, &size) != OPENXPC_FOUND) {
    return answered(wrong_key("bootstrap", "plist", "data", call.message));
  }
  std::optional<std::string> origin = get_text(call.message, "origin");
  if (!origin) return answered(wrong_key("bootstrap", "origin", "string", call.message));
  const std::string_view text(static_cast<const char*>(bytes), size);
  outcome<job::reading> reading = job::read(text, *origin);
  if (!reading) {
    jobs.note_refused(*origin, job::declared_in(text), reading.error().text);
    return answered(reading.error());
  }
  object_ref warnings = new_array();
  for (const std::string& line : reading->warnings) append(warnings.get(), new_string(line));
  for (const std::string& line : jobs.warnings_for(reading->job)) {
    append(warnings.get(), new_string(*origin + ": " + line));
  }
  using peers = supervise::supervisor::peers;
  const peers allowed =
      get_bool(call.message, "allow-any-peer").value_or(false) ? peers::any : peers::as_described;
  const std::vector<job::socket_entry> sockets = reading->job.sockets;
  jobs.prepare_bootstrap(
      sockets, [&jobs, allowed, origin = std::move(*origin), reading = std::move(*reading),
                warnings = std::move(warnings), answered = std::move(answered)]() mutable {
        outcome<std::string> label = jobs.bootstrap(std::move(reading), origin, allowed);
        if (!label) return answered(label.error());
        object_ref reply = new_dictionary();
        set(reply.get(), "label", *label);
        set(reply.get(), "warnings", std::move(warnings));
        answered(std::move(reply));
      });
}

/// What is asked for is that nothing is loaded as that label, so that there was nothing is an
/// answer and no failure.
void bootout(supervise::supervisor& jobs, verb_call& call, answer answered) {
  std::optional<std::string> label = get_text(call.message, "label");
  if (!label) return answered(wrong_key("bootout", "label", "string", call.message));
  jobs.bootout(*label, [label = *label, answered = std::move(answered)](failure_of why) {
    if (why && why->what != trouble::kind::not_found) return answered(*why);
    answered(booted_out(label, !why));
  });
}

void list(supervise::supervisor& jobs, verb_call& call, answer answered) {
  object_ref reply = new_dictionary();
  set(reply.get(), "jobs", jobs.list());
  set(reply.get(), "refused", jobs.refused(call.is_owner));
  answered(std::move(reply));
}

/// A job by its label or by one of its names, or without a label the whole domain.
void print(supervise::supervisor& jobs, verb_call& call, answer answered) {
  object_ref reply = new_dictionary();
  if (get_object(call.message, "label") == nullptr) {
    object_ref all = new_array();
    for (const std::string& label : jobs.labels())
      append(all.get(), std::move(*jobs.describe(label, call.is_owner)));
    set(reply.get(), "jobs", std::move(all));
    set(reply.get(), "refused", jobs.refused(call.is_owner));
    set(reply.get(), "pid", static_cast<std::int64_t>(::getpid()));
    set(reply.get(), "directory", jobs.directory_path());
    if (call.manager != nullptr) call.manager->describe(reply.get());
    return answered(std::move(reply));
  }
  std::optional<std::string> label = get_text(call.message, "label");
  if (!label) return answered(wrong_key("print", "label", "string", call.message));
  outcome<object_ref> job = jobs.describe(*label, call.is_owner);
  if (!job) {
    const std::string owner = jobs.owner_of(*label);
    if (!owner.empty()) job = jobs.describe(owner, call.is_owner);
  }
  if (!job) return answered(job.error());
  set(reply.get(), "job", std::move(*job));
  answered(std::move(reply));
}

/// The property list of a job, as it was loaded.
void description(supervise::supervisor& jobs, verb_call& call, answer answered) {
  std::optional<std::string> label = get_text(call.message, "label");
  if (!label) return answered(wrong_key("description", "label", "string", call.message));
  outcome<object_ref> found = jobs.description_of(*label);
  if (!found) return answered(found.error());
  object_ref reply = new_dictionary();
  set(reply.get(), "label", *label);
  set(reply.get(), "description", std::move(*found));
  answered(std::move(reply));
}

void kickstart(supervise::supervisor& jobs, verb_call& call, answer answered) {
  std::optional<std::string> label = get_text(call.message, "label");
  if (!label) return answered(wrong_key("kickstart", "label", "string", call.message));
  // What was asked for in the first place was begun, and is not begun anew.
  const bool restart = get_bool(call.message, "kill").value_or(false) && !call.carried;
  jobs.kickstart(*label, restart,
                 [&jobs, label = *label, answered = std::move(answered)](failure_of why) {
                   if (why) return answered(*why);
                   object_ref reply = new_dictionary();
                   set(reply.get(), "label", label);
                   if (pid_t pid = jobs.pid_of(label)) {
                     set(reply.get(), "pid", static_cast<std::int64_t>(pid));
                   }
                   answered(std::move(reply));
                 });
}

void upgrade(supervise::supervisor& jobs, verb_call& call, answer answered) {
  std::optional<std::string> label = get_text(call.message, "label");
  if (!label) return answered(wrong_key("upgrade", "label", "string", call.message));
  if (call.carried) return jobs.rejoin_upgrade(*label, std::move(answered));
  jobs.upgrade(*label, get_bool(call.message, "force").value_or(false), std::move(answered));
}

/// {program?, force?}: xpcd itself.
void upgrade_manager(supervise::supervisor&, verb_call& call, answer answered) {
  if (call.manager == nullptr) {
    return answered(trouble{trouble::kind::unavailable, "this xpcd cannot become another one"});
  }
  // It was done: by becoming this one.
  if (call.carried) return answered(call.manager->upgraded());
  call.manager->upgrade(get_text(call.message, "program").value_or(""),
                        get_bool(call.message, "force").value_or(false), std::move(answered));
}

void kill(supervise::supervisor& jobs, verb_call& call, answer answered) {
  std::optional<std::string> label = get_text(call.message, "label");
  if (!label) return answered(wrong_key("kill", "label", "string", call.message));
  std::optional<std::int64_t> signal = get_integer(call.message, "signal");
  if (!signal) return answered(wrong_key("kill", "signal", "integer", call.message));
  if (*signal < 0 || *signal >= NSIG) {
    return answered(
        trouble{trouble::kind::bad_input, "kill: there is no signal " + std::to_string(*signal)});
  }
  answer_with(*label, std::move(answered))(jobs.kill(*label, static_cast<int>(*signal)));
}

/// {NAME: [fd, ...]}: the sockets of entries.
std::vector<std::pair<std::string, base::fd>> entries_in(xpc_object_t message) {
  std::vector<std::pair<std::string, base::fd>> all;
  xpc_object_t given = get_object(message, "entries");
  if (given == nullptr || ::openxpc_type_id(given) != OPENXPC_TYPE_DICTIONARY) return all;
  job::each_entry(given, [&](const std::string& name, xpc_object_t sockets) {
    if (::openxpc_type_id(sockets) != OPENXPC_TYPE_ARRAY) return;
    for (std::size_t at = 0; at < ::xpc_array_get_count(sockets); ++at) {
      base::fd socket(::xpc_array_dup_fd(sockets, at));
      if (socket) all.emplace_back(name, std::move(socket));
    }
  });
  return all;
}

/// From a service: it is ready; after a restart of xpcd also its listening sockets, {sockets:
/// {NAME: fd}, entries: {NAME: [fd, ...]}}.
void check_in(supervise::supervisor& jobs, verb_call& call, answer answered) {
  std::vector<std::pair<std::string, base::fd>> sockets;
  if (xpc_object_t given = get_object(call.message, "sockets")) {
    ::openxpc_dictionary_read_each_f(
        given, &sockets,
        [](void* context, const char* key, std::size_t size, const openxpc_value_t* value) {
          if (value->type == OPENXPC_TYPE_FD) {
            static_cast<decltype(sockets)*>(context)->emplace_back(
                std::string(key, size), base::fd::copy(value->borrowed_fd));
          }
          return true;
        });
  }
  if (failure_of why = jobs.check_in(call.pid, std::move(sockets), std::move(call.link))) {
    return answered(*why);
  }
  if (failure_of why = jobs.hand_back_sockets(call.pid, entries_in(call.message))) {
    return answered(*why);
  }
  object_ref reply = new_dictionary();
  set(reply.get(), "label", jobs.label_of(call.pid));
  answered(std::move(reply));
}

/// From a service that was asked to end: it has handled and answered what it had accepted.
void drained(supervise::supervisor& jobs, verb_call& call, answer answered) {
  jobs.drained(call.pid);
  answered(new_dictionary());
}

template <bool disabled>
void set_disabled(supervise::supervisor& jobs, verb_call& call, answer answered) {
  const char* op = disabled ? "disable" : "enable";
  std::optional<std::string> label = get_text(call.message, "label");
  if (!label) return answered(wrong_key(op, "label", "string", call.message));
  answer_with(*label, std::move(answered))(jobs.set_disabled(*label, disabled));
}

void print_disabled(supervise::supervisor& jobs, verb_call&, answer answered) {
  outcome<std::map<std::string, bool>> all = jobs.disabled();
  if (!all) return answered(all.error());
  object_ref labels = new_dictionary();
  for (const auto& [label, flag] : *all) set_bool(labels.get(), label, flag);
  object_ref reply = new_dictionary();
  set(reply.get(), "disabled", std::move(labels));
  answered(std::move(reply));
}

void change_variable(supervise::supervisor& jobs, const verb_call& call, const char* op,
                     std::optional<std::string> value, const answer& answered) {
  std::optional<std::string> name = get_text(call.message, "name");
  if (!name) return answered(wrong_key(op, "name", "string", call.message));
  if (failure_of why = jobs.set_variable(*name, std::move(value))) return answered(*why);
  answered(new_dictionary());
}

void setenv(supervise::supervisor& jobs, verb_call& call, answer answered) {
  std::optional<std::string> value = get_text(call.message, "value");
  if (!value) return answered(wrong_key("setenv", "value", "string", call.message));
  change_variable(jobs, call, "setenv", std::move(value), answered);
}

void unsetenv(supervise::supervisor& jobs, verb_call& call, answer answered) {
  change_variable(jobs, call, "unsetenv", std::nullopt, answered);
}

/// A variable that is not set is no error: the reply has no value.
void getenv(supervise::supervisor& jobs, verb_call& call, answer answered) {
  std::optional<std::string> name = get_text(call.message, "name");
  if (!name) return answered(wrong_key("getenv", "name", "string", call.message));
  object_ref reply = new_dictionary();
  if (std::optional<std::string> value = jobs.variable(*name)) set(reply.get(), "value", *value);
  answered(std::move(reply));
}

void stats(supervise::supervisor& jobs, verb_call&, answer answered) { answered(jobs.stats()); }

void why_not(supervise::supervisor& jobs, verb_call& call, answer answered) {
  std::optional<std::string> name = get_text(call.message, "name");
  if (!name) return answered(wrong_key("why-not", "name", "string", call.message));
  answered(jobs.why_not(*name, call.is_owner));
}

// In the order in which they are explained.
constexpr verb verbs[] = {
    {"bootstrap", true, bootstrap},
    {"bootout", true, bootout},
    {"list", false, list},
    {"print", false, print},
    {"description", true, description},  // the environment in it may be secret
    {"kickstart", true, kickstart},
    {"kill", true, kill},
    {"upgrade", true, upgrade},
    {"upgrade-manager", true, upgrade_manager},
    {"enable", true, set_disabled<false>},
    {"disable", true, set_disabled<true>},
    {"print-disabled", false, print_disabled},
    {"setenv", true, setenv},
    {"unsetenv", true, unsetenv},
    {"getenv", true, getenv},  // what is in it may be a secret
    {"stats", false, stats},
    {"why-not", false, why_not},
    {"run-activity", true, run_activity},
    {"defer-activity", true, defer_activity},
    {"publish", true, publish_event},
    {"subscribers", true, list_subscribers},
    {"check-in", false, check_in, true},
    {"check-in-again", false, check_in, true},
    {"drained", false, drained},
    {"transactions", false, note_transactions, true},
    {"activity-register", false, register_activity, true},
    {"activity-state", false, note_activity_state, true},
    {"activity-forget", false, forget_activity, true},
    {"event-listen", false, listen_to_events, true},
    {"event-handled", false, note_handled_event, true},
    {"event-set", false, set_event, true},
    {"event-copy", false, copy_event, true},
    {"private-service", false, bundle::private_service},
};

}  // namespace

object_ref booted_out(const std::string& label, bool was_loaded) {
  object_ref reply = new_dictionary();
  set(reply.get(), "label", label);
  set_bool(reply.get(), "was-loaded", was_loaded);
  return reply;
}

const verb* find_verb(const std::string& op) {
  for (const verb& one : verbs) {
    if (op == one.op) return &one;
  }
  return nullptr;
}

}  // namespace openxpc::control
