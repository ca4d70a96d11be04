#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "dispatch/queue.hpp"

namespace openxpc::dispatch {

/// The threads of the global queues.
class pool {
 public:
  static constexpr unsigned levels = 5, threads_limit = 512;

  static pool& get() noexcept;
  /// Queues an item of a root; higher levels are taken first.
  void push(item& one, queue& root, unsigned level);
  unsigned thread_count() noexcept;
  static bool is_worker() noexcept;

  /// While it lives the calling thread sleeps in one of our waits: if it is one of the pool's, it
  /// does not count as busy.
  class sleeping {
   public:
    sleeping() noexcept;
    sleeping(const sleeping&) = delete;
    ~sleeping();
  };

 private:
  struct worker {
    std::atomic<std::uint32_t> wake{0};
    long tid = 0;
    bool asleep = false;  // in a wait of ours
  };
  pool();
  static void* entry(void* self);
  void main(worker& self);
  bool any_locked() const noexcept;
  void staff_locked() noexcept;
  bool start_locked() noexcept;
  void look_again_locked();
  void look();

  const unsigned cores_;
  std::mutex lock_;
  struct entry_point {
    item_list items;
    queue* root = nullptr;
  };
  std::array<entry_point, levels> lists_;
  std::vector<worker*> workers_, idle_;
  unsigned sleeping_ = 0;
  std::uint64_t taken_ = 0, taken_at_look_ = 0;
  bool looking_ = false;
};

}  // namespace openxpc::dispatch
