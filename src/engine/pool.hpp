#pragma once

#include "engine/blocking.hpp"

#include <atomic>
#include <bitset>
#include <cstdint>
#include <mutex>
#include <vector>

namespace openxpc::engine {

class loop;

/// The engine's threads: those that run a loop, those whose callback lost its loop, and spares that
/// wait for one.
class pool {
 public:
  pool() { parked_.reserve(threads_limit); }
  /// Lets a spare or a new thread run a loop that nobody runs. False at the limit or when the
  /// system has no thread left.
  bool give_thread(loop& to) noexcept;
  /// Moves a loop away from the thread whose callback has that stance; false when that has returned
  /// or no thread can be had.
  bool hand_over(loop& from, std::uint64_t stance) noexcept;
  /// How many threads there are now.
  unsigned count() noexcept;

 private:
  struct worker {
    std::atomic<std::uint32_t> assigned{0};
    loop* next = nullptr;  // written before assigned, by the thread that has the worker
    unsigned number = 0;
  };
  worker* reserve() noexcept;
  void assign(worker& spare, loop& to) noexcept;
  void give_back(worker& spare) noexcept;
  /// Waits as a spare; null when the thread shall end.
  loop* park(worker& self) noexcept;
  void main(worker& self) noexcept;
  static void* entry(void* self);

  std::mutex lock_;
  std::vector<worker*> parked_;  // last in, first out: the rest may end
  std::bitset<threads_limit> numbers_;
};

/// Starts a detached thread with all signals blocked: signals are the program's business.
bool start_thread(void* (*entry)(void*), void* argument) noexcept;

}  // namespace openxpc::engine
