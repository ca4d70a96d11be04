#pragma once

// For tests: what validate() said, to be compared and printed.

#include "wire/validate.hpp"

#include <optional>
#include <string>

namespace openxpc::wire {

inline std::string verdict(const std::optional<malformed>& problem) {
  return problem ? describe(*problem) : "accepted";
}
inline std::optional<fault> fault_of(const std::optional<malformed>& problem) {
  return problem ? std::optional(problem->what) : std::nullopt;
}

}  // namespace openxpc::wire
