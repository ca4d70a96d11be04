#pragma once

#include "base/block.hpp"
#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/mutex.hpp"
#include "channel/waiter.hpp"
#include "connection/asker.hpp"
#include "connection/encoded.hpp"
#include "connection/executor.hpp"
#include "connection/incoming.hpp"
#include "connection/row_batch.hpp"
#include "engine/timer.hpp"

#include <atomic>
#include <deque>

namespace openxpc::connection {

struct stream_counts {
  std::uint64_t sent = 0, delivered = 0, waiting = 0, missed = 0, bytes = 0;
};

/// The reading end of a subscription. Rows wait here until they are taken; taking one gives its
/// credit back, so what waits is bounded by the credit. Threads: any; next() and when_ready() by
/// one at a time.
class reader final : public asker {
 public:
  enum class next : std::uint8_t { row, none_yet, end };
  struct row {
    base::ref<object::dictionary> value;
    std::uint64_t sequence = 0;
    std::uint64_t missed = 0;
  };

  reader(base::ref<conversation> by, std::uint64_t credit_bytes)
      : by_(std::move(by)), owed_most_bytes_(credit_bytes / 8) {}
  /// The writer has until then to accept.
  void expect_acceptance(base::instant by);

  next try_next(row& out);
  /// Blocks, reading for the conversation, until there is a row, the end or the deadline.
  next wait_next(base::instant deadline, row& out);
  /// Calls `ready` once when there is a row or the end. One at a time.
  void when_ready(base::function<void()> ready, base::ref<executor> where);
  /// After the end: null when the writer ended in order.
  error_ref error() const;
  stream_counts counts() const;
  base::ref<executor> default_executor() const;
  void cancel();

  void answered(channel::arrival&& what, channel::channel& over) override;
  void unanswered(error_ref why) override { end(std::move(why)); }
  void issued(base::ref<channel::channel> over, std::uint64_t id) override;

 private:
  ~reader() override;
  void arrived_row(channel::arrival&& what, channel::channel& over);
  next refill();
  next take(row& out);
  void end(error_ref why);
  void give_up(channel::cancel_reason reason, error_ref why);
  void tell(std::unique_lock<base::mutex>& lock);

  const base::ref<conversation> by_;
  const std::uint64_t owed_most_bytes_;
  mutable base::mutex mutex_;
  base::ref<channel::channel> over_;
  std::uint64_t id_ = 0;
  row_batch arrived_;
  std::uint64_t arrived_count_ = 0;
  std::uint64_t expected_ = 0;
  bool accepted_ = false;
  bool ended_ = false;
  error_ref error_;
  stream_counts counts_;
  base::function<void()> ready_;
  base::ref<executor> where_;
  engine::timer acceptance_;
  channel::waiter waiter_;
  base::ref<channel::channel> waits_in_;
  std::atomic<std::uint32_t> word_{0};
  bool sleeps_ = false;  ///< somebody sits on the word

  // Of whoever takes, who needs no lock for all but the last of them.
  row_batch taking_;
  channel::charge owed_;  ///< of rows that were taken: credit goes back in larger sums
  std::atomic<std::uint64_t> taken_count_{0};
};

/// A row encoded once, for any number of writers.
class encoded_row final : public base::counted {
 public:
  /// Null with `fault` set when it cannot be encoded.
  static base::ref<encoded_row> make(object::dictionary& content, error_ref& fault);

  base::ref<base::block> bytes;
  attached with;
};

/// The writing end. Rows that the reader's credit does not cover wait here, up to a bound; the
/// policy says what happens at it. Threads: any.
class writer final : public base::counted {
 public:
  enum class policy : std::uint8_t { wait, drop_oldest, drop_newest, disconnect };
  writer(base::ref<conversation> by, base::ref<reply_right> right, policy full,
         std::uint64_t buffer_bytes);

  /// Sends the row if nothing is in its way. False: nothing was done, try_send() says why.
  bool send_now(object::dictionary& row);
  /// Null, or would_block (policy wait), canceled, too_large.
  error_ref try_send(base::ref<encoded_row> row);
  /// try_send(), but waits its turn for credit; `done` once, with what try_send() would have said.
  void send_when_ready(base::ref<encoded_row> row, base::function<void(error_ref)> done);
  /// Calls `ready` once when try_send() may succeed again or the stream is over. One at a time.
  void when_writable(base::function<void()> ready, base::ref<executor> where);
  bool wait_writable(base::instant deadline);
  bool stopped() const;
  /// Calls `told` once when the reader leaves; at once if it has. Null takes it back, as
  /// reply_right::on_cancel().
  void on_stop(base::function<void()> told) { right_->on_cancel(std::move(told)); }
  stream_counts counts() const;
  base::ref<executor> default_executor() const;
  /// Ends the stream: with an error now, or in order behind the rows that wait.
  void fail(error_ref why);
  void finish();

  std::uint64_t id() const noexcept { return right_->id(); }
  /// The reader left or the conversation is over.
  void stop();
  /// The reader's credit grew.
  void pump();

 private:
  struct waiting_row {
    base::ref<encoded_row> content;
    std::uint64_t sequence;
  };
  struct waiting_send {
    base::ref<encoded_row> content;
    base::function<void(error_ref)> done;
  };
  ~writer() override;
  error_ref try_send(std::unique_lock<base::mutex>& lock, base::ref<encoded_row> row);
  void send_those_who_wait(std::unique_lock<base::mutex>& lock);
  channel::sent pass_on(const waiting_row& row);
  bool send_waiting();
  void end(channel::kind what, const error_ref& why);
  void tell(std::unique_lock<base::mutex>& lock);

  const base::ref<conversation> by_;
  const base::ref<reply_right> right_;
  const policy policy_;
  const std::uint64_t buffer_bytes_;
  mutable base::mutex mutex_;
  std::deque<waiting_row> rows_;
  std::uint64_t waiting_bytes_ = 0;
  std::deque<waiting_send> waiting_sends_;
  std::uint64_t next_sequence_ = 0;
  bool stopped_ = false;
  bool finishing_ = false;
  bool ended_ = false;
  bool blocked_ = false;  ///< somebody was told would_block and nothing has been writable since
  stream_counts counts_;
  base::function<void()> ready_;
  base::ref<executor> where_;
  base::ref<writer> self_;  ///< rows still wait although the program has let go
  std::atomic<std::uint32_t> word_{0};
};

}  // namespace openxpc::connection
