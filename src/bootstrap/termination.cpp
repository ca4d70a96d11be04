#include "bootstrap/termination.hpp"

#include "base/fd.hpp"
#include "base/futex.hpp"
#include "base/same_errno.hpp"
#include "engine/blocking.hpp"
#include "engine/engine.hpp"
#include "engine/registration.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

// A signal handler may do next to nothing, so it writes to an eventfd and the engine does the rest.
// A handler and not a blocked signal with signalfd, because threads that exist already would have
// to block it too.
namespace openxpc::bootstrap {
namespace {

std::atomic<std::uint32_t> asked_word{0};
std::atomic<bool> program_ends_itself{false};
int signal_eventfd = -1;

struct callbacks {
  std::mutex mutex;
  std::vector<base::function<void()>> waiting;
  base::function<void()> first;
};
callbacks& all() {
  static auto* forever = new callbacks;  // engine threads may outlive static destructors
  return *forever;
}

void write_to_eventfd(int) {
  const base::same_errno kept;
  std::uint64_t one = 1;
  (void)!::write(signal_eventfd, &one, sizeof one);
}

class signal_source final : public engine::source {
  void ready(std::uint32_t) override {
    std::uint64_t count;
    (void)!::read(signal_eventfd, &count, sizeof count);
    request_termination();
  }
};

void make_source() {
  static std::once_flag once;
  std::call_once(once, [] {
    signal_eventfd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    static auto* watch = new engine::registration(signal_eventfd, base::make_ref<signal_source>());
    watch->arm(EPOLLIN);
  });
}

void handle(int number) {
  struct sigaction action{};
  action.sa_handler = write_to_eventfd;
  action.sa_flags = SA_RESTART;
  ::sigaction(number, &action, nullptr);
}

}  // namespace

void watch_termination_signals() {
  static std::once_flag once;
  std::call_once(once, [] {
    make_source();
    handle(SIGTERM);
    handle(SIGINT);
  });
}

void watch_unhandled_signals() {
  make_source();
  for (int number : {SIGTERM, SIGINT}) {
    struct sigaction now{};
    ::sigaction(number, nullptr, &now);
    if (!(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL) handle(number);
  }
}

void on_termination(base::function<void()> asked) {
  program_ends_itself.store(true, std::memory_order_release);
  watch_termination_signals();
  when_termination_is_requested(std::move(asked));
}

void when_termination_is_requested(base::function<void()> asked) {
  {
    std::lock_guard lock(all().mutex);
    if (!termination_requested()) {
      all().waiting.push_back(std::move(asked));
      return;
    }
  }
  engine::post(std::move(asked));
}

void before_termination(base::function<void()> told) {
  std::lock_guard lock(all().mutex);
  if (termination_requested()) return told();
  all().first = std::move(told);
}

void end_unless_program_does() {
  if (program_ends_itself.load(std::memory_order_acquire)) return;
  ::signal(SIGTERM, SIG_DFL);
  ::kill(::getpid(), SIGTERM);
}

void wait_for_termination() {
  program_ends_itself.store(true, std::memory_order_release);
  watch_termination_signals();
  engine::blocking_region away;
  while (!termination_requested()) base::futex_wait(asked_word, 0);
}

bool termination_requested() noexcept { return asked_word.load(std::memory_order_acquire) != 0; }

void request_termination() {
  std::vector<base::function<void()>> waiting;
  {
    engine::blocking_region away;
    // Whoever asks at the same time waits here too: it may end the process as soon as it is back.
    std::lock_guard lock(all().mutex);
    if (termination_requested()) return;
    if (auto first = std::exchange(all().first, nullptr)) first();
    asked_word.store(1, std::memory_order_release);
    waiting.swap(all().waiting);
  }
  base::futex_wake(asked_word, INT32_MAX);
  for (auto& each : waiting) engine::post(std::move(each));
}

}  // namespace openxpc::bootstrap
