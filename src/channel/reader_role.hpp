#pragma once

#include "channel/waiter.hpp"

#include <cstdint>
#include <string>

namespace openxpc::channel {

/// Who reads: docs/design/channel.md section 4, as a pure machine. At most one thread holds the
/// role; a thread that wants an answer takes it when nobody has it and sleeps otherwise; who gives
/// it up names the next. The machine decides, the channel does: each member tells what has to be
/// done now (read, sleep, wake somebody, arm the registration).
///
/// Not thread-safe: every call is made under the lock of the channel, and so are waking a sleeper
/// (storing to its word) and waking a poller, because a waiter may be gone as soon as the lock is
/// free.
class reader_role {
 public:
  enum class holder : std::uint8_t {
    detached,  ///< there is no wire yet: nobody can read, everybody sleeps
    armed,     ///< nobody reads; the engine's registration is (being) armed
    engine,    ///< an engine thread reads
    thread,    ///< the waiter reading() reads
    closed,    ///< nobody will read again
  };
  /// What a thread in wait() has to do now.
  enum class turn : std::uint8_t { read, sleep, finished, closed };
  /// What the one who gave the role up has to do now.
  struct handed {
    enum class duty : std::uint8_t { nothing, arm, wake } what = duty::nothing;
    waiter* next = nullptr;  ///< whom to wake: it has been appointed
  };
  /// Whom finish() has to wake, and how.
  enum class alarm : std::uint8_t { none, sleeper, poller };

  holder held_by() const noexcept { return holder_; }
  waiter* reading() const noexcept { return holder_ == holder::thread ? reading_ : nullptr; }
  bool somebody_waits() const noexcept { return first_ != nullptr; }
  /// One character for each sleeper, first come first, as `name` says (for tests).
  template <class F>
  std::string order(F&& name) const {
    std::string out;
    for (const waiter* each = first_; each; each = each->next_) out += name(*each);
    return out;
  }

  /// There is a wire now. The first waiter, if any, is appointed to read; otherwise arm.
  handed attach() noexcept {
    if (holder_ != holder::detached) return {};
    return pass_on();
  }
  /// The wire is gone and another may come. Only by the holder.
  void detach() noexcept {
    if (holder_ == holder::closed) return;
    if (holder_ == holder::thread && !reading_->is_finished()) {
      reading_->can_poll_ = true;
      enqueue(*reading_);
    }
    reading_ = nullptr;
    holder_ = holder::detached;
  }

  /// The registration fired, or the engine has work that needs the role. False: somebody else has
  /// it; a stale event.
  [[nodiscard]] bool engine_claims() noexcept {
    if (holder_ != holder::armed) return false;
    holder_ = holder::engine;
    return true;
  }
  /// The holder has read its fill and made its calls. `who`: null for the engine.
  handed give_up(const waiter* who) noexcept {
    if (!has_role(who)) return {};
    return pass_on();
  }

  /// A thread comes to wait, or looks again after it was woken. `can_poll`: it may be given the
  /// role.
  turn look(waiter& who, bool can_poll) noexcept {
    if (who.is_finished()) return turn::finished;
    if (holder_ == holder::closed) return turn::closed;
    if (has_role(&who)) return turn::read;
    if (holder_ == holder::armed && can_poll) {
      dequeue(who);
      appoint(who);
      return turn::read;
    }
    who.can_poll_ = can_poll;
    enqueue(who);
    return turn::sleep;
  }
  /// A thread stops waiting, for whatever reason. If it held the role or was just appointed, it
  /// hands over.
  handed leave(waiter& who) noexcept {
    dequeue(who);
    return give_up(&who);
  }
  /// The same for one that certainly does not hold the role.
  void forget(waiter& who) noexcept { dequeue(who); }
  static bool is_finished(const waiter& who) noexcept { return who.is_finished(); }
  /// The waiter has what it waits for.
  alarm finish(waiter& who) noexcept {
    if (who.is_finished()) return alarm::none;
    who.finished_.store(true, std::memory_order_relaxed);
    dequeue(who);
    return has_role(&who) ? alarm::poller : alarm::sleeper;
  }
  /// The engine comes to end it all (or to tell a detached channel something). False: whoever holds
  /// the role learns of it by itself.
  [[nodiscard]] bool engine_claims_even_detached() noexcept {
    if (holder_ != holder::armed && holder_ != holder::detached) return false;
    holder_ = holder::engine;
    return true;
  }
  /// The holder leaves the rest to the engine, which has the role from now on.
  void yield_to_engine() noexcept {
    if (holder_ == holder::thread && !reading_->is_finished()) {
      reading_->can_poll_ = true;
      enqueue(*reading_);
    }
    reading_ = nullptr;
    holder_ = holder::engine;
  }
  /// The end, only by the holder. `wake` is called for each waiter that sleeps.
  template <class F>
  void close(F&& wake) {
    holder_ = holder::closed;
    reading_ = nullptr;
    while (first_) {
      waiter& each = *first_;
      dequeue(each);
      wake(each);
    }
  }

 private:
  bool has_role(const waiter* who) const noexcept {
    return who ? holder_ == holder::thread && reading_ == who : holder_ == holder::engine;
  }
  handed pass_on() noexcept {
    for (waiter* next = first_; next; next = next->next_) {
      if (!next->can_poll_) continue;
      dequeue(*next);
      appoint(*next);
      return {handed::duty::wake, next};
    }
    holder_ = holder::armed;
    reading_ = nullptr;
    return {handed::duty::arm, nullptr};
  }
  void appoint(waiter& who) noexcept {
    holder_ = holder::thread;
    reading_ = &who;
  }
  void enqueue(waiter& who) noexcept {
    if (who.queued_) return;
    who.queued_ = true;
    who.next_ = nullptr;
    who.previous_ = last_;
    (last_ ? last_->next_ : first_) = &who;
    last_ = &who;
  }
  void dequeue(waiter& who) noexcept {
    if (!who.queued_) return;
    who.queued_ = false;
    (who.previous_ ? who.previous_->next_ : first_) = who.next_;
    (who.next_ ? who.next_->previous_ : last_) = who.previous_;
    who.next_ = who.previous_ = nullptr;
  }

  holder holder_ = holder::detached;
  waiter* reading_ = nullptr;
  waiter* first_ = nullptr;
  waiter* last_ = nullptr;
};

}  // namespace openxpc::channel
