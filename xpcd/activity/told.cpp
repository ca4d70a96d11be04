// What a job's process says about its activities, what verbs ask of them, and what print shows.

#include "job/reader.hpp"
#include "supervise/supervisor.hpp"

#include "activity/activities.hpp"
#include "activity/record.hpp"

namespace openxpc::activity {

namespace {

constexpr std::size_t most_of_a_job = 256;

trouble no_such(const std::string& label, const std::string& identifier) {
  return {trouble::kind::not_found, label + ": has no activity " + identifier};
}

outcome<std::string> identifier_in(xpc_object_t message) {
  std::optional<std::string> text = get_text(message, "identifier");
  if (!text) return trouble{trouble::kind::bad_input, "identifier: expected a string"};
  if (failure_of why = wrong_with(*text, nullptr)) return *why;
  return *text;
}

/// Lent; nothing where there is none. False when it is no dictionary or cannot be kept.
outcome<xpc_object_t> criteria_in(const std::string& identifier, xpc_object_t message) {
  xpc_object_t given = get_object(message, "criteria");
  if (given == nullptr) return given;
  if (!job::is(given, OPENXPC_TYPE_DICTIONARY))
    return trouble{trouble::kind::bad_input, "criteria: expected a dictionary"};
  if (failure_of why = wrong_with(identifier, given)) return *why;
  return given;
}

std::int64_t milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

const char* name_of(schedule::phase at) {
  switch (at) {
    case schedule::phase::waiting:
      return "waiting";
    case schedule::phase::running:
      return "running";
    case schedule::phase::finished:
      break;
  }
  return "finished";
}

}  // namespace

/// Equal ones leave the timers alone: programs register at each start.
void activities::change_criteria(record& one, xpc_object_t criteria) {
  if (::xpc_equal(one.kept.criteria.get(), criteria)) return;
  one.kept.criteria = object_ref(::xpc_copy(criteria));
  one.times.change(read_criteria(one.label, one.identifier, criteria), base::boot_clock::now());
}

/// What has become of a run, as the program says.
void activities::apply_state(record& one, xpc_object_t message) {
  const std::string state = get_text(message, "state").value_or("");
  const std::int64_t serial = get_integer(message, "serial").value_or(-1);
  const bool is_again = get_bool(message, "again").value_or(false);
  const bool runs = one.times.at() == schedule::phase::running;
  const bool this_run =
      runs && serial >= 0 && static_cast<std::uint64_t>(serial) == one.kept.serial;
  const instant now = base::boot_clock::now();
  if (state == "running") {
    // From a program that met a new xpcd, which may know nothing of it: it is still at it.
    if (one.times.at() != schedule::phase::waiting || serial < 0) return;
    one.kept.serial = static_cast<std::uint64_t>(serial);
    one.times.started(now);
    ++running_;
  } else if (runs && (state == "ready" ? is_again && !this_run : this_run)) {
    // What a new xpcd hears is that a run which the program never heard of did not happen.
    end_run(one);
    one.asked_to_defer = false;
    if (state == "done") {
      one.times.done(now);
    } else {
      if (state == "deferred") ++one.deferrals;
      one.times.not_done(now);
    }
  }
}

outcome<object_ref> activities::take_register(const std::string& label, xpc_object_t message) {
  outcome<std::string> identifier = identifier_in(message);
  if (!identifier) return identifier.error();
  outcome<xpc_object_t> criteria = criteria_in(*identifier, message);
  if (!criteria) return criteria.error();
  record_ref one = find(label, *identifier);
  const bool is_new = !one;
  if (is_new) {
    auto job = all_.find(label);
    if (job != all_.end() && job->second.size() >= most_of_a_job) {
      return trouble{trouble::kind::bad_input,
                     label + ": has " + std::to_string(most_of_a_job) + " activities already"};
    }
    entry fresh;
    fresh.criteria = *criteria ? object_ref(::xpc_copy(*criteria)) : new_dictionary();
    one = make(label, *identifier, std::move(fresh));
  } else if (*criteria) {
    change_criteria(*one, *criteria);
  }
  one->kept.unregistered = false;
  // With CHECK_IN its handler is called first, and says so afterwards.
  one->ready = *criteria != nullptr;
  apply_state(*one, message);
  save(label);
  consider(one);
  object_ref reply = new_dictionary();
  set(reply.get(), "criteria", retain(one->kept.criteria.get()));
  return reply;
}

failure_of activities::take_state(const std::string& label, xpc_object_t message) {
  outcome<std::string> identifier = identifier_in(message);
  if (!identifier) return identifier.error();
  outcome<xpc_object_t> criteria = criteria_in(*identifier, message);
  if (!criteria) return criteria.error();
  record_ref one = find(label, *identifier);
  if (!one) return no_such(label, *identifier);
  if (*criteria) change_criteria(*one, *criteria);
  one->ready = true;
  apply_state(*one, message);
  if (one->times.at() == schedule::phase::finished) {
    // Rule 192. One of the description's comes back when the job is loaded again.
    if (!one->kept.from_description) {
      remove(one);
    } else {
      one->kept.unregistered = true;
      one->ready = false;
    }
  }
  save(label);
  if (find(label, *identifier) == one) consider(one);
  // Another one may have waited for this one's end.
  consider_all_due();
  return std::nullopt;
}

failure_of activities::take_forget(const std::string& label, xpc_object_t message) {
  outcome<std::string> identifier = identifier_in(message);
  if (!identifier) return identifier.error();
  record_ref one = find(label, *identifier);
  if (!one) return std::nullopt;
  if (one->kept.from_description) {
    end_run(*one);
    one->times.not_done(base::boot_clock::now());
    one->kept.unregistered = true;
    one->ready = one->woke = false;
    forget_waiters(*one, no_such(label, *identifier));
    consider(one);
  } else {
    remove(one);
  }
  save(label);
  consider_all_due();
  return std::nullopt;
}

void activities::run(const std::string& label, const std::string& identifier, done finished) {
  record_ref one = find(label, identifier);
  if (!one || one->kept.unregistered) return finished(no_such(label, identifier));
  if (one->times.at() == schedule::phase::running) return finished(std::nullopt);
  one->waiting.push_back(std::move(finished));
  one->times.demand();
  consider(one);
}

failure_of activities::defer(const std::string& label, const std::string& identifier) {
  record_ref one = find(label, identifier);
  if (!one || one->kept.unregistered) return no_such(label, identifier);
  if (one->times.at() != schedule::phase::running || one->asked_to_defer) return std::nullopt;
  object_ref order = new_dictionary();
  set(order.get(), "op", "activity-defer");
  set(order.get(), "identifier", identifier);
  if (!jobs_.send(label, order.get())) {
    return trouble{trouble::kind::unavailable, label + ": its process cannot be asked"};
  }
  one->asked_to_defer = true;
  return std::nullopt;
}

void activities::describe(const std::string& label, xpc_object_t into) const {
  auto job = all_.find(label);
  if (job == all_.end()) return;
  object_ref all = new_array();
  const instant now = base::boot_clock::now();
  for (const auto& [identifier, one] : job->second) {
    if (one->kept.unregistered) continue;
    object_ref made = new_dictionary();
    xpc_object_t to = made.get();
    const job::activity_criteria& what = one->times.criteria();
    set(to, "identifier", identifier);
    set(to, "state", name_of(one->times.at()));
    if (what.interval.count() != 0)
      set(to, "interval-s", static_cast<std::int64_t>(what.interval.count()));
    set_bool(to, "repeating", what.repeats);
    set(to, "priority", what.utility ? "Utility" : "Maintenance");
    const instant due = one->times.due();
    if (due != base::never) {
      set(to, "due-ms", milliseconds(std::max(due, now) - now));
      set(to, "latest-ms", milliseconds(std::max(one->times.pressing(), now) - now));
    }
    set(to, "runs", static_cast<std::int64_t>(one->times.runs()));
    set(to, "deferrals", static_cast<std::int64_t>(one->deferrals));
    set_bool(to, "registered", one->ready);
    set_bool(to, "from-description", one->kept.from_description);
    if (!what.not_evaluated.empty()) {
      object_ref keys = new_array();
      for (const std::string& key : what.not_evaluated) append(keys.get(), new_string(key));
      set(to, "not-evaluated", std::move(keys));
    }
    if (!one->not_kept.empty()) set(to, "not-kept", one->not_kept);
    append(all.get(), std::move(made));
  }
  set(into, "activities", std::move(all));
}

}  // namespace openxpc::activity
