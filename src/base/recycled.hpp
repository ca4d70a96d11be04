#pragma once

#include <cstddef>

// Memory for the small objects that come and go with every message. Each thread keeps a few blocks
// of each size for its next ones: the C library takes several times as long to take a block back
// and give it out again.
namespace openxpc::base {

/// Larger blocks are not kept.
inline constexpr std::size_t recycled_most_bytes = 512;
/// Of each size, by each thread.
inline constexpr unsigned recycled_most_count = 16;

/// What ::operator new gives, or a block that the calling thread has kept. Aligned as operator new
/// aligns. Throws std::bad_alloc.
void* take_small(std::size_t size_bytes);
/// Keeps it for the calling thread, or frees it. `size_bytes` is what was asked for.
void give_small(void* at, std::size_t size_bytes) noexcept;

/// For classes whose objects are made for each message: `class request : base::recycled`.
class recycled {
 public:
  static void* operator new(std::size_t size_bytes) { return take_small(size_bytes); }
  static void* operator new(std::size_t, void* at) noexcept { return at; }
  static void operator delete(void* at, std::size_t size_bytes) noexcept {
    give_small(at, size_bytes);
  }
};

}  // namespace openxpc::base
