#include "base/futex.hpp"

#include <atomic>

#include "dispatch/bug.hpp"
#include "dispatch/moment.hpp"
#include "dispatch/object.hpp"
#include "dispatch/sleep.hpp"

namespace openxpc::dispatch {
namespace {

/// Below zero, value_ counts those who wait; each of them is let go by one of grants_.
class semaphore final : public object {
 public:
  static constexpr kind is = kind::semaphore;
  explicit semaphore(std::intptr_t value) : object(is), value_(value), first_(value) {}

  bool wait(base::instant deadline) noexcept {
    if (value_.fetch_sub(1, std::memory_order_acquire) > 0) return true;
    for (;;) {
      std::uint32_t grants = grants_.load(std::memory_order_acquire);
      while (grants != 0)
        if (grants_.compare_exchange_weak(grants, grants - 1, std::memory_order_acquire))
          return true;
      if (sleep_while_until(grants_, 0, deadline)) continue;
      // Too late: take the claim back, unless a grant for it is on its way already.
      std::intptr_t value = value_.load(std::memory_order_relaxed);
      while (value < 0)
        if (value_.compare_exchange_weak(value, value + 1, std::memory_order_relaxed)) return false;
      deadline = base::never;
    }
  }

  bool signal() noexcept {
    if (value_.fetch_add(1, std::memory_order_release) >= 0) return false;
    retain();  // a waiter may take the grant and let go of the semaphore before the wake-up is sent
    grants_.fetch_add(1, std::memory_order_release);
    base::futex_wake(grants_);
    release();
    return true;
  }

 protected:
  void abandoned(const char* caller) override {
    if (value_.load() < first_)
      client_bug(caller, "the last reference to a semaphore that is in use");
  }

 private:
  std::atomic<std::intptr_t> value_;
  const std::intptr_t first_;
  std::atomic<std::uint32_t> grants_{0};
};

}  // namespace
}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

dispatch_semaphore_t dispatch_semaphore_create(intptr_t value) {
  return value < 0 ? nullptr : wrap<dispatch_semaphore_t>(new semaphore(value));
}

intptr_t dispatch_semaphore_wait(dispatch_semaphore_t handle, dispatch_time_t timeout) {
  return as<semaphore>(handle, __func__).wait(deadline_of(timeout)) ? 0 : -1;
}

intptr_t dispatch_semaphore_signal(dispatch_semaphore_t handle) {
  return as<semaphore>(handle, __func__).signal();
}
