#pragma once

#include <xpc/function.hpp>
#include <xpc/openxpc/runtime.h>

#include <atomic>
#include <cstdint>
#include <utility>

namespace xpc {

namespace detail {

/// Somewhere to run work; counted.
class executor_core {
 public:
  executor_core() noexcept = default;
  executor_core(const executor_core&) = delete;
  executor_core& operator=(const executor_core&) = delete;
  /// Runs `run(work)` once, later or elsewhere, never inside this call; or false: never.
  virtual bool post(void* work, void (*run)(void*)) = 0;
  /// Whether this thread is in the middle of running work of this executor, and nobody else could.
  virtual bool waits_for_this_thread() const noexcept { return false; }

  void retain() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 protected:
  virtual ~executor_core() = default;

 private:
  std::atomic<std::uint32_t> count_{1};
};

}  // namespace detail

/// Where handlers, callbacks and coroutines run. A value; copies are the same executor. A default
/// one is "the thread that received": work goes on where what it waited for arrived. Threads: any.
class executor {
 public:
  /// The thread that received.
  executor() noexcept = default;
  /// One of yours. @param post must run each function it gets exactly once, later or on another
  /// thread, never inside the call; called from any thread, also from several at once. A function
  /// that will never run may be destroyed.
  explicit executor(unique_function<void(unique_function<void()>)> post)
      : core_(new posting(std::move(post))) {}

  executor(const executor& other) noexcept : core_(other.core_) {
    if (core_) core_->retain();
  }
  executor(executor&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  executor& operator=(executor other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~executor() {
    if (core_) core_->release();
  }

  /// Runs `work` there; the default executor runs it at once, that of a loop that is gone never.
  void post(unique_function<void()> work) const {
    if (!core_) return work();
    auto* box = new unique_function<void()>(std::move(work));
    bool posted = core_->post(box, [](void* held) {
      auto* boxed = static_cast<unique_function<void()>*>(held);
      (*boxed)();
      delete boxed;
    });
    if (!posted) delete box;
  }
  /// The same place.
  friend bool operator==(const executor&, const executor&) noexcept = default;

  /// Whether it is one in particular.
  explicit operator bool() const noexcept { return core_ != nullptr; }

  /// For C functions, which take the reference in it over; null members for the default one.
  openxpc_executor_s native() const noexcept {
    if (!core_) return {};
    core_->retain();
    return {core_,
            [](void* core, void* work, void (*run)(void*)) {
              (void)static_cast<detail::executor_core*>(core)->post(work, run);
            },
            [](void* core) { static_cast<detail::executor_core*>(core)->release(); }};
  }
  /// For executors with a core of their own, which is taken over.
  static executor adopt(detail::executor_core* core) noexcept {
    executor made;
    made.core_ = core;
    return made;
  }
  detail::executor_core* core() const noexcept { return core_; }

 private:
  class posting final : public detail::executor_core {
   public:
    explicit posting(unique_function<void(unique_function<void()>)> post)
        : post_(std::move(post)) {}
    bool post(void* work, void (*run)(void*)) override {
      post_([work, run] { run(work); });
      return true;
    }

   private:
    unique_function<void(unique_function<void()>)> post_;
  };

  detail::executor_core* core_ = nullptr;
};

}  // namespace xpc
