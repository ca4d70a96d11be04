#pragma once

#include "control/verbs.hpp"

/// Verbs about what goes along with jobs: activities and events. The table is in verbs.cpp.
namespace openxpc::control {

// Said by a service over its link.
void note_transactions(supervise::supervisor& jobs, verb_call& call, answer answered);
void register_activity(supervise::supervisor& jobs, verb_call& call, answer answered);
void note_activity_state(supervise::supervisor& jobs, verb_call& call, answer answered);
void forget_activity(supervise::supervisor& jobs, verb_call& call, answer answered);
void listen_to_events(supervise::supervisor& jobs, verb_call& call, answer answered);
void note_handled_event(supervise::supervisor& jobs, verb_call& call, answer answered);
void set_event(supervise::supervisor& jobs, verb_call& call, answer answered);
void copy_event(supervise::supervisor& jobs, verb_call& call, answer answered);

// Asked by the domain's owner.
void run_activity(supervise::supervisor& jobs, verb_call& call, answer answered);
void defer_activity(supervise::supervisor& jobs, verb_call& call, answer answered);
void publish_event(supervise::supervisor& jobs, verb_call& call, answer answered);
void list_subscribers(supervise::supervisor& jobs, verb_call& call, answer answered);

}  // namespace openxpc::control
