#pragma once

#include <algorithm>
#include <cstdint>

namespace openxpc::channel {

/// Whether a reader that finds nothing looks on for a moment, giving its core away between looks,
/// before it goes to sleep. Where the peer runs on the same core, or is nearly done on another one,
/// the packet is there in time, and nobody has slept or woken anybody: half the system calls, and
/// on two cores most of what a call takes. Where it is not, the moment is lost; and a core given to
/// somebody who is busy comes back milliseconds later, while a sleeper would have been woken.
///
/// So what comes of it decides whether it goes on: it is kept up while four out of five moments
/// find a packet. Then it is left alone for a number of waits, each time for longer, and tried once
/// more. Pure; by the thread that reads.
class yielding {
 public:
  enum class outcome : std::uint8_t {
    found,    ///< a packet
    nothing,  ///< no packet
    held_up,  ///< the kernel's tick went by: by chance, or since somebody else had the core
  };
  /// How often one moment may yield: some ten microseconds, where nobody else wants the core.
  static constexpr unsigned times_most = 64;
  /// Waits until it is tried again: at first, and at most.
  static constexpr std::uint32_t pause_first = 64, pause_most = 65536;

  /// Asked once a wait.
  bool worth_it() noexcept {
    if (pause_ == 0) return true;
    --pause_;
    return false;
  }
  /// What the moment came to.
  void tell(outcome what) noexcept {
    switch (what) {
      case outcome::found:
        worth_ = std::min(worth_ + 1, worth_most);
        if (worth_ == worth_most) next_pause_ = pause_first;
        return;
      case outcome::nothing:
        return lose(4, 2);
      case outcome::held_up:
        return lose(8, 8);
    }
  }

 private:
  static constexpr int worth_most = 32;

  void lose(int worth, std::uint32_t longer) noexcept {
    worth_ = std::max(worth_ - worth, 0);
    if (worth_ > 0) return;
    pause_ = next_pause_;
    next_pause_ = std::min(next_pause_ * longer, pause_most);
  }

  int worth_ = 0;
  std::uint32_t pause_ = 0, next_pause_ = pause_first;
};

}  // namespace openxpc::channel
