#pragma once

#include <xpc/detail/reader.hpp>
#include <xpc/detail/writer.hpp>

/// One subscription, many rows: `stream` reads them, `stream_writer`, `generator` and `broadcast`
/// write them.
namespace xpc {

/// Rows, one after the other, in order; each says what was missed before it. A resource: destroying
/// it tells the writer to stop.
///     while (auto row = co_await s.next()) use(row->value);
///     if (auto end = s.outcome(); !end) ...
/// Threads: one at a time; cancel() from any.
template <class T>
class stream {
 public:
  stream(stream&&) noexcept = default;
  stream& operator=(stream&& other) noexcept {
    if (this != &other) {
      if (at_) at_->cancel();
      at_ = std::move(other.at_);
    }
    return *this;
  }
  ~stream() {
    if (at_) at_->cancel();
  }

  /// The next row, as soon as it is there; one next() at a time. Cancelling what it returns cancels
  /// the stream. It may outlive the stream. Errors: end_of_stream, the writer ended in order; else
  /// why it ended.
  pending<row<T>> next() { return at_->next(); }
  /// The same without waiting; nullopt: none yet.
  result<std::optional<row<T>>> try_next() { return at_->try_next(); }
  /// After the end: done when the writer ended in order, else why not.
  result<void> outcome() const { return at_->outcome_so_far(); }
  /// Rows sent, delivered, waiting here, missed; bytes.
  stream_counts counts() const { return at_->counts(); }
  /// Tells the writer to stop. Rows that are here can still be taken, then it ends with canceled.
  void cancel() { at_->cancel(); }

  /// For the parts of this library: takes the handle over.
  stream(openxpc_stream_t owned, std::stop_token stop)
      : at_(detail::reader<T>::make(owned, std::move(stop))) {}

 private:
  detail::counted_ref<detail::reader<T>> at_;
};

/// The sending end of a stream. A resource: destroying it ends the stream in order, after the rows
/// that wait. Threads: one at a time.
template <class T>
class stream_writer {
 public:
  stream_writer(stream_writer&&) noexcept = default;
  stream_writer& operator=(stream_writer&&) noexcept = default;
  ~stream_writer() = default;

  /// Sends a row; done when it has left for the reader's credit or found room in the buffer. Order
  /// of the calls is kept. Errors: canceled, the reader left or the conversation is over;
  /// too_large, larger than the reader's credit: the stream has failed.
  pending<void> send(const T& what) { return at_.send(detail::to_row(what)); }
  /// The same at once. Errors: would_block, policy wait and no room; as above. Drop policies drop
  /// and count.
  result<void> try_send(const T& what) { return at_.try_send(detail::to_row(what)); }
  /// Ends the stream with a failure, after the rows that wait.
  void fail(failure why) && { std::move(at_).fail(why); }
  /// Fires when the reader has left or the conversation is over.
  std::stop_token stop_token() { return at_.stop_token(); }
  /// Rows sent, delivered, waiting here, dropped; bytes.
  stream_counts counts() const { return at_.counts(); }

  /// For the parts of this library: takes the handle over.
  explicit stream_writer(openxpc_writer_t owned) : at_(owned) {}
  openxpc_writer_t release() && { return std::move(at_).release(); }

 private:
  detail::writer at_;
};

/// A coroutine that makes rows by `co_yield`; as an on_subscribe handler it runs on only while its
/// reader has credit. What it awaits must not wait: `co_await` inside does not compile. A
/// bad_result that leaves it ends the stream with that failure. A resource. Threads: one at a time.
template <class T>
class [[nodiscard("a generator does nothing until somebody asks for a row")]] generator {
 public:
  using value_type = T;
  class promise_type {
   public:
    generator get_return_object() noexcept {
      return generator(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    std::suspend_always yield_value(T what) {
      current_.emplace(std::move(what));
      return {};
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { fault_ = std::current_exception(); }
    template <class A>
    void await_transform(A&&) = delete;

   private:
    friend class generator;
    std::optional<T> current_;
    std::exception_ptr fault_;
  };

  generator(generator&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  generator& operator=(generator&& other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~generator() {
    if (at_) at_.destroy();
  }

  /// Runs on to the next row; nullopt at the end. What leaves the body is thrown here.
  std::optional<T> next() {
    if (at_.done()) return std::nullopt;
    at_.promise().current_.reset();
    at_.resume();
    if (at_.promise().fault_) std::rethrow_exception(std::exchange(at_.promise().fault_, nullptr));
    return std::move(at_.promise().current_);
  }

 private:
  explicit generator(std::coroutine_handle<promise_type> owned) noexcept : at_(owned) {}
  std::coroutine_handle<promise_type> at_;
};

class subscription;

/// Sends the same rows to everybody who subscribed. A resource, not movable. Threads: any member
/// from any thread.
template <class T>
class broadcast {
 public:
  broadcast() : at_(openxpc_broadcast_create()) {}
  broadcast(const broadcast&) = delete;
  broadcast& operator=(const broadcast&) = delete;
  /// Ends each stream in order.
  ~broadcast() { openxpc_broadcast_destroy(at_); }

  /// Accepts a subscription; from now on it gets each row. By default the oldest rows are dropped
  /// for a reader that is too slow, and counted in `missed`; with policy wait its stream ends with
  /// would_block.
  template <std::same_as<subscription> S>
  void add(S who, stream_options options = {.policy = when_full::drop_oldest}) {
    openxpc_broadcast_add(at_, std::move(who).template accept<T>(options).release());
  }
  /// Sends a row to all: encoded once, never waits. @return why nobody got it, when it cannot be
  /// sent at all (larger than any message, nested deeper than 64).
  std::optional<failure> send(const T& what) {
    xpc_rich_error_t why = openxpc_broadcast_send(at_, detail::to_row(what).native_handle());
    if (!why) return std::nullopt;
    return failure::adopt_native(why);
  }
  /// How many there are now.
  std::size_t subscriber_count() const { return openxpc_broadcast_get_count(at_); }

 private:
  openxpc_broadcast_t at_;
};

}  // namespace xpc
