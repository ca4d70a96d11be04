#include "control/companion_verbs.hpp"

#include "job/reader.hpp"

#include "activity/activities.hpp"
#include "events/streams.hpp"

namespace openxpc::control {

namespace {

using supervise::supervisor;

/// Who says something over its link, and what the rest makes of it.
template <class F>
void from_service(supervisor& jobs, verb_call& call, const answer& answered, F then) {
  outcome<std::string> label = jobs.hear(call.pid, std::move(call.link));
  if (!label) return answered(label.error());
  then(*label);
}

void answer_plainly(const answer& answered, const failure_of& why) {
  if (why) return answered(*why);
  answered(new_dictionary());
}

outcome<std::string> text_in(const verb_call& call, const char* key) {
  std::optional<std::string> text = get_text(call.message, key);
  if (!text) return trouble{trouble::kind::bad_input, std::string(key) + ": expected a string"};
  return *text;
}

}  // namespace

void note_transactions(supervisor& jobs, verb_call& call, answer answered) {
  from_service(jobs, call, answered, [&](const std::string&) {
    const std::optional<std::int64_t> count = get_integer(call.message, "count");
    if (!count || *count < 0) {
      return answered(
          trouble{trouble::kind::bad_input, "transactions: count: expected an integer"});
    }
    jobs.note_transactions(call.pid, *count);
    answered(new_dictionary());
  });
}

void register_activity(supervisor& jobs, verb_call& call, answer answered) {
  from_service(jobs, call, answered, [&](const std::string& label) {
    answered(jobs.activities().take_register(label, call.message));
  });
}

void note_activity_state(supervisor& jobs, verb_call& call, answer answered) {
  from_service(jobs, call, answered, [&](const std::string& label) {
    answer_plainly(answered, jobs.activities().take_state(label, call.message));
  });
}

void forget_activity(supervisor& jobs, verb_call& call, answer answered) {
  from_service(jobs, call, answered, [&](const std::string& label) {
    answer_plainly(answered, jobs.activities().take_forget(label, call.message));
  });
}

void listen_to_events(supervisor& jobs, verb_call& call, answer answered) {
  from_service(jobs, call, answered, [&](const std::string& label) {
    answer_plainly(answered, jobs.streams().take_listen(label, call.message));
  });
}

void note_handled_event(supervisor& jobs, verb_call& call, answer answered) {
  from_service(jobs, call, answered, [&](const std::string& label) {
    answer_plainly(answered, jobs.streams().take_handled(label, call.message));
  });
}

void set_event(supervisor& jobs, verb_call& call, answer answered) {
  from_service(jobs, call, answered, [&](const std::string& label) {
    answer_plainly(answered, jobs.streams().take_set(label, call.message));
  });
}

void copy_event(supervisor& jobs, verb_call& call, answer answered) {
  from_service(jobs, call, answered, [&](const std::string& label) {
    answered(jobs.streams().take_copy(label, call.message));
  });
}

void run_activity(supervisor& jobs, verb_call& call, answer answered) {
  outcome<std::string> label = text_in(call, "label"), identifier = text_in(call, "identifier");
  if (!label) return answered(label.error());
  if (!identifier) return answered(identifier.error());
  jobs.activities().run(*label, *identifier,
                        [label = *label, answered = std::move(answered)](failure_of why) {
                          if (why) return answered(*why);
                          object_ref reply = new_dictionary();
                          set(reply.get(), "label", label);
                          answered(std::move(reply));
                        });
}

void defer_activity(supervisor& jobs, verb_call& call, answer answered) {
  outcome<std::string> label = text_in(call, "label"), identifier = text_in(call, "identifier");
  if (!label) return answered(label.error());
  if (!identifier) return answered(identifier.error());
  answer_plainly(answered, jobs.activities().defer(*label, *identifier));
}

void publish_event(supervisor& jobs, verb_call& call, answer answered) {
  outcome<std::string> stream = text_in(call, "stream"), name = text_in(call, "name");
  if (!stream) return answered(stream.error());
  if (!name) return answered(name.error());
  xpc_object_t content = get_object(call.message, "event");
  if (content != nullptr && !job::is(content, OPENXPC_TYPE_DICTIONARY)) {
    return answered(trouble{trouble::kind::bad_input, "event: expected a dictionary"});
  }
  outcome<std::size_t> jobs_told = jobs.streams().publish(*stream, *name, content);
  if (!jobs_told) return answered(jobs_told.error());
  object_ref reply = new_dictionary();
  set(reply.get(), "jobs", static_cast<std::int64_t>(*jobs_told));
  answered(std::move(reply));
}

void list_subscribers(supervisor& jobs, verb_call& call, answer answered) {
  outcome<std::string> stream = text_in(call, "stream");
  if (!stream) return answered(stream.error());
  object_ref reply = new_dictionary();
  set(reply.get(), "subscribers", jobs.streams().subscribers(*stream));
  answered(std::move(reply));
}

}  // namespace openxpc::control
