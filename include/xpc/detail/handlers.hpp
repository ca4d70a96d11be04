#pragma once

#include <xpc/detail/request.hpp>

/// What answers requests and subscriptions, whatever its form.
namespace xpc {

namespace detail {

/// The C++ side of one conversation, or of all sessions of a listener: what its handlers share.
/// Held by the conversation and by each coroutine of a handler.
class conversation_side : public counted {
 public:
  executor on;
  std::chrono::nanoseconds call_timeout{};
  unique_function<void(std::exception_ptr)> on_fault;

  /// An exception other than bad_result left a handler.
  void fault(std::exception_ptr what) noexcept {
    if (!on_fault) {
#if defined(__cpp_exceptions)
      std::rethrow_exception(
          std::move(what));  // noexcept: ends the process, with the exception's text
#else
      std::terminate();
#endif
    }
    on_fault(std::move(what));
  }
};

/// Runs a handler; what leaves it goes to `fail`, and exceptions of the program also to on_fault.
template <class Run, class Fail>
void guarded(conversation_side& side, Run run, Fail fail) noexcept {
#if defined(__cpp_exceptions)
  try {
    run();
  } catch (const bad_result& passed_on) {
    fail(passed_on.error());
  } catch (...) {
    side.fault(std::current_exception());
    fail(failure(errc::service_failed, "the handler threw an exception"));
  }
#else
  static_cast<void>(side);
  static_cast<void>(fail);
  run();
#endif
}

/// Whether a T is a task or a generator; and what is in a result or a task.
template <class>
inline constexpr bool is_generator = false;
template <class T>
inline constexpr bool is_generator<generator<T>> = true;

template <class R>
concept request_answer =
    std::is_void_v<R> || std::is_convertible_v<R, dictionary> ||
    std::same_as<R, result<dictionary>> || std::same_as<R, result<void>> ||
    std::same_as<R, failure> || std::same_as<R, task<dictionary>> || std::same_as<R, task<void>>;
template <class R>
concept subscription_answer = std::is_void_v<R> || std::same_as<R, task<void>>;

template <class F>
concept takes_request =
    std::invocable<F&, request> && request_answer<std::invoke_result_t<F&, request>>;
template <class F>
concept takes_message = std::invocable<F&, const dictionary&> &&
                        request_answer<std::invoke_result_t<F&, const dictionary&>>;
template <class F>
concept takes_subscription =
    std::invocable<F&, subscription> && subscription_answer<std::invoke_result_t<F&, subscription>>;
template <class F>
concept takes_question = std::invocable<F&, const dictionary&> &&
                         is_generator<std::invoke_result_t<F&, const dictionary&>>;

using request_ref = counted_ref<incoming_request>;
using side_ref = counted_ref<conversation_side>;

inline void answer(incoming_request& to, const dictionary& with) {
  if (!to.answered()) return to.reply(with);
  openxpc_misuse("xpc::request", "a handler answered its request and then returned another answer");
}
inline void answer(incoming_request& to, const failure& why) {
  if (!to.answered()) to.fail(why);
}
inline void answer(incoming_request& to, const result<dictionary>& with) {
  if (with) return answer(to, *with);
  answer(to, with.error());
}
/// Done, with nothing to say: an empty reply, unless the handler answered itself.
inline void answer(incoming_request& to, const result<void>& done) {
  if (!done) return answer(to, done.error());
  if (!to.answered()) to.reply({});
}

/// A handler's coroutine on its way: holds message and handler until it has ended, then answers.
template <class T, bool Answers>
struct request_task : continuation<T> {
  request_task(request_ref of, side_ref in)
      : continuation<T>{&ended}, to(std::move(of)), side(std::move(in)) {}

  static void begin(task<T> work, request_ref to, side_ref side) {
    std::stop_token stop = to->stop_token();
    executor on = side->on;
    auto* waiting = new request_task(std::move(to), std::move(side));
    auto [handle, how] = std::move(work).start(std::move(on), std::move(stop)).hand_over();
    how->then(handle, nullptr, waiting);
    how->release(handle);
  }
  static void ended(continuation<T>* me, outcome<T>&& how) {
    std::unique_ptr<request_task> self(static_cast<request_task*>(me));
    if (how.fault) self->side->fault(std::move(how.fault));
    if (!how.value) {
      answer(*self->to, how.value.error());
    } else if constexpr (Answers) {
      answer(*self->to, how.value);
    }
  }

  request_ref to;
  side_ref side;
};

template <class F, class Argument>
void handle_request(F& handler, Argument argument, conversation_side& side, const request_ref& to) {
  using R = std::invoke_result_t<F&, Argument>;
  // Who takes the request itself and returns nothing answers by itself, now or later.
  constexpr bool answers_itself = std::same_as<Argument, request>;
  if constexpr (is_task<R>) {
    using T = typename R::value_type;
    constexpr bool answers = !(answers_itself && std::is_void_v<T>);
    request_task<T, answers>::begin(handler(std::forward<Argument>(argument)), to,
                                    side_ref::share(&side));
  } else if constexpr (std::is_void_v<R>) {
    handler(std::forward<Argument>(argument));
    if constexpr (!answers_itself) answer(*to, result<void>());
  } else if constexpr (std::is_convertible_v<R, dictionary>) {
    dictionary reply = handler(std::forward<Argument>(argument));
    answer(*to, reply);
  } else {
    answer(*to, handler(std::forward<Argument>(argument)));
  }
}

}  // namespace detail

/// Answers requests: a callable of `xpc::request` or `const xpc::dictionary&` that returns
/// dictionary, result<dictionary>, result<void>, void, task<dictionary> or task<void>. One that
/// takes the request and returns void or task<void> answers by itself. As a coroutine it keeps
/// message and callable alive; what it captures by reference must outlive the conversation.
class request_handler {
 public:
  request_handler() noexcept = default;
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, request_handler> &&
             (detail::takes_request<std::decay_t<F>> || detail::takes_message<std::decay_t<F>>))
  request_handler(F&& handler)
      : call_([held = std::decay_t<F>(std::forward<F>(handler))](detail::conversation_side& side,
                                                                 detail::request_ref to) mutable {
          using held_type = std::decay_t<F>;
          detail::guarded(
              side,
              [&] {
                if constexpr (detail::takes_request<held_type>) {
                  using R = std::invoke_result_t<held_type&, request>;
                  if constexpr (std::is_void_v<R>) {
                    // The request is the only reference: dropping it answers no_reply at once.
                    held(request(std::move(to)));
                  } else {
                    detail::handle_request<held_type, request>(held, request(to), side, to);
                  }
                } else {
                  detail::handle_request<held_type, const dictionary&>(held, to->body(), side, to);
                }
              },
              [&](const failure& why) {
                if (to) detail::answer(*to, why);
              });
        }) {}
  explicit operator bool() const noexcept { return static_cast<bool>(call_); }

  /// For the parts of this library.
  void operator()(detail::conversation_side& side, openxpc_request_t owned) {
    call_(side, detail::request_ref::adopt(new detail::incoming_request(owned, side.call_timeout)));
  }

 private:
  unique_function<void(detail::conversation_side&, detail::request_ref)> call_;
};

namespace detail {

/// Writes what a generator yields, as fast as the reader has credit.
template <class T>
class generator_pump {
 public:
  static void begin(generator<T> rows, openxpc_writer_t owned, std::unique_ptr<dictionary> question,
                    side_ref side) {
    (new generator_pump(std::move(rows), owned, std::move(question), std::move(side)))->run();
  }

 private:
  generator_pump(generator<T> rows, openxpc_writer_t owned, std::unique_ptr<dictionary> question,
                 side_ref side)
      : side_(std::move(side)),
        question_(std::move(question)),
        writer_(owned),
        rows_(std::move(rows)) {}

  void run() {
    for (;;) {
      if (!waiting_ && !advance()) break;
      // NOLINTNEXTLINE(bugprone-unchecked-optional-access): advance() has set it.
      result<void> sent = writer_.try_send(to_row(*waiting_));
      if (sent) {
        waiting_.reset();
        continue;
      }
      if (sent.error() != errc::would_block) break;
      openxpc_executor_s native = side_->on.native();
      return openxpc_writer_when_writable(
          writer_.get(), side_->on ? &native : nullptr, this,
          [](void* me) { static_cast<generator_pump*>(me)->run(); });
    }
    delete this;
  }
  /// False at the end, in order or not.
  bool advance() {
    guarded(
        *side_, [&] { waiting_ = rows_.next(); },
        [&](const failure& why) { std::move(writer_).fail(why); });
    return waiting_.has_value();
  }

  side_ref side_;
  std::unique_ptr<dictionary> question_;  // the generator may refer to it
  writer writer_;
  generator<T> rows_;
  std::optional<T> waiting_;
};

/// Ends when the handler's coroutine has ended.
struct subscription_task : continuation<void> {
  explicit subscription_task(side_ref in) : continuation<void>{&ended}, side(std::move(in)) {}
  static void begin(task<void> work, side_ref in) {
    executor on = in->on;
    auto* waiting = new subscription_task(std::move(in));
    auto [handle, how] = std::move(work).start(std::move(on)).hand_over();
    how->then(handle, nullptr, waiting);
    how->release(handle);
  }
  // A failure has ended the stream already: its writer or the subscription was destroyed with the
  // frame.
  static void ended(continuation<void>* me, outcome<void>&& how) {
    std::unique_ptr<subscription_task> self(static_cast<subscription_task*>(me));
    if (how.fault) self->side->fault(std::move(how.fault));
  }
  side_ref side;
};

}  // namespace detail

/// Answers subscriptions: a callable of `xpc::subscription` that returns void or task<>, or of
/// `const xpc::dictionary&` that returns a generator.
class subscription_handler {
 public:
  subscription_handler() noexcept = default;
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, subscription_handler> &&
             (detail::takes_subscription<std::decay_t<F>> ||
              detail::takes_question<std::decay_t<F>>))
  subscription_handler(F&& handler)
      : call_([held = std::decay_t<F>(std::forward<F>(handler))](detail::conversation_side& side,
                                                                 subscription to) mutable {
          using held_type = std::decay_t<F>;
          if constexpr (detail::takes_subscription<held_type>) {
            detail::guarded(
                side,
                [&] {
                  if constexpr (std::is_void_v<std::invoke_result_t<held_type&, subscription>>) {
                    held(std::move(to));
                  } else {
                    detail::subscription_task::begin(held(std::move(to)),
                                                     detail::side_ref::share(&side));
                  }
                },
                // Where the handler had taken it, its end has told the reader.
                [&](const failure& why) { std::move(to).refuse_if_open(why); });
          } else {
            dictionary question = to.body();
            detail::guarded(
                side,
                [&] {
                  // Made before the stream begins, so that a failure refuses it. The pump keeps
                  // this very object.
                  auto kept = std::make_unique<dictionary>(std::move(question));
                  auto rows = held(std::as_const(*kept));
                  detail::generator_pump<typename decltype(rows)::value_type>::begin(
                      std::move(rows), std::move(to).accept().release(), std::move(kept),
                      detail::side_ref::share(&side));
                },
                [&](const failure& why) { std::move(to).refuse_if_open(why); });
          }
        }) {}
  explicit operator bool() const noexcept { return static_cast<bool>(call_); }

  /// For the parts of this library.
  void operator()(detail::conversation_side& side, openxpc_subscription_t owned) {
    call_(side, subscription(owned, side.call_timeout));
  }

 private:
  unique_function<void(detail::conversation_side&, subscription)> call_;
};

}  // namespace xpc
