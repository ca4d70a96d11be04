#include "base/mutex.hpp"

#ifndef OPENXPC_TSAN
#include "base/futex.hpp"
#include "base/same_errno.hpp"

#include <thread>

namespace openxpc::base {
namespace {

/// Looks before sleeping: about a microsecond. None where whoever has it cannot run meanwhile.
int looks() noexcept {
  static const int most = std::thread::hardware_concurrency() > 1 ? 40 : 0;
  return most;
}

void breathe() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

void mutex::wait() noexcept {
  for (int left = looks(); left > 0; --left) {
    breathe();
    if (state_.load(std::memory_order_relaxed) == free && try_lock()) return;
  }
  const same_errno kept;
  // Whoever has slept cannot know whether others still do, and leaves `wanted` for unlock().
  while (state_.exchange(wanted, std::memory_order_acquire) != free) futex_wait(state_, wanted);
}

void mutex::wake() noexcept {
  const same_errno kept;
  futex_wake(state_);
}

}  // namespace openxpc::base
#endif
