#include "base/futex.hpp"
#include "channel/body.hpp"

#include <sys/epoll.h>

// Handing the reader role on, the calls to the sink that no packet causes, and the end.

namespace openxpc::channel {

bool channel_body::calls_due() const noexcept {
  return ending_ || drained_due_ || !lost_.empty() || out_.has_news();
}

/// Something is to be told. The holder finds it when it gives the role up; a poller is woken; if
/// nobody holds it the engine comes.
void channel_body::ask_for_calls(locked&) {
  switch (role_.held_by()) {
    case reader_role::holder::armed:
    case reader_role::holder::detached:
      if (calls_asked_) return;
      calls_asked_ = true;
      engine::post([self = base::ref<channel_body>::share(this)] { self->engine_work(); });
      return;
    case reader_role::holder::thread:
      return wake_poller(*role_.reading());
    case reader_role::holder::engine:
      kept_waiting_ |= lingers_;
      return;
    case reader_role::holder::closed:
      return;
  }
}

void channel_body::engine_work() {
  base::ref<sink> up;
  {
    locked hold(lock_);
    calls_asked_ = false;
    if (!role_.engine_claims_even_detached()) return;  // the holder looks before it sleeps
    up = up_;
    hand_over(hold, nullptr);
  }
  up->role_given_up(true);
}

/// Only by the holder.
void channel_body::make_calls(locked& hold) {
  while (!ended_ && (drained_due_ || !lost_.empty() || out_.has_news())) {
    outbox::lost_calls lost = std::exchange(lost_, {});
    auto released = out_.take_released();
    const auto writable = out_.take_writable();
    const bool answers_left = out_.take_answers_left();
    // Only after what failed with it, so that the sink sees its calls gone first.
    const bool drained = std::exchange(drained_due_, false);
    hold.unlock();
    for (outbox::lost_call& each : lost)
      up_->unanswered(std::move(each.context), each.id, each.how);
    for (auto& each : released)
      if (each) each();
    for (std::uint64_t id : writable) up_->writable(id);
    if (answers_left) up_->answers_left();
    if (drained) up_->drained();
    lost.clear();
    released.clear();
    hold.lock();
  }
}

/// The holder is done: tells what is to be told, sends what may leave, and passes the role on. The
/// lock is held from the last look to the passing, so nothing can come in between unnoticed.
void channel_body::hand_over(locked& hold, waiter* who) {
  for (;;) {
    make_calls(hold);
    if (ending_) return finale(hold);
    if (flush_due()) flush(hold);
    if (!calls_due()) break;
  }
  if (!wire_) return role_.detach();
  pass(hold, role_.give_up(who));
}

void channel_body::pass(locked& hold, reader_role::handed to) {
  switch (to.what) {
    case reader_role::handed::duty::nothing:
      return;
    case reader_role::handed::duty::arm:
      return arm(hold, calls_in_row_ > 1);
    case reader_role::handed::duty::wake:
      to.next->news_.store(1, std::memory_order_release);
      base::futex_wake(to.next->news_);
      return;
  }
}

/// `soon`: the last reader was a synchronous caller, one of several in a row, so the next one is
/// likely to come before the engine is needed; then the registration is armed one or two
/// milliseconds later by the engine itself, without a system call for each synchronous call (and
/// without an event that comes too late). The price: what arrives by itself right after a
/// synchronous call is seen so much later.
void channel_body::arm(locked& hold, bool soon) {
  if (!wire_) return;
  const bool to_send = blocked_ && !retrying_;
  if (read_over_ && !to_send) return registration_.spend();  // the end stays readable for ever
  if (!read_over_ && !wire_->before_polling())
    engine::post([self = base::ref<channel_body>::share(this)] { self->ready(EPOLLIN); });
  const std::uint32_t events = wire_->events(!read_over_, to_send);
  if (soon && !to_send) return registration_.arm_soon(events);
  if (!registration_.keep_armed(events))
    begin_end(hold, why::system_error, "the engine cannot wait for the socket");
}

void channel_body::begin_end(locked& hold, why reason, std::string text) {
  closing how;
  how.why = reason;
  how.text = std::move(text);
  begin_end(hold, std::move(how));
}

void channel_body::begin_end(locked& hold, closing how) {
  if (ending_) return;
  ending_ = true;
  if (how.why == why::we_refused && !how_.text.empty()) how.text = std::move(how_.text);
  // The peer may hang up on our close frame before the sender of that frame is back.
  if (how.why == why::peer_gone && out_.close_said()) how.why = why::closed;
  how_ = std::move(how);
  how_.opened = opened_;
  if (wire_)
    wire_->hang_up();  // at once: wakes every poller, and tells the peer though forks hold the
                       // socket
  ask_for_calls(hold);
}

/// Only by the holder, once.
void channel_body::finale(locked& hold) {
  if (ended_) return;
  if (writing_) {  // somebody sends from memory that is about to go; it calls the engine when it is
                   // back
    finale_waits_ = true;
    return role_.yield_to_engine();
  }
  ended_ = true;
  if (!out_.stopped()) out_.stop_sending(lost_);
  out_.lose_all(lost_);
  outbox::lost_calls lost = std::exchange(lost_, {});
  auto released = out_.take_released();
  engine::timer timers[] = {std::move(hello_timer_), std::move(pace_timer_), std::move(cut_timer_)};
  engine::registration done = std::move(registration_);
  std::unique_ptr<transport> wire = std::move(wire_);
  hold.unlock();
  for (engine::timer& each : timers) each = engine::timer();
  done.remove();
  wire.reset();
  up_->ending(how_);
  for (outbox::lost_call& each : lost) up_->unanswered(std::move(each.context), each.id, each.how);
  for (auto& each : released)
    if (each) each();
  up_->closed(how_);
  lost.clear();
  released.clear();
  hold.lock();
  role_.close([](waiter& each) {
    each.news_.store(1, std::memory_order_release);
    base::futex_wake(each.news_);
  });
  base::ref<sink> up = std::move(up_);
  hold.unlock();
  up = nullptr;
  hold.lock();
}

}  // namespace openxpc::channel
