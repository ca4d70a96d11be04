#pragma once

#include "base/function.hpp"
#include "object/activity.hpp"

#include <string>

namespace openxpc::bootstrap {

/// The activities of this process by identifier. With a service link the service manager keeps
/// them, says when one is to run, and is told what became of it; without one they wait for ever.
/// Threads: any.

/// Called with an activity that comes into CHECK_IN or RUN; calls for one activity never overlap
/// (rule 187).
using activity_function = base::function<void(object::activity&)>;

/// Registers, or replaces criteria and function of what is registered (rule 185).
/// @param criteria  null: those of the existing activity stay, or empty ones are made, and `told`
/// is called soon in CHECK_IN, on an engine thread (rule 186).
void register_activity(const std::string& identifier, object::ref<object::object> criteria,
                       activity_function told);
/// From now on its function is not called again; a running call finishes.
void unregister_activity(const std::string& identifier);

/// What a program does to an activity that it holds, registered or not.
void set_activity_criteria(object::activity& which, object::ref<object::object> criteria);
/// False when that is no step from its state (rule 188).
bool ask_activity(object::activity& which, object::activity_state wanted);
/// While it runs: the service manager, or whoever ends this process, wants it to be put off.
bool activity_should_defer(const object::activity& which);

}  // namespace openxpc::bootstrap
