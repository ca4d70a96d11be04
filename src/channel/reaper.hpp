#pragma once

#include "base/fd.hpp"

#include <vector>

namespace openxpc::channel {

/// Closes descriptors that came from somebody else on a thread of its own: close() of a foreign
/// file may block for as long as its sender chose (threat T45, F16). The list is empty afterwards.
/// In a forked child they are closed at once. Threads: any.
void bury(std::vector<base::fd>& foreign) noexcept;
void bury(base::fd foreign) noexcept;

}  // namespace openxpc::channel
