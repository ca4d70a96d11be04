#pragma once

#include "base/mutex.hpp"
#include "base/ref.hpp"
#include "connection/executor.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <thread>

namespace openxpc::connection {

/// One thing for a handler. Whatever happens to it, it is told once: run() or drop(), each without
/// any lock held.
class delivery : public base::counted {
 public:
  virtual void run() = 0;
  /// It will not run: the conversation is over.
  virtual void drop() {}
  /// True for the request or subscription of that id.
  virtual bool is_request(std::uint64_t) const noexcept { return false; }
  /// True for what ends it all: behind it handlers are told nothing.
  virtual bool is_last() const noexcept { return false; }

 private:
  friend class strand;
  delivery* next_ = nullptr;
};

/// Runs deliveries one after the other and never two at once, on an executor or on the thread that
/// received. Starts closed: nothing runs before the first resume(), and nothing between suspend()
/// and as many resume(). Threads: any member from any thread; run() of deliveries may call all of
/// them.
class strand {
 public:
  /// @param keeps_alive lent; retained while something is scheduled, since the strand lives inside
  /// it.
  explicit strand(base::counted* keeps_alive) noexcept : owner_(keeps_alive) {}
  ~strand();

  /// Before the first resume().
  void set_executor(base::ref<executor> where);
  base::ref<executor> where() const;

  /// Queues; kick() makes it run.
  void push(base::ref<delivery> what);
  /// Starts running what is queued unless it runs already. `here`: the caller is an engine thread
  /// with nothing else to do, so without an executor deliveries run inside this call.
  void kick(bool here);
  /// Takes a request out again that has not begun, or null. It is not told.
  base::ref<delivery> withdraw(std::uint64_t id);
  /// Drops everything queued but a last delivery.
  void clear();

  void suspend();
  void resume();

  /// Blocks until no delivery runs; at once on the thread that runs one.
  void wait_until_idle();
  /// True when nothing is queued or runs.
  bool idle() const;
  /// True on the thread that is inside a delivery of this strand.
  bool runs_here() const;

 private:
  void schedule(std::unique_lock<base::mutex>& lock, bool here);
  void run();
  void run(std::unique_lock<base::mutex>& lock);

  mutable base::mutex mutex_;
  std::condition_variable_any idle_;
  unsigned idle_awaited_ = 0;  ///< threads at idle_: telling nobody costs a lock of its own
  base::counted* owner_;
  base::ref<executor> executor_;
  delivery* first_ = nullptr;
  delivery* last_ = nullptr;
  /// Whether first_ is set, for a look without the lock.
  std::atomic<bool> queued_{false};
  unsigned stops_ = 1;
  /// Scheduled or running: at most one at a time.
  bool scheduled_ = false;
  /// Inside a delivery, on `thread_`.
  bool busy_ = false;
  std::thread::id thread_;
};

}  // namespace openxpc::connection
