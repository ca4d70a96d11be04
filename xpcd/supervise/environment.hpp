#pragma once

#include <map>
#include <string>
#include <vector>

namespace openxpc::supervise {

/// What a job finds in its environment, NAME=value: of `own` (as environ) the names on the list of
/// harmless ones, a PATH if there was none, and over both what the job itself declares (threat
/// T59).
std::vector<std::string> job_environment(const char* const* own,
                                         const std::map<std::string, std::string>& declared);

/// The value of a variable in such a list; empty when it is not there.
std::string value_of(const std::vector<std::string>& environment, const std::string& name);

}  // namespace openxpc::supervise
