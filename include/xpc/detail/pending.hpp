#pragma once

#include <xpc/detail/outcome.hpp>

#include <coroutine>
#include <memory>
#include <stop_token>

namespace xpc {

namespace detail {

/// What a coroutine of ours hands on to what it awaits.
struct task_scope {
  executor on;
  std::stop_token stop;
};

/// The part of a task's promise that its awaits look at.
struct promise_base {
  task_scope scope;
};

/// A meeting of two: the awaiting side, about to be suspended, and the ending. Whoever comes second
/// goes on, so nothing resumes a coroutine that has not let go of its frame yet, and an outcome
/// that is there at once costs no recursion.
class rendezvous {
 public:
  /// The awaiting side; true: stay suspended, the other will resume. Touch nothing afterwards.
  bool suspend() noexcept { return !met_.exchange(true, std::memory_order_acq_rel); }
  /// The ending; true: the other side is suspended, resume it.
  bool end() noexcept { return met_.exchange(true, std::memory_order_acq_rel); }

 private:
  std::atomic<bool> met_{false};
};

/// What `co_await` of a pending is; gives result<T>.
template <class T>
class pending_awaiter : private continuation<T> {
 public:
  pending_awaiter(void* handle, const operation<T>* how) noexcept
      : continuation<T>{&came}, handle_(handle), how_(how) {
    if (!handle_)
      openxpc_misuse("xpc::pending", "its outcome was taken before, or it was moved from");
  }
  pending_awaiter(const pending_awaiter&) = delete;
  pending_awaiter& operator=(const pending_awaiter&) = delete;
  ~pending_awaiter() {
    on_stop_.reset();
    how_->release(handle_);
  }

  bool await_ready() {
    if (!how_->ready(handle_)) return false;
    outcome_.emplace(how_->wait(handle_));
    return true;
  }
  // Not inlined: some compilers would keep locals in a frame that is resumed elsewhere meanwhile.
  template <class Promise>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<Promise> waiting) {
    waiting_ = waiting;
    const executor* on = nullptr;
    if constexpr (std::derived_from<Promise, promise_base>) {
      const task_scope& scope = waiting.promise().scope;
      if (scope.on) on = &scope.on;
      if (scope.stop.stop_possible()) on_stop_.emplace(scope.stop, canceller{this});
    }
    how_->then(handle_, on, this);
    return met_.suspend();
  }
  result<T> await_resume() {
    on_stop_.reset();
    // Whoever resumed us has set it.
    return (*std::move(outcome_)).get();  // NOLINT(bugprone-unchecked-optional-access)
  }

 private:
  static void came(continuation<T>* me, outcome<T>&& how) {
    auto* self = static_cast<pending_awaiter*>(me);
    self->outcome_.emplace(std::move(how));
    if (self->met_.end()) self->waiting_.resume();
  }
  struct canceller {
    pending_awaiter* of;
    void operator()() const { of->how_->cancel(of->handle_); }
  };

  void* handle_;
  const operation<T>* how_;
  std::coroutine_handle<> waiting_;
  rendezvous met_;
  std::optional<std::stop_callback<canceller>> on_stop_;
  std::optional<outcome<T>> outcome_;
};

}  // namespace detail

/// Something under way that will have an outcome: take it once, by wait(), co_await or then(). A
/// resource, move-only; destroyed before its outcome was taken, it cancels what is under way. May
/// outlive the session, connection or loop it belongs to; then it fails with canceled. Threads: one
/// at a time.
template <class T>
class [[nodiscard(
    "it is cancelled when thrown away: co_await it, or call wait(), then() or detach()")]] pending {
 public:
  pending(pending&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), how_(other.how_) {}
  pending& operator=(pending&& other) noexcept {
    if (this != &other) {
      abandon();
      handle_ = std::exchange(other.handle_, nullptr);
      how_ = other.how_;
    }
    return *this;
  }
  ~pending() { abandon(); }

  /// Blocks this thread until the outcome is there. Inside handlers other conversations are served
  /// meanwhile. Waiting for a task on the very loop that has to run it can never end: misuse.
  /// An exception that left a task's body goes on here.
  result<T> wait() {
    std::unique_ptr<void, void (*)(void*)> held(take("xpc::pending::wait"), how_->release);
    return how_->wait(held.get()).get();
  }
  /// Gives result<T>, from an lvalue as from an rvalue. In a task of ours it resumes on the task's
  /// executor, and the task's stop token cancels it; in a foreign coroutine it resumes where it
  /// ends.
  detail::pending_awaiter<T> operator co_await() { return {std::exchange(handle_, nullptr), how_}; }
  /// Calls `done` exactly once: on the conversation's executor, for a task where it ends; perhaps
  /// before then() returns, when the outcome is there already.
  void then(unique_function<void(result<T>)> done) && {
    std::move(*this).then_on(nullptr, std::move(done));
  }
  /// The same, on an executor of choice.
  void then(const executor& on, unique_function<void(result<T>)> done) && {
    std::move(*this).then_on(on ? &on : nullptr, std::move(done));
  }
  /// Lets it go on; nobody will hear of its outcome.
  void detach() && {
    void* held = take("xpc::pending::detach");
    how_->release(held);
  }
  /// Ends it soon; its outcome is then canceled, unless it was there before. For a call, the
  /// service is told.
  void cancel() {
    if (handle_) how_->cancel(handle_);
  }
  /// Whether wait() would return at once.
  bool ready() const { return handle_ && how_->ready(handle_); }

  /// For the parts of this library: takes the handle out.
  std::pair<void*, const detail::operation<T>*> hand_over() && {
    return {take("xpc::pending"), how_};
  }
  /// For the parts of this library: takes the handle over.
  pending(void* handle, const detail::operation<T>* how) noexcept : handle_(handle), how_(how) {}

 private:
  void* take(const char* function) {
    if (!handle_) openxpc_misuse(function, "its outcome was taken before, or it was moved from");
    return std::exchange(handle_, nullptr);
  }
  void abandon() noexcept {
    if (handle_) how_->abandon(std::exchange(handle_, nullptr));
  }
  struct boxed : detail::continuation<T> {
    explicit boxed(unique_function<void(result<T>)> call)
        : detail::continuation<T>{&came}, call_(std::move(call)) {}
    // An exception that left a task goes on here, and ends the process, as one that leaves a
    // thread.
    static void came(detail::continuation<T>* me, detail::outcome<T>&& how) noexcept {
      std::unique_ptr<boxed> self(static_cast<boxed*>(me));
      self->call_(std::move(how).get());
    }
    unique_function<void(result<T>)> call_;
  };
  void then_on(const executor* on, unique_function<void(result<T>)> done) && {
    void* held = take("xpc::pending::then");
    how_->then(held, on, new boxed(std::move(done)));
    how_->release(held);
  }

  void* handle_;
  const detail::operation<T>* how_;
};

namespace detail {

/// A pending without anything to tell but that it went well; costs no memory.
inline pending<void> succeeded() {
  static constexpr char sign = 0;
  static constexpr operation<void> all{
      [](void*) { return outcome<void>{result<void>(), nullptr}; },
      [](void*) { return true; },
      [](void*, const executor* on, continuation<void>* next) {
        if (!on || !*on) return next->done(next, {result<void>(), nullptr});
        on->core()->post(next, [](void* held) {
          auto* waiting = static_cast<continuation<void>*>(held);
          waiting->done(waiting, {result<void>(), nullptr});
        });
      },
      [](void*) {},
      [](void*) {},
      [](void*) {},
  };
  return {const_cast<char*>(&sign), &all};
}

/// A pending whose outcome is here.
template <class T>
pending<T> settled(result<T> how) {
  auto* made = new cell<T>;
  made->complete(std::move(how));
  return {made, cell<T>::operations()};
}

}  // namespace detail
}  // namespace xpc
