#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/mutex.hpp"
#include "base/recycled.hpp"
#include "channel/channel.hpp"
#include "connection/failure.hpp"
#include "connection/strand.hpp"
#include "connection/transactions.hpp"
#include "object/dictionary.hpp"

#include <atomic>
#include <optional>

namespace openxpc::connection {

class conversation;

/// The right and the duty to answer one request or subscription: exactly one answer leaves, at the
/// latest when the last reference goes (no_reply). Threads: any.
class reply_right final : public base::counted, public base::recycled {
 public:
  reply_right(base::ref<conversation> from, base::ref<channel::channel> over, std::uint64_t id);

  /// Each answers unless it was answered before; then false, nothing sent.
  bool reply(object::dictionary& message);
  bool fail(const error_ref& why);
  /// Somebody else (a stream's writer) answers from now on; false when it was answered before.
  bool hand_over();
  void report_progress(object::dictionary& what);

  /// The requester cancelled, ran out of time or left.
  bool canceled() const noexcept { return canceled_.load(std::memory_order_acquire); }
  /// Calls `told` at most once when that happens, at once if it has. A null function takes it back;
  /// when this returns the earlier one neither runs nor will.
  void on_cancel(base::function<void()> told);
  /// The conversation's word that it happened.
  void cancel();

  std::uint64_t id() const noexcept { return id_; }
  const base::ref<channel::channel>& over() const noexcept { return over_; }

 private:
  ~reply_right() override;
  bool claim() noexcept { return !answered_.exchange(true, std::memory_order_acq_rel); }

  base::ref<conversation> from_;
  base::ref<channel::channel> over_;
  std::uint64_t id_;
  std::atomic<bool> answered_{false};
  std::atomic<bool> canceled_{false};
  // Recursive: what the requester's cancellation runs may answer, and so come back here.
  std::recursive_mutex told_mutex_;
  base::function<void()> told_;
  std::atomic<bool> to_tell_{false};  ///< on_cancel() was given something once
};

/// A message, request or subscription on its way to the handler.
class incoming final : public delivery, public base::recycled {
 public:
  incoming(base::ref<conversation> by, base::ref<channel::channel> through, channel::kind kind,
           base::ref<object::dictionary> content, channel::charge held)
      : from(std::move(by)),
        over(std::move(through)),
        what(kind),
        message(std::move(content)),
        held_(held) {}

  base::ref<conversation> from;
  base::ref<channel::channel> over;
  channel::kind what;
  base::ref<object::dictionary> message;
  /// Requests and subscriptions.
  base::ref<reply_right> right;
  base::instant deadline = base::never;
  std::uint64_t row_credit = 0;
  /// What keeps the process busy while the program has it, where it was asked to count.
  transaction busy;

 private:
  ~incoming() override;
  void run() override;
  void drop() override;
  bool is_request(std::uint64_t id) const noexcept override { return right && right->id() == id; }
  void let_go();

  channel::charge held_;
};

/// What hangs on a received message and on a reply: where it came from and the right to answer it.
/// C programs carry the right inside the message object (rules 89 to 91).
class message_context final : public base::counted, public base::recycled {
 public:
  enum class kind : std::uint8_t { received, reply };
  message_context(kind what, base::ref<object::object> remote, base::ref<reply_right> right,
                  transaction busy = {})
      : what_(what), remote_(std::move(remote)), right_(std::move(right)), busy_(std::move(busy)) {}

  kind what() const noexcept { return what_; }
  /// The connection; lives as long as the message.
  const base::ref<object::object>& remote() const noexcept { return remote_; }
  /// Moves the right out, once.
  base::ref<reply_right> take_right() noexcept {
    std::lock_guard lock(mutex_);
    return std::move(right_);
  }
  bool has_right() noexcept {
    std::lock_guard lock(mutex_);
    return right_ != nullptr;
  }
  /// Moves out what keeps the process busy while the message is there (rules 169, 170).
  transaction take_transaction() noexcept {
    std::lock_guard lock(mutex_);
    return std::move(busy_);
  }

 private:
  const kind what_;
  const base::ref<object::object> remote_;
  base::mutex mutex_;
  base::ref<reply_right> right_;
  transaction busy_;
};

}  // namespace openxpc::connection
