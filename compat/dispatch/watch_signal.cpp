#include "base/futex.hpp"

#include <asio/posix/stream_descriptor.hpp>

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <vector>

#include "dispatch/manager.hpp"
#include "dispatch/sleep.hpp"
#include "dispatch/source.hpp"

// A signal that is ignored vanishes in the kernel before anybody could wait for it, so while a
// source watches it the library's own handler is installed: it counts, wakes the manager, and calls
// the handler that the program had, if any. The manager's thread takes the signal where the
// program's threads block it.

namespace openxpc::dispatch {
namespace {

struct caught {
  std::atomic<unsigned> count{0};
  std::atomic<bool> installed{false};
  struct sigaction before{};
};
std::array<caught, NSIG> table;
std::atomic<int> wake_fd{-1};

void on_signal(int number, siginfo_t* info, void* context) {
  int saved = errno;
  caught& at = table[static_cast<std::size_t>(number)];
  at.count.fetch_add(1);
  std::uint64_t one = 1;
  (void)!::write(wake_fd.load(), &one, sizeof one);
  if (at.installed.load()) {
    if (at.before.sa_flags & SA_SIGINFO)
      at.before.sa_sigaction(number, info, context);
    else if (at.before.sa_handler != SIG_DFL && at.before.sa_handler != SIG_IGN)
      at.before.sa_handler(number);
  }
  errno = saved;
}

/// All signal sources of the process. On the manager's thread only.
class signals {
 public:
  static signals& get() {
    static signals* made = new signals;
    return *made;
  }

  void add(source& one) {
    auto number = static_cast<int>(one.handle());
    watchers_.push_back(&one);
    sigset_t just;
    sigemptyset(&just);
    sigaddset(&just, number);
    pthread_sigmask(SIG_UNBLOCK, &just, nullptr);
    if (!table[one.handle()].installed.load()) install(number);
  }

  void again() {
    for (source* each : watchers_) {
      auto number = static_cast<int>(each->handle());
      struct sigaction now{};
      if (::sigaction(number, nullptr, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
          now.sa_handler == SIG_IGN)
        install(number);
    }
  }

  void remove(source& one) {
    std::erase(watchers_, &one);
    for (source* each : watchers_)
      if (each->handle() == one.handle()) return;
    caught& at = table[one.handle()];
    if (!at.installed.exchange(false)) return;
    auto number = static_cast<int>(one.handle());
    struct sigaction now{};
    // What the program has set meanwhile is its own.
    if (::sigaction(number, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == on_signal)
      ::sigaction(number, &at.before, nullptr);
  }

 private:
  static void install(int number) {
    caught& at = table[static_cast<std::size_t>(number)];
    at.installed.store(false);  // the handler reads `before` only while it is true
    struct sigaction ours{};
    ours.sa_sigaction = on_signal;
    ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    if (::sigaction(number, nullptr, &at.before) != 0) return;
    // What the disposition means to the kernel beyond calling a handler stays: whose children are
    // ignored has no zombies.
    ours.sa_flags |= at.before.sa_flags & (SA_NOCLDSTOP | SA_NOCLDWAIT);
    if (number == SIGCHLD && at.before.sa_handler == SIG_IGN) ours.sa_flags |= SA_NOCLDWAIT;
    if (::sigaction(number, &ours, nullptr) == 0) at.installed.store(true);
  }
  signals() : wake_(manager::get().context()) {
    int number = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    asio::error_code refused;
    wake_.assign(number, refused);
    wake_fd.store(number);
    wait();
  }
  void wait() {
    wake_.async_wait(asio::posix::descriptor_base::wait_read,
                     [this](const asio::error_code& error) {
                       if (error) return;
                       std::uint64_t ignored;
                       (void)!::read(wake_.native_handle(), &ignored, sizeof ignored);
                       for (std::size_t number = 1; number < table.size(); ++number) {
                         unsigned times = table[number].count.exchange(0);
                         if (times == 0) continue;
                         for (source* each : watchers_)
                           if (each->handle() == number) each->merge(times);
                       }
                       wait();
                     });
  }
  asio::posix::stream_descriptor wake_;
  std::vector<source*> watchers_;
};

class signal_watch final : public watch {
 public:
  explicit signal_watch(source& with) : with_(with) {}
  ~signal_watch() override {
    if (started_) signals::get().remove(with_);
  }
  void start() override {
    started_ = true;
    signals::get().add(with_);
  }

 private:
  source& with_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<watch> make_signal_watch(source& with) {
  return std::make_unique<signal_watch>(with);
}

void catch_signals_again() {
  if (!manager::is_running()) return;  // then nothing is watched
  std::atomic<std::uint32_t> done{0};
  manager::get().post([&done] {
    // What was activated before is watched by now: posts run in order.
    signals::get().again();
    done.store(1, std::memory_order_release);
    base::futex_wake(done);  // needs the address only
  });
  sleep_while(done, 0);
}

}  // namespace openxpc::dispatch
