#include "base/clock.hpp"
#include "channel/body.hpp"
#include "engine/blocking.hpp"
#include "engine/engine.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

// A client that calls in a row gets an engine thread to itself for a while: the thread stays in the
// receive, as a synchronous caller does, so that a call costs no epoll_wait. Its loop goes to a
// spare thread meanwhile, which serves everybody else.
//
// As with a caller in its patient receive, what others want told meanwhile is told a few
// milliseconds later; a channel for which that happens is not lingered on again for long.

namespace openxpc::channel {
namespace {

/// What makes it worth while: so many packets, each alone and soon after the last one.
constexpr int packets_in_row = 16;
constexpr std::chrono::microseconds soon{200};
/// After so many packets in one stay.
constexpr int worth_a_shortcut = 64;
/// After a stay that nobody made use of, or that kept others waiting.
constexpr int not_worth = -64, kept_others_waiting = -4096;

/// No more than can run at once: beyond that a thread a connection costs more than it saves.
std::atomic<unsigned> lingering{0};
unsigned lingering_most() noexcept {
  static const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  return cores;
}

class place {
 public:
  place() noexcept : taken_(lingering.fetch_add(1, std::memory_order_relaxed) < lingering_most()) {
    if (!taken_) lingering.fetch_sub(1, std::memory_order_relaxed);
  }
  place(const place&) = delete;
  place& operator=(const place&) = delete;
  ~place() {
    if (taken_) lingering.fetch_sub(1, std::memory_order_relaxed);
  }
  explicit operator bool() const noexcept { return taken_; }

 private:
  const bool taken_;
};

}  // namespace

/// The engine has read `packets`; whether the next one is likely to come alone and soon.
bool channel_body::calls_in_row(std::uint64_t packets) noexcept {
  if (packets != 1) {
    in_row_ = std::min(in_row_, 0);
    return false;
  }
  const base::instant now = base::boot_clock::now();
  const bool close = now - last_alone_ < soon;
  last_alone_ = now;
  if (!close)
    in_row_ = std::min(in_row_, 0);
  else if (in_row_ < packets_in_row)
    ++in_row_;
  return in_row_ == packets_in_row;
}

/// By an engine thread that has just given the role up and run the handlers.
void channel_body::linger(const base::ref<sink>& up) {
  const place mine;
  if (!mine) return;
  locked hold(lock_);
  if (!wire_ || wire_->patience().count() == 0 || !role_.engine_claims()) return;
  // First the registration, then the loop: the thread that gets it must not hear of this wire.
  registration_.spend();
  hold.unlock();
  const engine::blocking_region away;
  hold.lock();
  if (engine::current_loop()) {  // no thread is to be had
    in_row_ = kept_others_waiting;
    hand_over(hold, nullptr);
    hold.unlock();
    return up->role_given_up(true);
  }
  int served = 0;
  for (bool stays = true; stays;) {
    stays = false;
    make_calls(hold);
    if (!ending_ && !blocked_ && !read_over_ && !calls_due()) {
      transport& wire = *wire_;
      lingers_ = true;
      hold.unlock();
      received how = receive_unlocked(wire, true);
      const int error = errno;
      hold.lock();
      lingers_ = false;
      stays = how.what == received::result::packet && !blocked_ && !kept_waiting_;
      if (how.what != received::result::nothing) read_many(hold, nullptr, &how, error);
    }
    // Behind one that stays the registration is armed late, or not at all if it is back by then.
    calls_in_row_ = stays ? 2 : 0;
    hand_over(hold, nullptr);
    hold.unlock();
    up->role_given_up(true);
    hold.lock();
    if (!stays) break;
    // One side only, or offers would cross.
    if (++served == worth_a_shortcut && side_ == side::accepting && wire_) wire_->offer_shortcut();
    stays = wire_ && role_.engine_claims();
    if (stays) registration_.hold();
  }
  if (served < packets_in_row) in_row_ = not_worth;
  if (std::exchange(kept_waiting_, false)) in_row_ = kept_others_waiting;
}

}  // namespace openxpc::channel
