#pragma once

#include "base/function.hpp"
#include "connection/executor.hpp"
#include "object/dictionary.hpp"
#include "object/object.hpp"

#include <string>

namespace openxpc::bootstrap {

/// The event streams of this process. Events come over the service link; each is said to be handled
/// once its function has returned, so that one which this process did not get to handle goes to the
/// next one. Threads: any.

using event_function = base::function<void(object::object&)>;

/// Registers the one function of this process for the events of a stream, called on `where` (null:
/// an engine thread). @return false when there is one already (rule 198).
bool set_event_stream(const std::string& stream, base::ref<connection::executor> where,
                      event_function told);

/// What this process's job wants to be told of, from now on and in processes to come; null: no
/// more. Without a service link nothing happens.
void set_event(const std::string& stream, const std::string& name,
               base::ref<object::dictionary> event);
/// What was set, also by the job's description and by earlier processes. Null: nothing. Waits for
/// the service manager's answer.
base::ref<object::object> copy_event(const std::string& stream, const std::string& name);

}  // namespace openxpc::bootstrap
