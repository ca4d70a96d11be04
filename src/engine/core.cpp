#include "engine/core.hpp"

#include <sched.h>

#include <algorithm>
#include <mutex>

namespace openxpc::engine {
namespace {

std::mutex making;
drive chosen = drive::threads;

// One loop for each core that the process may use: more than that only adds switches between
// threads, since a callback that takes long loses its loop anyway. Beyond four, epoll is no longer
// what limits.
std::size_t loops_wanted(drive who) {
  if (who == drive::program) return 1;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return 2;
  return std::clamp<std::size_t>(static_cast<std::size_t>(CPU_COUNT(&cores)), 1, core::loops_limit);
}

}  // namespace

std::atomic<core*> core::made_{nullptr};

core::core(drive who) : mode_(who), loop_count_(loops_wanted(who)), clock(who) {
  for (std::size_t i = 0; i < loop_count_; ++i) loops_[i] = std::make_unique<loop>();
  if (who == drive::program) clock.join(*loops_[0]);
}

core& core::make() noexcept {
  std::lock_guard guard(making);
  core* made = made_.load(std::memory_order_relaxed);
  if (!made) {
    made = new core(chosen);
    made_.store(made, std::memory_order_release);
  }
  return *made;
}

void core::hold_making() noexcept { making.lock(); }
void core::let_go_making() noexcept { making.unlock(); }

bool core::choose(drive who) noexcept {
  std::lock_guard guard(making);
  if (core* made = made_.load(std::memory_order_relaxed)) return made->mode() == who;
  chosen = who;
  return true;
}

loop& core::next_loop() noexcept {
  return *loops_[turn_.fetch_add(1, std::memory_order_relaxed) % loop_count_];
}

}  // namespace openxpc::engine
