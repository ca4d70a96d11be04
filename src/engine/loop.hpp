#pragma once

#include "base/fd.hpp"
#include "base/mutex.hpp"
#include "engine/engine.hpp"

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <vector>

namespace openxpc::engine {

/// An epoll set, the tasks posted to it, and the unfinished part of the last batch. Everything a
/// thread needs to go on stands here and not on a stack, so that the loop can change its thread in
/// the middle of a batch.
class loop {
 public:
  loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  int epoll_fd() const noexcept { return epoll_.get(); }
  /// See engine::post().
  void post(task work);
  /// Gives it a thread if it has none yet. False when no thread can be had.
  bool start() noexcept;

  /// Runs until another thread has taken the loop over (or the process is a forked child).
  void run();
  /// One round without waiting, for drive::program.
  std::size_t poll();

  /// Odd while a callback runs, and a new number for each.
  std::uint64_t stance() const noexcept { return stance_.load(std::memory_order_seq_cst); }
  /// Takes the loop from the thread whose callback has that stance. True: the caller must see to it
  /// that run() is called.
  bool take_from(std::uint64_t stance) noexcept {
    return stance_.compare_exchange_strong(stance, stance + 1, std::memory_order_acq_rel);
  }
  /// In a forked child: gives the descriptors back.
  void abandon() noexcept;

 private:
  bool finish_batch();
  bool deliver(const epoll_event& event);
  template <class F>
  bool call(F&& callback);
  bool take_posted();
  void wait(int timeout) noexcept;
  void wake() noexcept;

  base::fd epoll_, wake_;
  std::atomic<std::uint64_t> stance_{0};
  std::atomic<bool> started_{false};

  base::mutex lock_;
  std::vector<task> posted_;  // guarded by lock_
  std::atomic<bool> sleeping_{
      false};  // set under lock_ with posted_ empty: the next post must write to wake_

  // Belong to whoever runs the loop.
  static constexpr int batch_size = 64;
  epoll_event events_[batch_size];
  int event_count_ = 0, next_event_ = 0;
  std::vector<task> running_;
  std::size_t next_task_ = 0;
  std::size_t called_ = 0;
};

/// The callback that the calling thread runs: on which loop, at which stance.
struct position {
  loop* at = nullptr;
  std::uint64_t stance = 0;
};
position& here() noexcept;

}  // namespace openxpc::engine
