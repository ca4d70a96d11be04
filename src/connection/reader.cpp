#include "base/futex.hpp"
#include "connection/conversation.hpp"
#include "connection/stream.hpp"
#include "engine/blocking.hpp"
#include "engine/engine.hpp"
#include "engine/fork.hpp"

namespace openxpc::connection {

reader::~reader() = default;

void reader::expect_acceptance(base::instant by) {
  if (by == base::never) return;
  std::lock_guard lock(mutex_);
  if (accepted_ || ended_) return;
  acceptance_ = engine::timer(engine::any_loop(), [self = base::ref<reader>::share(this)] {
    {
      std::lock_guard again(self->mutex_);
      if (self->accepted_) return;
    }
    self->give_up(channel::cancel_reason::timed_out,
                  make_error(OPENXPC_ERROR_TIMED_OUT, "the subscription was not accepted in time"));
  });
  acceptance_.schedule(by);
}

void reader::issued(base::ref<channel::channel> over, std::uint64_t id) {
  std::lock_guard lock(mutex_);
  over_ = std::move(over);
  id_ = id;
  word_.fetch_add(1, std::memory_order_release);
  if (sleeps_) base::futex_wake(word_);
}

void reader::answered(channel::arrival&& what, channel::channel& over) {
  using channel::kind;
  error_ref fault;
  switch (what.what) {
    case kind::accepted: {
      engine::timer spent;
      std::lock_guard lock(mutex_);
      accepted_ = true;
      spent = std::move(acceptance_);
      return;
    }
    case kind::row:
      return arrived_row(std::move(what), over);
    case kind::end: {
      {
        std::lock_guard lock(mutex_);
        std::uint64_t following = what.sequence.value_or(expected_);
        if (following > expected_) counts_.missed += following - expected_;
      }
      over.let_go(what.held);
      return end(nullptr);
    }
    default: {
      auto message = conversation::decode(what, fault);
      over.let_go(what.held);
      if (message) fault = object::rich_error::from(*message);
      return end(std::move(fault));
    }
  }
}

void reader::arrived_row(channel::arrival&& what, channel::channel& over) {
  const channel::charge held = what.held;
  const std::uint64_t sequence = what.sequence.value_or(0);
  std::unique_lock lock(mutex_);
  if (ended_) {
    lock.unlock();
    channel::bury(what.attachments);
    return over.let_go(held);
  }
  if (sequence < expected_) {
    lock.unlock();
    channel::bury(what.attachments);
    return over.fail_protocol("a row's sequence went backwards");
  }
  const std::uint64_t missed = sequence - expected_;
  expected_ = sequence + 1;
  counts_.missed += missed;
  counts_.bytes += held.bytes;
  ++arrived_count_;
  const bool first = arrived_.empty();
  arrived_.add(std::move(what), sequence, missed);
  if (first) tell(lock);  // who waits does so only while there is none
}

void reader::tell(std::unique_lock<base::mutex>& lock) {
  word_.fetch_add(1, std::memory_order_release);
  if (waits_in_)
    waits_in_->finish(waiter_);
  else if (sleeps_)
    base::futex_wake(word_);
  auto ready = std::exchange(ready_, nullptr);
  auto where = std::move(where_);
  lock.unlock();
  if (ready) by_->run_soon(std::move(ready), where);
}

void reader::end(error_ref why) {
  engine::timer spent;
  std::unique_lock lock(mutex_);
  if (ended_) return;
  ended_ = true;
  error_ = std::move(why);
  spent = std::move(acceptance_);
  tell(lock);
}

/// `row`: there is one in `taking_`.
reader::next reader::refill() {
  if (!taking_.empty()) return next::row;
  taking_.clear();
  std::lock_guard lock(mutex_);
  if (arrived_.empty()) return ended_ ? next::end : next::none_yet;
  taking_.swap(arrived_);
  return next::row;
}

reader::next reader::try_next(row& out) {
  if (engine::forked()) return next::end;
  const next what = refill();
  return what == next::row ? take(out) : what;
}

/// Precondition: refill() said that there is one.
reader::next reader::take(row& out) {
  row_batch::row& first = taking_.take();
  taken_count_.store(taken_count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  const std::uint64_t owed = owed_.bytes + first.held.bytes;
  owed_ = first.held;
  owed_.bytes = owed;
  error_ref fault;
  if (!first.special) {
    std::optional<wire::malformed> broken;
    out.value = object::decode(taking_.body_of(first), {}, wire::mode::local, broken);
    if (broken) fault = make_error(OPENXPC_ERROR_MALFORMED, wire::describe(*broken));
  } else {
    if (!first.special->whole) first.special->body = taking_.body_of(first);
    out.value = conversation::decode(*first.special, fault);
    first.special.reset();
  }
  out.sequence = first.sequence;
  out.missed = first.missed;
  if (taking_.empty() || owed >= owed_most_bytes_) {
    base::ref<channel::channel> over;
    {
      std::lock_guard lock(mutex_);
      if (arrived_.empty() || owed >= owed_most_bytes_) over = over_;
    }
    if (over) over->let_go(std::exchange(owed_, {}));
  }
  if (!fault) return next::row;
  // Whatever came behind it, even the writer's own end.
  taking_.drop();
  give_up(channel::cancel_reason::dropped, fault);
  std::lock_guard lock(mutex_);
  arrived_.drop();
  arrived_count_ = taken_count_.load(std::memory_order_relaxed);
  error_ = std::move(fault);
  return next::end;
}

reader::next reader::wait_next(base::instant deadline, row& out) {
  for (;;) {
    next got = try_next(out);
    if (got != next::none_yet) return got;
    base::ref<channel::channel> in;
    std::uint32_t seen;
    {
      std::lock_guard lock(mutex_);
      if (!arrived_.empty() || ended_) continue;
      seen = word_.load(std::memory_order_acquire);
      waiter_.reset();
      waits_in_ = in = over_;
    }
    auto outcome = in ? in->wait(waiter_, deadline) : channel::waited::closed;
    {
      std::lock_guard lock(mutex_);
      waits_in_ = nullptr;
    }
    if (outcome == channel::waited::timed_out) return try_next(out);
    if (outcome == channel::waited::closed) {
      {
        std::lock_guard lock(mutex_);
        sleeps_ = true;
      }
      bool in_time;
      {
        engine::blocking_region away;
        in_time = base::futex_wait(word_, seen, deadline);
      }
      {
        std::lock_guard lock(mutex_);
        sleeps_ = false;
      }
      if (!in_time) return try_next(out);
    }
  }
}

void reader::when_ready(base::function<void()> ready, base::ref<executor> where) {
  if (refill() == next::none_yet) {
    std::lock_guard lock(mutex_);
    if (arrived_.empty() && !ended_) {
      ready_ = std::move(ready);
      where_ = std::move(where);
      return;
    }
  }
  by_->run_soon(std::move(ready), where);
}

error_ref reader::error() const {
  if (engine::forked()) return forked_error();
  std::lock_guard lock(mutex_);
  return error_;
}

stream_counts reader::counts() const {
  std::lock_guard lock(mutex_);
  stream_counts now = counts_;
  now.delivered = taken_count_.load(std::memory_order_relaxed);
  now.waiting = arrived_count_ - now.delivered;
  now.sent = expected_;
  return now;
}

base::ref<executor> reader::default_executor() const { return by_->where(); }

void reader::cancel() {
  give_up(channel::cancel_reason::stopped,
          make_error(OPENXPC_ERROR_CANCELED, "the reader cancelled the stream"));
}

void reader::give_up(channel::cancel_reason reason, error_ref why) {
  base::ref<channel::channel> over;
  std::uint64_t id;
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    over = over_;
    id = id_;
  }
  if (over && id) over->withdraw(id, reason, true);
  end(std::move(why));
}

}  // namespace openxpc::connection
