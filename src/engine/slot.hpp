#pragma once

#include "base/mutex.hpp"
#include "base/ref.hpp"
#include "engine/registration.hpp"

#include <atomic>
#include <cstdint>

namespace openxpc::engine {

/// What a registration stands on. Slots are reused and never freed, so an event that was already on
/// its way when its registration ended finds a slot, sees that the generation is another, and does
/// nothing.
struct slot {
  base::mutex lock;  // guards all that is not atomic; held during epoll_ctl, never during ready()
  base::ref<source> target;
  loop* where = nullptr;
  std::uint32_t generation = 0;
  std::uint32_t index = 0;
  slot* next_free = nullptr;
  /// The registered descriptor or -1. Never a descriptor that may be closed: the fork guard
  /// replaces it in the child.
  std::atomic<int> fd{-1};
  std::atomic<bool> added{false};
  /// What arm_soon() asked for: events, and above them a number that tells one request from the
  /// next; 0 is none.
  std::atomic<std::uint64_t> late{0};
  std::atomic<std::uint32_t> late_number{0};
  std::atomic<bool> late_listed{false};  // the clock has it in its list
  std::uint64_t late_seen = 0;           // the clock's own: what it saw at its last tick
  /// The events that the set goes on reporting without being asked again; 0 when it is spent, or
  /// will be after one event.
  std::atomic<std::uint32_t> lasting{0};

  /// What epoll hands back with an event.
  std::uint64_t token() const noexcept { return std::uint64_t{generation} << 32 | index; }
  /// Adds to or changes in the epoll set; the lock is held.
  enum class how : std::uint8_t { once, lasting };
  bool arm_locked(std::uint32_t events, how until) noexcept;
};

/// All slots of the process.
class slot_store {
 public:
  static constexpr std::uint32_t chunk_size = 256, chunk_count = 8192;
  /// Tokens whose index is beyond every slot.
  static constexpr std::uint64_t wake_token = UINT64_MAX, clock_token = UINT64_MAX - 1;

  slot& take();
  void give(slot& used) noexcept;
  slot& at(std::uint32_t index) noexcept {
    return chunks_[index / chunk_size].load(std::memory_order_acquire)[index % chunk_size];
  }
  /// For a forked child: no lock is taken.
  template <class F>
  void each(F&& visit) noexcept {
    for (auto& chunk : chunks_) {
      slot* first = chunk.load(std::memory_order_acquire);
      if (!first) return;
      for (std::uint32_t i = 0; i < chunk_size; ++i) visit(first[i]);
    }
  }

 private:
  base::mutex lock_;
  slot* free_ = nullptr;
  std::uint32_t used_chunks_ = 0;
  std::atomic<slot*> chunks_[chunk_count]{};
};

}  // namespace openxpc::engine
