#pragma once

#include "job/outcome.hpp"

#include <string>
#include <vector>

namespace openxpc::job {

/// The names of the descriptions in a directory, in the order of their bytes: what ends in .plist
/// or .json and is not hidden. None where there is no such directory.
outcome<std::vector<std::string>> descriptions_in(const std::string& directory);

}  // namespace openxpc::job
