#include "channel/body.hpp"

#include "engine/fork.hpp"

#include <algorithm>

// Making a channel, giving it a wire, and the members that only take note of something.

namespace openxpc::channel {
namespace {

/// Carries events to the channel; the registration holds it, it holds the channel, and the end of
/// the channel undoes both.
class ear final : public engine::source {
 public:
  explicit ear(base::ref<channel_body> of) noexcept : of_(std::move(of)) {}
  void ready(std::uint32_t events) override { of_->ready(events); }

 private:
  base::ref<channel_body> of_;
};

/// What the hello would say anyway: nothing below the protocol's minimum.
settings at_least(settings limits) {
  limits.message_bytes = std::max(limits.message_bytes, least::message_bytes);
  limits.credit_bytes = std::max(limits.credit_bytes, least::credit_bytes);
  limits.unanswered_count = std::max(limits.unanswered_count, least::unanswered_count);
  limits.packet_bytes = std::max(limits.packet_bytes, least::packet_bytes);
  return limits;
}

}  // namespace

base::ref<channel> channel::make(side which, settings limits, base::ref<sink> up) {
  return base::make_ref<channel_body>(which, std::move(limits), std::move(up));
}

channel_body::channel_body(side which, settings limits, base::ref<sink> up)
    : side_(which),
      limits_(at_least(std::move(limits))),
      generation_(engine::generation()),
      up_(std::move(up)),
      out_(calls_, limits_.unsent_bytes),
      in_(calls_, out_, limits_) {}

bool channel_body::dead_by_fork() const noexcept { return engine::generation() != generation_; }

void channel_body::attach(std::unique_ptr<transport> wire) {
  if (dead_by_fork()) return;
  auto self = base::ref<channel_body>::share(this);
  locked hold(lock_);
  if (ending_ || wire_) return;
  wire_ = std::move(wire);
  registration_ = engine::registration(wire_->borrowed_fd(), base::make_ref<ear>(self));
  if (side_ == side::accepting) {
    greeting_ = hello_packet(limits_, side_, nullptr);
    hello_timer_ = engine::timer(engine::any_loop(), [self] {
      locked held(self->lock_);
      if (!self->opened_) self->begin_end(held, why::hello_late, "no hello in time");
    });
    hello_timer_.schedule(base::from_now(limits_.hello_within));
  } else if (limits_.want_pidfd) {
    wire_->want_sender(true, true);
  }
  flush(hold);
  pass(hold, role_.attach());
}

void channel_body::let_go(const charge& held) {
  if (!held || dead_by_fork()) return;
  if (held.to == charge::account::answers) return in_.let_go_answer(held);  // no credit comes of it
  locked hold(lock_);
  in_.let_go(held);
  // An engine thread that holds the role sends when it gives it up, all credit in one frame.
  if (role_.held_by() != reader_role::holder::engine && flush_due()) flush(hold);
}

void channel_body::barrier(base::function<void()> then) {
  locked hold(lock_);
  if (ended_) {  // nobody makes calls any more, and nothing is before it
    hold.unlock();
    engine::post(std::move(then));
    return;
  }
  out_.barrier(std::move(then));
  if (calls_due()) ask_for_calls(hold);
}

withdrawn channel_body::withdraw(std::uint64_t id, cancel_reason reason, bool swallow) {
  base::ref<base::counted> unneeded;  // destroyed after the lock is free
  if (dead_by_fork()) return withdrawn::answered;
  locked hold(lock_);
  const withdrawn what = out_.withdraw(id, reason, swallow, unneeded);
  if (what != withdrawn::answered) flush(hold);
  return what;
}

void channel_body::stop() {
  if (dead_by_fork()) return;
  locked hold(lock_);
  if (ending_ || stopping_) return;
  // A client that is just saying hello may have sent its first messages with it: they are read,
  // too.
  if (!opened_ && (side_ == side::connecting || !wire_))
    return begin_end(hold, why::closed, "stopped before the hello");
  stopping_ = true;
  wire_->stop_receiving();  // whoever reads finds the end of the stream
}

void channel_body::close(std::string text) {
  if (dead_by_fork()) return;
  locked hold(lock_);
  if (ending_) return;
  if (!opened_ || out_.stopped()) return begin_end(hold, why::closed, std::move(text));
  out_.put_close(std::move(text));
  flush(hold);
  watch_untaken();
}

void channel_body::cancel(std::string text) {
  if (dead_by_fork()) return;
  locked hold(lock_);
  begin_end(hold, why::cancelled, std::move(text));
}

void channel_body::fail_protocol(std::string text) {
  if (dead_by_fork()) return;
  locked hold(lock_);
  begin_end(hold, why::protocol_error, std::move(text));
}

void channel_body::refuse(std::uint32_t code, bool may_retry, bool moved, std::string text) {
  if (dead_by_fork()) return;
  locked hold(lock_);
  if (ending_ || end_after_greeting_) return;
  if (!wire_) return begin_end(hold, why::we_refused, std::move(text));
  greeting_ = refusal_packet({code, may_retry, moved, std::move(text)});
  end_after_greeting_ = true;
  flush(hold);
}

const peer_info* channel_body::peer() const noexcept {
  return told_peer_.load(std::memory_order_acquire);
}

std::uint64_t channel_body::unsent_bytes() const {
  locked hold(lock_);
  return out_.unsent_bytes();
}

counters channel_body::count() const {
  locked hold(lock_);
  counters all = out_.counts();
  const counters& in = in_.counts();
  all.messages_received = in.messages_received;
  all.rows_received = in.rows_received;
  all.answers_received = in.answers_received;
  all.packets_received = in.packets_received;
  all.bytes_received = in.bytes_received;
  all.dropped_late = in.dropped_late;
  all.dropped_not_taken = in.dropped_not_taken;
  all.lost_attachments = in.lost_attachments;
  return all;
}

}  // namespace openxpc::channel
