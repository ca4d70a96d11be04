#pragma once

#include <xpc/detail/executor.hpp>
#include <xpc/result.hpp>

#include <exception>
#include <optional>

/// What a pending stands on: a table of functions over a handle, or a cell that somebody completes.
namespace xpc::detail {

/// How something ended: with a result, or a coroutine with an exception that is no bad_result.
template <class T>
struct outcome {
  result<T> value;
  std::exception_ptr fault;

  result<T> get() && {
    if (fault) std::rethrow_exception(std::move(fault));
    return std::move(value);
  }
};

/// Whom to tell an outcome, once; it may be gone afterwards.
template <class T>
struct continuation {
  void (*done)(continuation* me, outcome<T>&& how);
};

/// What can be done with something under way. Each function gets the handle.
template <class T>
struct operation {
  outcome<T> (*wait)(void* handle);  ///< blocks; at most once
  bool (*ready)(void* handle);       ///< whether wait would not block
  /// Tells `next` once; instead of wait. `on` null: where it ends.
  void (*then)(void* handle, const executor* on, continuation<T>* next);
  void (*cancel)(void* handle);
  void (*abandon)(void* handle);  ///< lets go of an outcome that nobody took
  void (*release)(void* handle);  ///< lets go; what is under way goes on
};

/// A place for an outcome that somebody completes once and somebody takes once. Counted.
template <class T>
class cell {
 public:
  cell() noexcept = default;
  cell(const cell&) = delete;
  cell& operator=(const cell&) = delete;
  void retain() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// The first one wins. The caller holds a reference.
  void complete(outcome<T> how) {
    if (claimed_.exchange(true, std::memory_order_acq_rel)) return;
    outcome_.emplace(std::move(how));
    std::uint32_t before = phase_.exchange(done, std::memory_order_acq_rel);
    if (before == asked) deliver();
    if (before == slept_on) openxpc_wake_word(reinterpret_cast<const std::uint32_t*>(&phase_));
  }
  void complete(result<T> with) { complete(outcome<T>{std::move(with), nullptr}); }

  static const operation<T>* operations() noexcept {
    static constexpr operation<T> all{
        [](void* me) { return at(me)->wait(); },
        [](void* me) { return at(me)->phase_.load(std::memory_order_acquire) == done; },
        [](void* me, const executor* on, continuation<T>* next) { at(me)->then(on, next); },
        [](void* me) { at(me)->on_cancel(); },
        [](void* me) {
          at(me)->on_cancel();
          at(me)->release();
        },
        [](void* me) { at(me)->release(); },
    };
    return &all;
  }

 protected:
  virtual ~cell() = default;
  /// Nobody wants the outcome any more: end it soon.
  virtual void on_cancel() { complete(failure(errc::canceled, "canceled")); }
  /// Called before a wait.
  virtual void before_wait() {}

 private:
  enum phase : std::uint32_t { open, asked, done, slept_on };
  static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

  static cell* at(void* me) noexcept { return static_cast<cell*>(me); }

  outcome<T> wait() {
    std::uint32_t now = phase_.load(std::memory_order_acquire);
    if (now != done) before_wait();
    while (now != done) {
      if (now == open && !phase_.compare_exchange_weak(now, slept_on, std::memory_order_acq_rel))
        continue;
      openxpc_wait_word(reinterpret_cast<const std::uint32_t*>(&phase_), slept_on, OPENXPC_FOREVER);
      now = phase_.load(std::memory_order_acquire);
    }
    return take();
  }
  void then(const executor* on, continuation<T>* next) {
    if (on) on_ = *on;
    next_ = next;
    std::uint32_t now = open;
    if (!phase_.compare_exchange_strong(now, asked, std::memory_order_acq_rel)) deliver();
  }
  // Called once phase_ is `done` or about to be: the outcome is there.
  outcome<T> take() { return *std::move(outcome_); }  // NOLINT(bugprone-unchecked-optional-access)
  void deliver() {
    if (!on_) return next_->done(next_, take());
    retain();
    executor on = on_;
    on.core()->post(this, [](void* me) {
      cell* self = at(me);
      self->next_->done(self->next_, self->take());
      self->release();
    });
  }

  std::atomic<std::uint32_t> count_{1};
  std::atomic<std::uint32_t> phase_{open};
  std::atomic<bool> claimed_{false};
  executor on_;
  continuation<T>* next_ = nullptr;
  std::optional<outcome<T>> outcome_;
};

}  // namespace xpc::detail
