#include "dispatch/manager.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <utility>

#include "dispatch/bug.hpp"

namespace openxpc::dispatch {
namespace {

std::atomic<bool> running{false};

}  // namespace

bool manager::is_running() noexcept { return running.load(std::memory_order_acquire); }

manager& manager::get() {
  static manager* made = new manager;  // its thread runs until the process ends
  return *made;
}

manager::manager() {
  sigset_t every, before;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  pthread_t thread;
  if (pthread_create(&thread, nullptr, &manager::entry, this) != 0)
    client_bug("dispatch", "the process cannot have another thread");
  pthread_detach(thread);
  running.store(true, std::memory_order_release);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void* manager::entry(void* self) {
  pthread_setname_np(pthread_self(), "xpc-disp-mgr");
  auto& context = static_cast<manager*>(self)->context_;
  auto guard = asio::make_work_guard(context);
  context.run();
  return nullptr;
}

void manager::post(base::function<void()> what) {
  asio::post(context_, [what = std::move(what)] { what(); });
}

void manager::after(std::chrono::nanoseconds delay, base::function<void()> what) {
  post([this, delay, what = std::move(what)]() mutable {
    auto timer = std::make_shared<asio::steady_timer>(context_, delay);
    timer->async_wait([timer, what = std::move(what)](const asio::error_code&) { what(); });
  });
}

}  // namespace openxpc::dispatch
