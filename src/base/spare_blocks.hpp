#pragma once

#include <cstddef>

// Memory for large messages, kept for the next one. The C library gives such blocks back to the
// system at once; fresh pages for each message of a megabyte cost more than copying it.
namespace openxpc::base {

/// Blocks of these sizes are worth keeping; for larger ones the system is asked for huge pages.
inline constexpr std::size_t spare_least_bytes = 65536, spare_most_bytes = std::size_t{4} << 20;
/// All that is kept, in the whole process.
inline constexpr std::size_t spare_total_bytes = std::size_t{8} << 20;

struct memory_block {
  void* at = nullptr;
  std::size_t size_bytes = 0;
};

/// Memory from malloc() of at least so many bytes: kept, if there is some that is not more than
/// four times as large, else fresh. Null `at` without memory. Threads: any.
memory_block take_block(std::size_t least_bytes) noexcept;
/// A block of at least so many bytes with the first `used_bytes` of `old` (which may be empty), and
/// `old` given back; null `at` without memory, and `old` as it was.
memory_block grow_block(memory_block old, std::size_t used_bytes, std::size_t least_bytes) noexcept;
/// Keeps it for the next taker, or frees it. `size_bytes` may be less than was taken.
void give_block(void* at, std::size_t size_bytes) noexcept;

}  // namespace openxpc::base
