#include "base/same_errno.hpp"
#include "channel/body.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

// Sending. One thread sends at a time, without the lock; who comes meanwhile leaves its frame in
// the outbox and the sender takes it along. An empty outbox lets a frame leave from the caller's
// memory.
//
// Messages and rows that come close behind one another gather: the first leaves at once, so that
// nobody waits who sends seldom, the next ones share a packet that leaves when it is worth a system
// call, or after flush_after.

namespace openxpc::channel {
namespace {

constexpr std::chrono::microseconds close_behind{50}, flush_after{200};
constexpr std::uint64_t worth_a_packet_bytes = 32768;
constexpr std::size_t gathered_frame_most_bytes = 2048;
constexpr std::size_t joined_most_bytes = 512;
constexpr std::chrono::milliseconds retry_first{5}, retry_most{1000};

iovec part_of(const void* at, std::size_t size) noexcept { return {const_cast<void*>(at), size}; }

bool one_way(kind what) noexcept { return what == kind::message || what == kind::row; }
bool answer(kind what) noexcept {
  return what == kind::reply || what == kind::failure || what == kind::progress;
}

}  // namespace

/// Reads the clock for one-way frames only, and not while others gather already.
bool channel_body::may_gather(const outgoing& what) noexcept {
  if (!one_way(what.what) || !opened_) return false;
  if (!what.attachments.empty() || what.body.size() > gathered_frame_most_bytes) return false;
  if (pace_pending_ && out_.gathered_bytes() > 0) return true;
  const base::instant now = base::boot_clock::now();
  const bool soon = now - last_one_way_ < close_behind;
  last_one_way_ = now;
  return soon;
}

sent channel_body::send(outgoing&& what) {
  using outcome = sent::outcome;
  if (dead_by_fork()) return {outcome::closed, 0};
  locked hold(lock_);
  if (ending_) return {outcome::closed, 0};
  const bool gather = may_gather(what);
  const bool free = wire_ && opened_ && !writing_ && !blocked_ && !gather && greeting_.empty();
  const outbox::admitted how = out_.put(what, free);
  if (how.how == outbox::route::refused) {
    if (how.why != outcome::would_block || what.full != when_full::cut_off) return {how.why, 0};
    begin_end(hold, why::not_taken,
              "the peer has not read " + std::to_string(out_.unsent_bytes()) + " bytes");
    return {outcome::closed, 0};
  }
  if (how.how == outbox::route::queued) {
    if (gather && out_.gathered_bytes() < worth_a_packet_bytes)
      schedule_flush(last_one_way_ + flush_after);
    else
      flush(hold);
    if (gather && out_.gathered_bytes() == 0) last_one_way_ = base::boot_clock::now();
    if (answer(what.what)) watch_untaken();
    if (calls_due()) ask_for_calls(hold);
    return {out_.idle() ? outcome::left : outcome::queued, how.id, how.answers_wait};
  }

  // A small body is copied beside its head: one piece is cheaper to send than three.
  alignas(8) std::byte head[frame_head_most_bytes + joined_most_bytes + frame_alignment];
  static constexpr std::byte zeros[frame_alignment]{};
  const std::size_t head_size =
      write_head(head, what.what, false, static_cast<std::uint16_t>(what.attachments.size()),
                 how.id, what.extra, what.body.size());
  const std::size_t padding = how.size - head_size - what.body.size();
  iovec parts[3] = {part_of(head, head_size)};
  std::size_t count = 1;
  if (what.body.size() <= joined_most_bytes) {
    if (!what.body.empty()) std::memcpy(head + head_size, what.body.data(), what.body.size());
    std::memset(head + head_size + what.body.size(), 0, padding);
    parts[0].iov_len = how.size;
  } else {
    parts[count++] = part_of(what.body.data(), what.body.size());
    if (padding) parts[count++] = part_of(zeros, padding);
  }
  const send_result result = transmit(hold, {parts, count}, what.attachments, false);
  outcome outcome_now = outcome::left;
  if (result == send_result::taken) {
    out_.direct_left(what, how);
  } else if (out_.keep_direct(what, how)) {
    outcome_now = outcome::queued;
    wire_refused(hold, result);
  } else {
    return {outcome::no_descriptors, 0};
  }
  if (flush_due()) flush(hold);
  if (calls_due()) ask_for_calls(hold);
  return {outcome_now, how.id};
}

/// The only place that sends. The lock is free meanwhile.
send_result channel_body::transmit(locked& hold, std::span<const iovec> parts,
                                   std::span<const int> fds, bool credentials) {
  writing_ = true;
  transport* wire = wire_.get();
  hold.unlock();
  const send_result result = wire->send(parts, fds, credentials);
  {
    const base::same_errno kept;
    hold.lock();
  }
  writing_ = false;
  if (finale_waits_) {
    finale_waits_ = false;
    engine::post([self = base::ref<channel_body>::share(this)] {
      base::ref<sink> up;
      {
        locked held(self->lock_);
        up = self->up_;
        self->finale(held);
      }
      if (up) up->role_given_up(true);
    });
  }
  return result;
}

/// Something could leave that is not better left to gather.
bool channel_body::flush_due() const noexcept {
  if (!greeting_.empty()) return true;
  if (out_.idle()) return false;
  return !pace_pending_ || !out_.only_gathered() || out_.gathered_bytes() >= worth_a_packet_bytes;
}

void channel_body::flush(locked& hold) {
  static thread_local std::vector<iovec> parts;
  if (writing_ || !wire_) return;
  for (bool again = false; !blocked_ && !ending_; again = true) {
    // What has come while the last packet left gathers for the next: otherwise a producer that is
    // just faster than the wire would get a packet for every few frames.
    const std::uint64_t gathered = out_.gathered_bytes();
    if (again && gathered > 0 && gathered < worth_a_packet_bytes && out_.only_gathered()) {
      schedule_flush(base::from_now(flush_after));
      break;
    }
    if (!greeting_.empty()) {
      const send_result result = send_greeting(hold);
      if (result != send_result::taken) return wire_refused(hold, result);
      continue;
    }
    if (!out_.packet_under_way() && !out_.pack()) break;
    packet& leaving = out_.under_way();
    parts.clear();
    for (const packet::part& each : leaving.parts)
      parts.push_back(part_of(each.at ? each.at : leaving.staging.data() + each.offset, each.size));
    const send_result result = transmit(hold, parts, leaving.attachments, leaving.with_credentials);
    if (result != send_result::taken) return wire_refused(hold, result);
    const bool said_close = leaving.has_close;
    out_.packet_left();
    retry_after_ = {};
    if (said_close) begin_end(hold, why::closed, "closed");
  }
  if (calls_due()) ask_for_calls(hold);
}

send_result channel_body::send_greeting(locked& hold) {
  const iovec whole = part_of(greeting_.data(), greeting_.size());
  const send_result result = transmit(hold, {&whole, 1}, {}, true);
  if (result != send_result::taken) return result;
  greeting_ = base::buffer();
  if (end_after_greeting_ && !ending_) begin_end(hold, why::we_refused, "we refused the peer");
  return result;
}

/// What is under way stays there; somebody has to try again, or nobody ever.
void channel_body::wire_refused(locked& hold, send_result how) {
  if (ending_) return;
  switch (how) {
    case send_result::taken:
      return;
    case send_result::full:
      blocked_ = true;
      watch_untaken();
      return want_room(hold);
    case send_result::later:
      blocked_ = retrying_ = true;
      retry_after_ =
          std::clamp<std::chrono::nanoseconds>(2 * retry_after_, retry_first, retry_most);
      pace_pending_ = false;
      return schedule_flush(base::from_now(retry_after_));
    case send_result::peer_stopped:
      if (end_after_greeting_) return begin_end(hold, why::we_refused, "we refused the peer");
      if (!opened_) return;  // the reader finds the end of the stream
      // Half-closed: nothing leaves any more, what the peer still sends is read to its end.
      if (!out_.stopped()) out_.stop_sending(lost_);
      if (out_.closing()) return begin_end(hold, why::closed, "closed");
      return ask_for_calls(hold);
    case send_result::failed:
      return begin_end(hold, why::system_error,
                       std::string("sending failed: ") + std::strerror(errno));
  }
}

/// The wire is full: whoever reads waits for room as well.
void channel_body::want_room(locked& hold) {
  if (role_.held_by() == reader_role::holder::armed) arm(hold, false);
  waiter* who = role_.reading();
  if (!who) {
    kept_waiting_ |= lingers_;
    return;
  }
  if (who->patient_)
    registration_.arm(wire_->events(false, true));
  else
    wake_poller(*who);
}

void channel_body::schedule_flush(base::instant when) {
  if (pace_pending_) return;
  if (!pace_timer_)
    pace_timer_ = engine::timer(engine::any_loop(), [self = base::ref<channel_body>::share(this)] {
      self->timer_ran_out();
    });
  pace_pending_ = true;
  pace_timer_.schedule(when);
}

void channel_body::timer_ran_out() {
  locked hold(lock_);
  pace_pending_ = false;
  if (retrying_) retrying_ = blocked_ = false;
  if (ending_) return;
  // What waits is younger than the timer where packets have left full meanwhile.
  if (out_.gathered_bytes() > 0 && out_.only_gathered() && !blocked_) {
    const base::instant due = last_one_way_ + flush_after;
    if (base::boot_clock::now() < due) return schedule_flush(due);
  }
  flush(hold);
}

/// Answers need no credit, so only this bounds them; and a planned stop ends, whoever does not
/// listen to its last words.
bool channel_body::must_be_taken() const noexcept {
  return out_.unsent_answer_bytes() > limits_.unsent_bytes || (stopping_ && out_.closing());
}

/// The peer must take a packet now and then.
void channel_body::watch_untaken() {
  if (cut_pending_ || ending_ || !must_be_taken()) return;
  if (!cut_timer_)
    cut_timer_ = engine::timer(engine::any_loop(), [self = base::ref<channel_body>::share(this)] {
      self->cut_timer_ran_out();
    });
  cut_pending_ = true;
  cut_seen_packets_ = out_.counts().packets_sent;
  cut_timer_.schedule(base::from_now(limits_.not_taken_after));
}

void channel_body::cut_timer_ran_out() {
  locked hold(lock_);
  cut_pending_ = false;
  if (ending_ || !must_be_taken()) return;
  if (out_.counts().packets_sent != cut_seen_packets_) return watch_untaken();
  begin_end(hold, why::not_taken,
            "the peer has not read " + std::to_string(out_.unsent_bytes()) + " bytes of answers");
}

}  // namespace openxpc::channel
