#include "base/spare_blocks.hpp"

#include "base/sanitized.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

namespace openxpc::base {
namespace {

constexpr std::size_t places = 16;

struct shelf {
  std::mutex lock;
  memory_block kept[places];
  std::size_t total_bytes = 0;
};
// Never destroyed: threads may give blocks back while the process ends.
shelf& own() noexcept {
  alignas(shelf) static unsigned char memory[sizeof(shelf)];
  static shelf& made = *new (memory) shelf;
  return made;
}

/// Filling fresh pages of 4 KiB one by one costs several times what copying costs. Nothing to be
/// told where the system has no larger ones.
void want_huge_pages(const memory_block& of) noexcept {
  if (!of.at || of.size_bytes <= spare_most_bytes) return;
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(of.at);
  const std::uintptr_t first = (begin + page - 1) & ~(page - 1);
  const std::uintptr_t end = (begin + of.size_bytes) & ~(page - 1);
  ::madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
}

}  // namespace

memory_block take_block(std::size_t least_bytes) noexcept {
  if (keeps_memory && least_bytes >= spare_least_bytes && least_bytes <= spare_most_bytes) {
    shelf& from = own();
    const std::lock_guard hold(from.lock);
    memory_block* best = nullptr;
    for (memory_block& each : from.kept)
      if (each.size_bytes >= least_bytes && each.size_bytes / 4 <= least_bytes &&
          (!best || each.size_bytes < best->size_bytes))
        best = &each;
    if (best) {
      const memory_block taken = *best;
      *best = {};
      from.total_bytes -= taken.size_bytes;
      return taken;
    }
  }
  const memory_block fresh{std::malloc(least_bytes), least_bytes};
  want_huge_pages(fresh);
  return fresh;
}

memory_block grow_block(memory_block old, std::size_t used_bytes,
                        std::size_t least_bytes) noexcept {
  if (least_bytes > spare_most_bytes) {
    // For so much the system moves pages, not bytes.
    const memory_block grown{std::realloc(old.at, least_bytes), least_bytes};
    want_huge_pages(grown);
    return grown;
  }
  const memory_block grown = take_block(least_bytes);
  if (!grown.at) return {};
  if (used_bytes) std::memcpy(grown.at, old.at, used_bytes);
  if (old.at) give_block(old.at, old.size_bytes);
  return grown;
}

void give_block(void* at, std::size_t size_bytes) noexcept {
  if (keeps_memory && size_bytes >= spare_least_bytes && size_bytes <= spare_most_bytes) {
    shelf& to = own();
    const std::lock_guard hold(to.lock);
    if (to.total_bytes + size_bytes <= spare_total_bytes)
      for (memory_block& each : to.kept) {
        if (each.at) continue;
        each = {at, size_bytes};
        to.total_bytes += size_bytes;
        return;
      }
  }
  std::free(at);
}

}  // namespace openxpc::base
