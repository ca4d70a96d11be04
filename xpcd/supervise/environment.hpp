#pragma once

#include "supervise/credentials.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace openxpc::supervise {

/// What a job finds in its environment, NAME=value: of `own` (as environ) the names on the list of
/// harmless ones, a PATH if there was none, and over both what the job itself declares (threat
/// T59). A job that runs as another user gets that user's HOME, LOGNAME, SHELL and USER and none of
/// our XDG directories.
std::vector<std::string> job_environment(const char* const* own,
                                         const std::map<std::string, std::string>& declared,
                                         const std::optional<credentials>& who = {});

/// The value of a variable in such a list; empty when it is not there.
std::string value_of(const std::vector<std::string>& environment, const std::string& name);

}  // namespace openxpc::supervise
