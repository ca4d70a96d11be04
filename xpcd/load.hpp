#pragma once

#include "supervise/supervisor.hpp"

#include <string>
#include <vector>

namespace openxpc {

/// Loads every job description (*.plist, *.json) of these directories, in their order and in each
/// in the order of the names. The first one with a label counts; others are told to be shadowed.
/// What cannot be loaded is said on standard error and keeps nothing else from being loaded. A
/// directory that is not there is no mistake.
/// @param trusted only files that root alone can have put there (supervise/trusted_path.hpp)
void load_jobs(supervise::supervisor& jobs, const std::vector<std::string>& directories,
               bool trusted);

}  // namespace openxpc
