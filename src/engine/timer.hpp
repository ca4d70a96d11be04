#pragma once

#include "base/clock.hpp"
#include "base/ref.hpp"
#include "engine/engine.hpp"

namespace openxpc::engine {

struct timer_node;

/// Calls a function once at an instant of the boot clock. Thousands may be pending; schedule() and
/// cancel() take logarithmic time and a system call only when the earliest instant of all moves
/// forward. Move-only; destroying cancels. Threads: schedule() and cancel() from any, also inside
/// the function; moving and destroying beside no other call.
class timer {
 public:
  timer() noexcept = default;
  /// @param expired  called on `where`, each time the timer runs out; destroyed with the timer or
  /// after its last call.
  timer(loop& where, task expired);
  timer(timer&& other) noexcept;
  timer& operator=(timer&& other) noexcept;
  ~timer();

  explicit operator bool() const noexcept { return at_ != nullptr; }
  /// Runs out at `when` (in the past: soon) instead of whenever it would have; base::never cancels.
  void schedule(base::instant when);
  /// True: it was pending and this time will not call. False: it was not scheduled, or the call has
  /// begun or is over.
  bool cancel() noexcept;

 private:
  timer_node* at_ = nullptr;
};

}  // namespace openxpc::engine
