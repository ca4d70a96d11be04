#pragma once

namespace openxpc::bootstrap {

/// The number that an environment variable is, from 0 on; -1 when it is not there, is anything
/// else, or under AT_SECURE.
int number_in(const char* variable) noexcept;

}  // namespace openxpc::bootstrap
