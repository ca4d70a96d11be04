#pragma once

#include "job/bundle.hpp"
#include "job/description.hpp"

#include "bundle/executable.hpp"

/// As whom the system's service manager runs the services of another user's process.
namespace openxpc::bundle {

/// Its user and group, its supplementary groups and its limits, with no more privileges to be had
/// than it can have: what the service gets is what the application has, read while that is
/// certainly alive. A service of type User is for all of the user's processes: it has the groups
/// that the user database gives him.
/// Errors (denied): it is confined, or has its user or its group from the file that it runs or in
/// part only; it is gone.
outcome<job::process_setup> setup_as(const caller& who, job::service_type type);

}  // namespace openxpc::bundle
