#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace openxpc::job {

/// What a description says of itself, also one that is not loaded: for whoever looks for its names.
struct declaration {
  std::string label;               // empty: none that a job can have
  std::vector<std::string> names;  // in the order of their bytes; those that can be names
};

/// Reads no more than that, whatever else is wrong. Nothing where it cannot be known which names
/// are declared: the text is no property list, or what stands there for names is none.
std::optional<declaration> declared_in(std::string_view text);

}  // namespace openxpc::job
