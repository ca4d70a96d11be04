#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace openxpc::base {

/// Fills from the kernel's generator; ends the process if the kernel has none.
void fill_random(std::span<std::byte> out) noexcept;
std::uint64_t random_u64() noexcept;

}  // namespace openxpc::base
