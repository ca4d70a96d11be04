#pragma once

#include <xpc/detail/pending.hpp>

#include <chrono>

/// What runs now and later: `pending`, something under way; `task`, a coroutine; `executor` and
/// `run_loop`, where they run.
namespace xpc {

template <class T = void>
class task;

namespace detail {

template <class T>
class task_promise;

/// The part of a task's promise that does not depend on its type.
class task_promise_base : public promise_base {
 public:
  /// Whom to tell at the end; may destroy the frame.
  void when_over(void* context, void (*call)(void*)) noexcept {
    context_ = context;
    over_ = call;
  }
  std::suspend_always initial_suspend() const noexcept { return {}; }
  auto final_suspend() const noexcept {
    struct last {
      bool await_ready() const noexcept { return false; }
      void await_resume() const noexcept {}
      const task_promise_base* ended;
      [[gnu::noinline]] void await_suspend(std::coroutine_handle<>) const noexcept {
        ended->over_(ended->context_);
      }
    };
    return last{.ended = this};
  }

 private:
  void* context_ = nullptr;
  void (*over_)(void*) = nullptr;
};

/// What an exception makes of a task's outcome.
template <class T>
outcome<T> outcome_of_current_exception() noexcept {
#if defined(__cpp_exceptions)
  try {
    throw;
  } catch (const bad_result& passed_on) {
    return {passed_on.error(), nullptr};
  } catch (...) {
    return {failure(errc::service_failed, "an exception left a coroutine"),
            std::current_exception()};
  }
#else
  std::terminate();
#endif
}

template <class T>
class task_promise : public task_promise_base {
 public:
  task<T> get_return_object() noexcept;
  void return_value(result<T> what) { outcome_.emplace(outcome<T>{std::move(what), nullptr}); }
  void unhandled_exception() noexcept { outcome_.emplace(outcome_of_current_exception<T>()); }
  // The coroutine has ended: one of the two above has set it.
  outcome<T> take() { return *std::move(outcome_); }  // NOLINT(bugprone-unchecked-optional-access)

 private:
  std::optional<outcome<T>> outcome_;
};

template <>
class task_promise<void> : public task_promise_base {
 public:
  task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void unhandled_exception() noexcept { outcome_ = outcome_of_current_exception<void>(); }
  outcome<void> take() { return std::move(outcome_); }

 private:
  outcome<void> outcome_;
};

/// A coroutine's frame and the duty to destroy it.
template <class T>
class frame {
 public:
  using handle = std::coroutine_handle<task_promise<T>>;
  explicit frame(handle owned) noexcept : handle_(owned) {}
  frame(frame&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  frame& operator=(frame&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~frame() {
    if (handle_) handle_.destroy();
  }
  task_promise<T>& promise() const { return handle_.promise(); }
  void resume() const { handle_.resume(); }
  explicit operator bool() const noexcept { return static_cast<bool>(handle_); }

 private:
  handle handle_;
};

/// What `co_await` of a task is: runs it, with the executor and the stop token of whoever awaits.
template <class T>
class task_awaiter {
 public:
  explicit task_awaiter(frame<T> of) noexcept : frame_(std::move(of)) {}
  task_awaiter(const task_awaiter&) = delete;
  task_awaiter& operator=(const task_awaiter&) = delete;
  ~task_awaiter() = default;

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<Promise> waiting) {
    waiting_ = waiting;
    auto& promise = frame_.promise();
    if constexpr (std::derived_from<Promise, promise_base>) promise.scope = waiting.promise().scope;
    promise.when_over(this, [](void* me) {
      auto* self = static_cast<task_awaiter*>(me);
      if (self->met_.end()) self->waiting_.resume();
    });
    frame_.resume();
    return met_.suspend();
  }
  result<T> await_resume() { return frame_.promise().take().get(); }

 private:
  frame<T> frame_;
  std::coroutine_handle<> waiting_;
  rendezvous met_;
};

/// A started task: ends by itself, whoever still looks. One reference is the pending's, one its
/// own.
template <class T>
class started final : public cell<T> {
 public:
  static pending<T> begin(frame<T> of, executor on, std::stop_token stop,
                          unique_function<task<T>()> keep = {}) {
    auto* made = new started(std::move(of), std::move(on), std::move(keep));
    made->retain();
    made->run(std::move(stop));
    return {made, cell<T>::operations()};
  }

 private:
  struct request_stop {
    std::stop_source source;
    void operator()() { source.request_stop(); }
  };

  started(frame<T> of, executor on, unique_function<task<T>()> keep)
      : keep_(std::move(keep)), frame_(std::move(of)), on_(std::move(on)) {}

  // The frame is there until over() lets it go.
  // NOLINTBEGIN(bugprone-unchecked-optional-access)
  void run(std::stop_token stop) {
    auto& promise = frame_->promise();
    promise.scope = {on_, stop_.get_token()};
    promise.when_over(this, [](void* me) { static_cast<started*>(me)->over(); });
    if (stop.stop_possible()) outer_.emplace(std::move(stop), request_stop{stop_});
    if (!on_) return frame_->resume();
    if (on_.core()->post(this, [](void* me) { static_cast<started*>(me)->frame_->resume(); }))
      return;
    outer_.reset();
    frame_.reset();
    this->complete(result<T>(failure(errc::canceled, "the loop that should run the task is gone")));
    this->release();
  }
  void over() {
    outcome<T> how = frame_->promise().take();
    outer_.reset();
    frame_.reset();
    keep_ = nullptr;
    this->complete(std::move(how));
    this->release();
  }
  // NOLINTEND(bugprone-unchecked-optional-access)
  void on_cancel() override { stop_.request_stop(); }
  void before_wait() override {
    if (on_ && on_.core()->waits_for_this_thread())
      openxpc_misuse("xpc::pending::wait",
                     "this thread is the one that has to run the task: co_await it");
  }

  unique_function<task<T>()> keep_;
  std::optional<frame<T>> frame_;
  executor on_;
  std::stop_source stop_;
  std::optional<std::stop_callback<request_stop>> outer_;
};

}  // namespace detail

/// A coroutine that has not begun: `co_await std::move(t)` (or `co_await make()`) runs it and gives
/// result<T>, start() lets it run beside. Inside, `co_return` takes a T, a failure or a result<T>;
/// a bad_result that leaves the body (from result::value()) becomes its outcome, other exceptions
/// go on at the await. A resource, move-only; one that was never begun is destroyed, one that runs
/// ends by itself: cancelling asks it to, through its stop token. Threads: one at a time.
template <class T>
class [[nodiscard("a task does nothing until it is awaited or started")]] task {
 public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;

  task(task&&) noexcept = default;
  task& operator=(task&&) noexcept = default;
  ~task() = default;

  /// Lets it run beside: at once on this thread with the default executor, else there. What it
  /// awaits goes on on this executor and inherits a stop token, which `stop` fires as well as
  /// cancelling the pending.
  pending<T> start(executor on = {}, std::stop_token stop = {}) && {
    return detail::started<T>::begin(std::move(frame_), std::move(on), std::move(stop));
  }
  /// Runs it as a part of the awaiting coroutine, on its executor and with its stop token.
  detail::task_awaiter<T> operator co_await() && {
    return detail::task_awaiter<T>(std::move(frame_));
  }
  void operator co_await() & = delete;

  /// For the parts of this library.
  explicit task(detail::frame<T> of) noexcept : frame_(std::move(of)) {}
  detail::frame<T> release() && { return std::move(frame_); }

 private:
  detail::frame<T> frame_;
};

namespace detail {

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  return task<T>(frame<T>(frame<T>::handle::from_promise(*this)));
}
inline task<void> task_promise<void>::get_return_object() noexcept {
  return task<void>(frame<void>(frame<void>::handle::from_promise(*this)));
}

template <class>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;
template <class F>
concept makes_task = std::invocable<F&> && is_task<std::invoke_result_t<F&>>;

}  // namespace detail

/// Starts what `make` returns, a task; `make` itself (a lambda with captures, say) lives until the
/// task has ended. Otherwise as task::start().
template <detail::makes_task F>
auto start(executor on, F make, std::stop_token stop = {}) {
  using T = typename std::invoke_result_t<F&>::value_type;
  auto kept = std::make_unique<F>(std::move(make));
  detail::frame<T> frame = (*kept)().release();
  return detail::started<T>::begin(std::move(frame), std::move(on), std::move(stop),
                                   [kept = std::move(kept)]() -> task<T> { return (*kept)(); });
}

/// A loop for a thread of the program's own: work posted to its executor runs inside run() or
/// poll(). A resource, not movable. Threads: post, stop and executor from any; run and poll by one
/// at a time. Destroying it runs what was posted so far and drops what is posted later, so let the
/// conversations that use it end first.
class run_loop {
 public:
  run_loop() : core_(new core) {}
  run_loop(const run_loop&) = delete;
  run_loop& operator=(const run_loop&) = delete;
  ~run_loop() {
    openxpc_loop_close(core_->loop);
    core_->release();
  }

  /// Posts here; may outlive the loop.
  xpc::executor executor() const noexcept {
    core_->retain();
    return xpc::executor::adopt(core_);
  }
  /// Runs what is posted until stop().
  void run() {
    while (openxpc_loop_run_some(core_->loop)) {
    }
  }
  /// Runs a task here until it has ended, and gives its outcome. Errors: what the task says;
  /// canceled when stop() came first, the task is then asked to end.
  template <class T>
  result<T> run(task<T> what) {
    return run_until(std::move(what).start(executor()));
  }
  /// The same for a callable that returns a task.
  template <detail::makes_task F>
  auto run(F make) {
    return run_until(start(executor(), std::move(make)));
  }
  /// Ends the present or next run(). May be called in a signal handler.
  void stop() noexcept { openxpc_loop_stop(core_->loop); }
  /// For a loop of another kind: readable while there is something for poll(). Lent.
  int borrowed_fd() const noexcept { return openxpc_loop_get_borrowed_fd(core_->loop); }
  /// Runs what is there now, without waiting; how much it was.
  std::size_t poll() { return openxpc_loop_poll(core_->loop); }

 private:
  class core final : public detail::executor_core {
   public:
    core() : loop(openxpc_loop_create()) {}
    bool post(void* work, void (*run)(void*)) override {
      return openxpc_loop_post(loop, work, run);
    }
    bool waits_for_this_thread() const noexcept override { return openxpc_loop_is_current(loop); }
    openxpc_loop_t loop;

   private:
    ~core() override { openxpc_loop_release(loop); }
  };

  template <class T>
  result<T> run_until(pending<T> what) {
    // On the heap: after stop() the task may end when this call is over.
    auto ended = std::make_shared<std::optional<detail::outcome<T>>>();
    struct keeping : detail::continuation<T> {
      explicit keeping(std::shared_ptr<std::optional<detail::outcome<T>>> to)
          : detail::continuation<T>{&came}, into(std::move(to)) {}
      static void came(detail::continuation<T>* me, detail::outcome<T>&& how) {
        std::unique_ptr<keeping> self(static_cast<keeping*>(me));
        self->into->emplace(std::move(how));
      }
      std::shared_ptr<std::optional<detail::outcome<T>>> into;
    };
    auto [handle, how] = std::move(what).hand_over();
    xpc::executor here = executor();
    how->then(handle, &here, new keeping(ended));
    bool stopped = false;
    while (!*ended && !stopped) stopped = !openxpc_loop_run_some(core_->loop);
    if (!*ended) how->cancel(handle);
    how->release(handle);
    if (!*ended) return failure(errc::canceled, "the loop was stopped before the task had ended");
    return std::move(**ended).get();
  }

  core* core_;
};

namespace detail {

class sleeping final : public cell<void> {
 public:
  static pending<void> begin(std::chrono::nanoseconds duration) {
    auto* made = new sleeping;
    made->retain();
    auto delay = duration.count() > 0 ? static_cast<std::uint64_t>(duration.count()) : 0;
    made->timer_ = openxpc_timer_start(delay, made, [](void* me, bool canceled) {
      auto* self = static_cast<sleeping*>(me);
      self->complete(canceled ? result<void>(failure(errc::canceled, "the sleep was canceled"))
                              : result<void>());
      self->release();
    });
    return {static_cast<cell<void>*>(made), operations()};
  }

 private:
  ~sleeping() override { openxpc_timer_release(timer_); }
  void on_cancel() override { openxpc_timer_cancel(timer_); }
  openxpc_timer_t timer_ = nullptr;
};

}  // namespace detail

namespace detail {

struct asking_stop_token {
  std::stop_token token;
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend([[maybe_unused]] std::coroutine_handle<Promise> asks) noexcept {
    if constexpr (std::derived_from<Promise, promise_base>) token = asks.promise().scope.stop;
    return false;
  }
  std::stop_token await_resume() noexcept { return std::move(token); }
};

struct moving {
  executor to;
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<Promise> moves) {
    if constexpr (std::derived_from<Promise, promise_base>) moves.promise().scope.on = to;
    if (!to) return false;
    // A reference of its own: the coroutine may go on, and this be gone, before post returns.
    executor keep = to;
    keep.core()->post(moves.address(),
                      [](void* at) { std::coroutine_handle<>::from_address(at).resume(); });
    return true;
  }
  void await_resume() const noexcept {}
};

}  // namespace detail

/// About the task that asks; each is to be awaited.
namespace this_task {

/// `co_await stop_token()`: the token that tells this task to end; in a foreign coroutine one that
/// never does.
inline detail::asking_stop_token stop_token() noexcept { return {}; }
/// `co_await move_to(other)`: goes on there, and so does what it awaits from now on.
inline detail::moving move_to(executor on) noexcept { return {std::move(on)}; }
/// `co_await sleep(2s)`: goes on later. Errors: canceled, by the stop token of the task.
inline pending<void> sleep(std::chrono::nanoseconds duration) {
  return detail::sleeping::begin(duration);
}

}  // namespace this_task
}  // namespace xpc
