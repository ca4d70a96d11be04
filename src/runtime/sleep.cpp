// Sleeping on a word of the program's own. The engine is told first, so that a handler that waits
// for its own coroutine does not hold up the connections that share its loop.

#include "base/clock.hpp"
#include "base/futex.hpp"
#include "base/misuse.hpp"
#include "engine/blocking.hpp"

#include <xpc/openxpc/runtime.h>

#include <climits>

namespace base = openxpc::base;

bool openxpc_wait_word(const uint32_t* word, uint32_t expected, uint64_t deadline_ns) {
  static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
  const auto& shared = *reinterpret_cast<const std::atomic<std::uint32_t>*>(word);
  if (shared.load(std::memory_order_acquire) != expected) return true;
  openxpc::engine::blocking_region sleeping;
  return base::futex_wait(shared, expected, base::from_wire(deadline_ns));
}

void openxpc_wake_word(const uint32_t* word) {
  base::futex_wake(*reinterpret_cast<const std::atomic<std::uint32_t>*>(word), INT_MAX);
}

void openxpc_misuse(const char* function, const char* text) { base::misuse(function, "%s", text); }
