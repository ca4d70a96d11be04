#pragma once

#include "support/patience.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

namespace xpc_testing {

/// What callbacks hand to the thread of the test, in order. Threads: all members from any thread.
template <class T>
class mailbox {
 public:
  void put(T item) {
    std::lock_guard hold(mutex_);
    items_.push_back(std::move(item));
    arrived_.notify_one();
  }

  /// The oldest item; waits for it. Throws std::runtime_error when patience ends, which fails the
  /// test.
  T take() {
    std::unique_lock hold(mutex_);
    if (!arrived_.wait_for(hold, patience(), [this] { return !items_.empty(); }))
      throw std::runtime_error("nothing arrived in the mailbox");
    return pop();
  }

  /// The oldest item or nothing, at once.
  std::optional<T> try_take() {
    std::lock_guard hold(mutex_);
    if (items_.empty()) return std::nullopt;
    return pop();
  }

  std::size_t size() const {
    std::lock_guard hold(mutex_);
    return items_.size();
  }

 private:
  T pop() {
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<T> items_;
};

/// Happens once and stays so. Threads: all members from any thread.
class event {
 public:
  void set() {
    std::lock_guard hold(mutex_);
    happened_ = true;
    changed_.notify_all();
  }

  /// Waits for set(). Throws std::runtime_error when patience ends, which fails the test.
  void wait() {
    std::unique_lock hold(mutex_);
    if (!changed_.wait_for(hold, patience(), [this] { return happened_; }))
      throw std::runtime_error("the event did not happen");
  }

  bool happened() const {
    std::lock_guard hold(mutex_);
    return happened_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool happened_ = false;
};

}  // namespace xpc_testing
