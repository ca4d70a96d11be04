#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace openxpc::job {

/// The most bytes a name may have: with a prefix and a suffix of ours it must still fit into a
/// socket address.
inline constexpr std::size_t longest_name_bytes = 80;

/// Why `name` cannot be the name of a service or the label of a job, with the position; nothing
/// when it can: 1 to 80 bytes of A-Z a-z 0-9 . _ -, not starting with a dot.
std::optional<std::string> wrong_with_name(std::string_view name);

}  // namespace openxpc::job
