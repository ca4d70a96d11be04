#include "base/futex.hpp"
#include "connection/conversation.hpp"
#include "connection/stream.hpp"
#include "engine/blocking.hpp"
#include "engine/engine.hpp"

// The channel takes a row only when the reader's credit covers it; what it refuses waits in `rows_`
// in order, and pump() passes it on when credit comes. A dropped row keeps its sequence number, so
// the reader sees the gap.
namespace openxpc::connection {

base::ref<encoded_row> encoded_row::make(object::dictionary& content, error_ref& fault) {
  auto made = base::make_ref<encoded_row>();
  base::buffer scratch;
  encoded_message message;
  fault = encode(content, scratch, message);
  if (fault) return nullptr;
  made->bytes = base::block::copy_of(message.body);
  made->with = message.with;
  return made;
}

writer::writer(base::ref<conversation> by, base::ref<reply_right> right, policy full,
               std::uint64_t buffer_bytes)
    : by_(std::move(by)), right_(std::move(right)), policy_(full), buffer_bytes_(buffer_bytes) {
  right_->hand_over();
  by_->add_writer(*this);
  channel::outgoing out;
  out.what = channel::kind::accepted;
  out.id = id();
  if (!right_->over()->send(std::move(out)).taken()) stopped_ = true;
  if (right_->canceled()) stopped_ = true;
}

writer::~writer() {
  if (!ended_) end(channel::kind::end, nullptr);
  by_->remove_writer(*this);
}

channel::sent writer::pass_on(const waiting_row& row) {
  channel::outgoing out;
  out.what = channel::kind::row;
  out.id = id();
  out.body = row.content->bytes->view();
  out.shared = row.content->bytes;
  row.content->with.lend(out);
  out.extra.sequence = row.sequence;
  out.full = channel::when_full::report;
  return right_->over()->send(std::move(out));
}

bool writer::send_now(object::dictionary& row) {
  encoded_message message;
  if (encode(row, scratch_of_thread(), message)) return false;
  channel::outgoing out;
  out.what = channel::kind::row;
  out.id = id();
  lend(message, out);
  out.full = channel::when_full::report;
  std::lock_guard lock(mutex_);
  if (stopped_ || ended_ || finishing_ || !rows_.empty() || !waiting_sends_.empty()) return false;
  out.extra.sequence = next_sequence_;
  const std::uint64_t size = out.body.size();
  if (!right_->over()->send(std::move(out)).taken()) return false;
  ++next_sequence_;
  ++counts_.sent;
  ++counts_.delivered;
  counts_.bytes += size;
  return true;
}

error_ref writer::try_send(base::ref<encoded_row> row) {
  std::unique_lock lock(mutex_);
  if (!waiting_sends_.empty() && policy_ == policy::wait) {
    blocked_ = true;
    return make_error(OPENXPC_ERROR_WOULD_BLOCK, "the reader does not keep up",
                      "wait until the stream is writable");
  }
  return try_send(lock, std::move(row));
}

void writer::send_when_ready(base::ref<encoded_row> row, base::function<void(error_ref)> done) {
  std::unique_lock lock(mutex_);
  if (waiting_sends_.empty()) {
    // The usual case: there is room, and nobody needs another thread to hear so.
    error_ref why = try_send(lock, row);
    if (!why || why->code() != OPENXPC_ERROR_WOULD_BLOCK || ended_) {
      lock.unlock();
      return done(std::move(why));
    }
  }
  waiting_sends_.push_back({std::move(row), std::move(done)});
}

/// In the order of the calls; each is told outside the lock.
void writer::send_those_who_wait(std::unique_lock<base::mutex>& lock) {
  while (!waiting_sends_.empty()) {
    error_ref why = try_send(lock, waiting_sends_.front().content);
    if (why && why->code() == OPENXPC_ERROR_WOULD_BLOCK && !ended_) return;
    auto done = std::move(waiting_sends_.front().done);
    waiting_sends_.pop_front();
    lock.unlock();
    by_->run_soon([done = std::move(done), why = std::move(why)] { done(why); }, by_->where());
    lock.lock();
  }
}

error_ref writer::try_send(std::unique_lock<base::mutex>&, base::ref<encoded_row> row) {
  if (stopped_ || ended_ || finishing_)
    return make_error(OPENXPC_ERROR_CANCELED, "the reader left the stream");
  std::uint64_t size = row->bytes->view().size();
  waiting_row added{std::move(row), next_sequence_};
  if (rows_.empty()) {
    channel::sent result = pass_on(added);
    using outcome = channel::sent::outcome;
    if (result.taken()) {
      ++next_sequence_;
      ++counts_.sent;
      ++counts_.delivered;
      counts_.bytes += size;
      return nullptr;
    }
    if (result.what != outcome::would_block) {
      error_ref why = conversation::failure_of(result);
      if (result.what == outcome::closed || result.what == outcome::not_open) {
        stopped_ = true;
        return make_error(OPENXPC_ERROR_CANCELED, "the reader left the stream");
      }
      end(channel::kind::failure, why);
      return why;
    }
  }
  if (policy_ == policy::wait) {
    blocked_ = true;
    return make_error(OPENXPC_ERROR_WOULD_BLOCK, "the reader does not keep up",
                      "wait until the stream is writable");
  }
  if (waiting_bytes_ + size > buffer_bytes_) {
    switch (policy_) {
      case policy::disconnect: {
        auto why = make_error(OPENXPC_ERROR_WOULD_BLOCK,
                              "the reader does not keep up: the stream was ended");
        end(channel::kind::failure, why);
        return why;
      }
      case policy::drop_newest:
        ++next_sequence_;
        ++counts_.sent;
        ++counts_.missed;
        return nullptr;
      default:
        while (!rows_.empty() && waiting_bytes_ + size > buffer_bytes_) {
          waiting_bytes_ -= rows_.front().content->bytes->view().size();
          rows_.pop_front();
          ++counts_.missed;
        }
    }
  }
  ++next_sequence_;
  ++counts_.sent;
  if (size > buffer_bytes_) {
    ++counts_.missed;  // Larger than all that may wait: it can only be dropped itself.
    return nullptr;
  }
  waiting_bytes_ += size;
  rows_.push_back(std::move(added));
  return nullptr;
}

bool writer::send_waiting() {
  while (!rows_.empty()) {
    channel::sent result = pass_on(rows_.front());
    std::uint64_t size = rows_.front().content->bytes->view().size();
    if (result.what == channel::sent::outcome::would_block) return false;
    if (!result.taken()) {
      using outcome = channel::sent::outcome;
      if (result.what == outcome::closed || result.what == outcome::not_open)
        stopped_ = true;
      else
        end(channel::kind::failure, conversation::failure_of(result));
      rows_.clear();
      waiting_bytes_ = 0;
      return true;
    }
    ++counts_.delivered;
    counts_.bytes += size;
    waiting_bytes_ -= size;
    rows_.pop_front();
  }
  return true;
}

void writer::pump() {
  base::ref<writer> self;
  std::unique_lock lock(mutex_);
  if (ended_) return;
  bool empty = send_waiting();
  if (empty && finishing_) {
    if (!ended_) end(channel::kind::end, nullptr);
    self = std::move(self_);
  }
  blocked_ = false;
  send_those_who_wait(lock);
  tell(lock);
}

void writer::stop() {
  base::ref<writer> self;
  std::unique_lock lock(mutex_);
  stopped_ = true;
  rows_.clear();
  waiting_bytes_ = 0;
  self = std::move(self_);
  send_those_who_wait(lock);
  tell(lock);
  right_->cancel();
}

void writer::tell(std::unique_lock<base::mutex>& lock) {
  word_.fetch_add(1, std::memory_order_release);
  base::futex_wake(word_, INT32_MAX);
  auto ready = std::exchange(ready_, nullptr);
  auto where = std::move(where_);
  lock.unlock();
  if (ready) by_->run_soon(std::move(ready), where);
}

/// Under the lock, or where nobody else is left. The one final answer of the subscription.
void writer::end(channel::kind what, const error_ref& why) {
  if (std::exchange(ended_, true)) return;
  if (what == channel::kind::failure)
    return by_->send_answer(*right_->over(), what, id(), *why->to_dictionary());
  channel::outgoing out;
  out.what = what;
  out.id = id();
  out.extra.sequence = next_sequence_;
  (void)right_->over()->send(std::move(out));  // Refused only when nobody is there to read it.
}

void writer::when_writable(base::function<void()> ready, base::ref<executor> where) {
  {
    std::lock_guard lock(mutex_);
    if (blocked_ && !stopped_ && !ended_) {
      ready_ = std::move(ready);
      where_ = std::move(where);
      return;
    }
  }
  by_->run_soon(std::move(ready), where);
}

bool writer::wait_writable(base::instant deadline) {
  for (;;) {
    std::uint32_t seen;
    {
      std::lock_guard lock(mutex_);
      if (!blocked_ || stopped_ || ended_) return true;
      seen = word_.load(std::memory_order_acquire);
    }
    engine::blocking_region away;
    if (!base::futex_wait(word_, seen, deadline)) return false;
  }
}

bool writer::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_ || ended_;
}

stream_counts writer::counts() const {
  std::lock_guard lock(mutex_);
  stream_counts now = counts_;
  now.waiting = rows_.size();
  return now;
}

base::ref<executor> writer::default_executor() const { return by_->where(); }

void writer::fail(error_ref why) {
  std::unique_lock lock(mutex_);
  rows_.clear();
  waiting_bytes_ = 0;
  end(channel::kind::failure, why);
}

void writer::finish() {
  std::unique_lock lock(mutex_);
  finishing_ = true;
  if (ended_) return;
  if (stopped_ || send_waiting()) return end(channel::kind::end, nullptr);
  self_ = base::ref<writer>::share(this);
}

}  // namespace openxpc::connection
