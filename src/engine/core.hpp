#pragma once

#include "engine/clockwork.hpp"
#include "engine/engine.hpp"
#include "engine/loop.hpp"
#include "engine/pool.hpp"
#include "engine/slot.hpp"

#include <array>
#include <atomic>
#include <memory>

namespace openxpc::engine {

/// All of the engine there is in this process. Made at the first use and never destroyed: its
/// threads run to the end.
class core {
 public:
  static constexpr unsigned loops_limit = 4;

  static core& get() noexcept {
    core* made = made_.load(std::memory_order_acquire);
    return made ? *made : make();
  }
  /// The same, or null while the engine has not been used; for the fork guard.
  static core* if_made() noexcept { return made_.load(std::memory_order_acquire); }
  /// Around a fork, so that a child which finds no engine can make one.
  static void hold_making() noexcept;
  static void let_go_making() noexcept;
  /// See engine::choose_drive().
  static bool choose(drive who) noexcept;

  drive mode() const noexcept { return mode_; }
  loop& next_loop() noexcept;
  std::size_t loop_count() const noexcept { return loop_count_; }
  loop& loop_at(std::size_t index) noexcept { return *loops_[index]; }

 private:
  explicit core(drive who);
  static core& make() noexcept;
  static std::atomic<core*> made_;

  const drive mode_;
  std::size_t loop_count_;
  std::array<std::unique_ptr<loop>, loops_limit> loops_;
  std::atomic<unsigned> turn_{0};

 public:
  slot_store slots;
  pool threads;
  clockwork clock;
};

}  // namespace openxpc::engine
