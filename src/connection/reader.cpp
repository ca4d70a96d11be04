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
  error_ref fault;
  channel::charge held = what.held;
  std::uint64_t sequence = what.sequence.value_or(0);
  auto message = conversation::decode(what, fault);
  std::unique_lock lock(mutex_);
  if (ended_ || fault) {
    lock.unlock();
    over.let_go(held);
    if (fault) give_up(channel::cancel_reason::dropped, std::move(fault));
    return;
  }
  if (sequence < expected_) {
    lock.unlock();
    return over.fail_protocol("a row's sequence went backwards");
  }
  waiting_row added{{std::move(message), sequence, sequence - expected_}, held};
  expected_ = sequence + 1;
  counts_.missed += added.content.missed;
  counts_.bytes += held.bytes;
  rows_.push_back(std::move(added));
  tell(lock);
}

void reader::tell(std::unique_lock<std::mutex>& lock) {
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

reader::next reader::try_next(row& out) {
  if (engine::forked()) return next::end;
  std::unique_lock lock(mutex_);
  if (rows_.empty()) return ended_ ? next::end : next::none_yet;
  waiting_row taken = std::move(rows_.front());
  rows_.pop_front();
  ++counts_.delivered;
  const std::uint64_t owed = owed_.bytes + taken.held.bytes;
  owed_ = taken.held;
  owed_.bytes = owed;
  base::ref<channel::channel> over;
  channel::charge back;
  if (rows_.empty() || owed >= owed_most_bytes_) {
    over = over_;
    if (over) back = std::exchange(owed_, {});
  }
  lock.unlock();
  if (back) over->let_go(back);
  out = std::move(taken.content);
  return next::row;
}

reader::next reader::wait_next(base::instant deadline, row& out) {
  for (;;) {
    next got = try_next(out);
    if (got != next::none_yet) return got;
    base::ref<channel::channel> in;
    std::uint32_t seen;
    {
      std::lock_guard lock(mutex_);
      if (!rows_.empty() || ended_) continue;
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
  {
    std::lock_guard lock(mutex_);
    if (rows_.empty() && !ended_) {
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
  now.waiting = rows_.size();
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
