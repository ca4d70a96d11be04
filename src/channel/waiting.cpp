#include "base/futex.hpp"
#include "channel/body.hpp"
#include "engine/blocking.hpp"
#include "engine/fork.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <optional>

// The synchronous path: a thread that wants an answer reads for itself, and for everybody, if
// nobody else does. It polls the wire and a bell of its own, by which others call it (room wanted,
// something to tell, the end). Without descriptors for a bell it sleeps and lets the engine read.
//
// The first moment of a wait it spends in the receive itself, which saves the poll of most calls.
// It hears no bell there: what rings is told a few milliseconds later at most, and the end, which
// shuts the wire down, at once.

namespace openxpc::channel {
namespace {

class no_cancellation {
 public:
  no_cancellation() noexcept { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~no_cancellation() { ::pthread_setcancelstate(before_, nullptr); }
  no_cancellation(const no_cancellation&) = delete;
  no_cancellation& operator=(const no_cancellation&) = delete;

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

struct bell {
  base::fd number;
  std::uint32_t generation = 0;
};

/// The bell of this thread, or -1. A forked child would share it with its parent, so it gets a new
/// one.
int own_bell() noexcept {
  static thread_local bell own;
  if (own.number && own.generation == engine::generation()) return own.number.get();
  own.generation = engine::generation();
  own.number.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  return own.number.get();
}

/// The waiter this thread reads for at the moment.
thread_local const waiter* reading_here = nullptr;

/// False when the deadline has passed; then too what is there is reported, once.
bool poll_until(pollfd (&what)[2], base::instant deadline) noexcept {
  if (deadline == base::never) return ::poll(what, 2, -1) != 0;
  timespec left{};
  const auto rest = deadline - base::boot_clock::now();
  if (rest.count() > 0) {
    left.tv_sec = static_cast<time_t>(rest.count() / 1'000'000'000);
    left.tv_nsec = static_cast<long>(rest.count() % 1'000'000'000);
  }
  return ::ppoll(what, 2, &left, nullptr) != 0 && rest.count() > 0;
}

bool has_patience(const transport& wire, base::instant deadline) noexcept {
  const auto moment = wire.patience();
  return moment.count() > 0 &&
         (deadline == base::never || deadline - base::boot_clock::now() > 2 * moment);
}

}  // namespace

void channel_body::wake_poller(waiter& who) noexcept {
  if (reading_here == &who) return;  // that is us
  const std::uint64_t one = 1;
  (void)!::write(who.borrowed_wake_fd_, &one, sizeof one);
}

void channel_body::finish(waiter& who) {
  if (reading_here ==
      &who) {  // the reader has found its own answer: nobody sleeps, nobody else looks
    who.finished_.store(true, std::memory_order_relaxed);
    return;
  }
  locked hold(lock_);
  switch (role_.finish(who)) {
    case reader_role::alarm::none:
      return;
    case reader_role::alarm::poller:
      return wake_poller(who);
    case reader_role::alarm::sleeper:
      who.news_.store(1, std::memory_order_release);
      if (!who.asleep_) return;
      const std::atomic<std::uint32_t>& word = who.news_;
      hold.unlock();
      base::futex_wake(word);  // an address only: the waiter may be gone by now
      return;
  }
}

waited channel_body::wait(waiter& who, base::instant deadline) {
  if (dead_by_fork()) return waited::closed;
  auto self = base::ref<channel_body>::share(this);
  no_cancellation guard;
  std::optional<engine::blocking_region> sleeping;
  base::ref<sink> up;
  bool has_read = false;
  waited result = waited::closed;
  if (engine::current_loop()) sleeping.emplace();
  locked hold(lock_);
  who.borrowed_wake_fd_ = own_bell();
  const bool can_poll = who.borrowed_wake_fd_ >= 0;
  who.patient_ = true;
  for (bool over = false; !over;) {
    const bool had_role = role_.reading() == &who;
    switch (role_.look(who, can_poll)) {
      case reader_role::turn::finished:
        result = waited::finished;
        over = true;
        break;
      case reader_role::turn::closed:
        over = true;
        break;
      case reader_role::turn::sleep: {
        who.news_.store(0, std::memory_order_relaxed);
        who.asleep_ = true;
        hold.unlock();
        bool in_time = true;
        while (in_time && who.news_.load(std::memory_order_acquire) == 0)
          in_time = base::futex_wait(who.news_, 0, deadline);
        hold.lock();
        who.asleep_ = false;
        if (!in_time && !role_.is_finished(who)) {
          result = waited::timed_out;
          over = true;
        }
        break;
      }
      case reader_role::turn::read:
        if (!has_read) up = up_;
        if (!had_role) {
          registration_.hold();
          // A reader out of turn is woken by the engine's event at most; for one call that is
          // cheaper than to spend and arm again.
          if (++calls_in_row_ > 1) registration_.spend();
        }
        has_read = true;
        if (!read_as(hold, who, deadline) && !role_.is_finished(who) && !ended_) {
          result = waited::timed_out;
          over = true;
        } else if (up && !role_.is_finished(who)) {
          // What was read for others must not wait for this caller's reply, which may depend on it.
          hold.unlock();
          up->role_given_up(false);
          hold.lock();
        }
        break;
    }
  }
  // Appointed at the last moment, or the reader: somebody else has to read now.
  if (role_.reading() == &who) {
    up = up_;
    hand_over(hold, &who);
  } else {
    role_.forget(who);
  }
  if (result == waited::timed_out && role_.is_finished(who)) result = waited::finished;
  hold.unlock();
  if (up) up->role_given_up(false);
  return result;
}

/// One round of reading as the holder. False when the deadline has passed.
bool channel_body::read_as(locked& hold, waiter& who, base::instant deadline) {
  reading_here = &who;
  make_calls(hold);
  if (!ending_ && flush_due()) flush(hold);
  bool in_time = true;
  if (ending_) {
    finale(hold);
  } else if (!wire_) {
    role_.detach();
  } else if (!role_.is_finished(who) && !calls_due()) {
    const bool to_send = blocked_ && !retrying_;
    const bool ignore = read_over_ && !to_send;
    pollfd what[2] = {{ignore ? -1 : wire_->borrowed_fd(),
                       static_cast<short>(wire_->events(!read_over_, to_send)), 0},
                      {who.borrowed_wake_fd_, POLLIN, 0}};
    reading_here = nullptr;  // from now on others have to ring
    transport& wire = *wire_;
    who.patient_ = who.patient_ && !to_send && !ignore && has_patience(wire, deadline);
    const bool patiently = who.patient_;
    hold.unlock();
    received how;
    if (patiently) {
      how = receive_unlocked(wire, true);
      if (how.what != received::result::nothing) what[0].revents = POLLIN;
    } else {
      if (ignore || wire.before_polling())
        in_time = poll_until(what, deadline);
      else
        what[0].revents = POLLIN;
      if (what[0].revents & ~POLLOUT) how = receive_unlocked(wire);
    }
    const int error = errno;
    if (what[1].revents) {
      std::uint64_t rung;
      (void)!::read(who.borrowed_wake_fd_, &rung, sizeof rung);
    }
    hold.lock();
    reading_here = &who;
    if (patiently && how.what == received::result::nothing) who.patient_ = false;
    if (what[0].revents && !patiently && !retrying_) blocked_ = false;
    // Even if somebody began the end meanwhile: what has been received is received.
    if (what[0].revents & ~POLLOUT) read_many(hold, &who, &how, error);
  }
  reading_here = nullptr;
  return in_time;
}

}  // namespace openxpc::channel
