#pragma once

/// Asio's loops and completion tokens, for the stand-alone Asio of the distribution. Include it
/// where Asio is used. Asio 1.22 (Debian 12) offers coroutines to clang only when ASIO_HAS_CO_AWAIT
/// and ASIO_HAS_STD_COROUTINE are defined before its first header.

#include <xpc/task.hpp>

#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

namespace xpc {

/// An executor that posts to an Asio executor, e.g. `io.get_executor()`; it must outlive the
/// conversations that use it, and run until each has ended: what a loop has not run when it is
/// destroyed is never told, nor freed. Threads: as the Asio executor's post.
template <class Executor>
executor asio_executor(const Executor& on) {
  return executor([on](unique_function<void()> work) { asio::post(on, std::move(work)); });
}

/// Awaits a pending the way Asio does: the signature is `void(result<T>)`, the handler runs on its
/// own associated executor, which is kept at work meanwhile. `co_await async_wait(std::move(p),
/// asio::use_awaitable)` gives result<T>.
template <class T, class CompletionToken>
auto async_wait(pending<T> what, CompletionToken&& token) {
  return asio::async_initiate<CompletionToken, void(result<T>)>(
      [](auto handler, pending<T> under_way) {
        auto on = asio::get_associated_executor(handler);
        auto work = asio::make_work_guard(on);
        std::move(under_way).then(
            [handler = std::move(handler), work = std::move(work), on](result<T> how) mutable {
              asio::dispatch(on, [handler = std::move(handler), work = std::move(work),
                                  how = std::move(how)]() mutable { handler(std::move(how)); });
            });
      },
      token, std::move(what));
}

}  // namespace xpc
