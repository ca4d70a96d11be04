#pragma once

#include "base/function.hpp"
#include "connection/executor.hpp"
#include "object/object.hpp"

#include <string>

namespace openxpc::bootstrap {

using event_function = base::function<void(object::object&)>;

/// Registers the one function of this process for the events of a stream, called on `where` (null:
/// an engine thread). @return false when there is one already (rule 198). Threads: any.
bool set_event_stream(const std::string& stream, base::ref<connection::executor> where,
                      event_function told);

}  // namespace openxpc::bootstrap
