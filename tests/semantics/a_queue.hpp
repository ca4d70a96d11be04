#pragma once

#include <dispatch/dispatch.h>

#include <functional>

namespace semantics {

/// A dispatch queue and the question whether one is on it.
class a_queue {
 public:
  explicit a_queue(const char* label, dispatch_queue_attr_t kind = DISPATCH_QUEUE_SERIAL)
      : queue_(dispatch_queue_create(label, kind)) {
    dispatch_queue_set_specific(queue_, this, this, nullptr);
  }
  ~a_queue() { dispatch_release(queue_); }
  a_queue(const a_queue&) = delete;

  operator dispatch_queue_t() const { return queue_; }  // NOLINT: implicit on purpose
  bool is_here() const { return dispatch_get_specific(this) == this; }
  void async(std::function<void()> work) const {
    dispatch_async_f(queue_, new std::function<void()>(std::move(work)), [](void* held) {
      auto* run = static_cast<std::function<void()>*>(held);
      (*run)();
      delete run;
    });
  }
  /// Returns when all that was submitted before has run.
  void drain() const {
    dispatch_barrier_sync_f(queue_, nullptr, [](void*) {});
  }

 private:
  dispatch_queue_t queue_;
};

}  // namespace semantics
