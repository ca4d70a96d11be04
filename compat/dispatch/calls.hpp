#pragma once

// For the tests of this folder only.

#include <dispatch/dispatch.h>

#include <atomic>
#include <functional>
#include <utility>

namespace dispatch_test {

/// A function that may capture, for the _f forms: owns itself until it was called.
template <class F>
struct once_call {
  F function;
  static void go(void* self) {
    auto* mine = static_cast<once_call*>(self);
    mine->function();
    delete mine;
  }
};
template <class F>
void async(dispatch_queue_t queue, F function) {
  dispatch_async_f(queue, new once_call<F>{std::move(function)}, once_call<F>::go);
}
template <class F>
void barrier_async(dispatch_queue_t queue, F function) {
  dispatch_barrier_async_f(queue, new once_call<F>{std::move(function)}, once_call<F>::go);
}
template <class F>
void sync(dispatch_queue_t queue, F function) {
  dispatch_sync_f(queue, new once_call<F>{std::move(function)}, once_call<F>::go);
}
template <class F>
void barrier_sync(dispatch_queue_t queue, F function) {
  dispatch_barrier_sync_f(queue, new once_call<F>{std::move(function)}, once_call<F>::go);
}
template <class F>
void after(dispatch_time_t when, dispatch_queue_t queue, F function) {
  dispatch_after_f(when, queue, new once_call<F>{std::move(function)}, once_call<F>::go);
}

/// Something to wait for, by the library's own semaphore.
class event {
 public:
  event() : semaphore_(dispatch_semaphore_create(0)) {}
  event(const event&) = delete;
  event& operator=(const event&) = delete;
  ~event() { dispatch_release(semaphore_); }
  void give() const { dispatch_semaphore_signal(semaphore_); }
  void wait(int times = 1) const {
    while (times-- > 0) dispatch_semaphore_wait(semaphore_, DISPATCH_TIME_FOREVER);
  }

 private:
  dispatch_semaphore_t semaphore_;
};

/// Owns a dispatch object.
template <class T>
class owned {
 public:
  explicit owned(T object) : object_(object) {}
  owned(const owned&) = delete;
  owned& operator=(const owned&) = delete;
  ~owned() { dispatch_release(object_); }
  operator T() const { return object_; }

 private:
  T object_;
};

inline dispatch_queue_t background() {
  return dispatch_get_global_queue(DISPATCH_QUEUE_PRIORITY_DEFAULT, 0);
}

}  // namespace dispatch_test
