#include "engine/slot.hpp"

#include "base/misuse.hpp"
#include "engine/loop.hpp"

#include <sys/epoll.h>

namespace openxpc::engine {

bool slot::arm_locked(std::uint32_t events, how until) noexcept {
  epoll_event wanted{};
  wanted.events = until == how::once ? events | EPOLLONESHOT : events;
  wanted.data.u64 = token();
  // Added by the first arm only: even an empty interest reports a hang-up, so nothing can be added
  // unarmed.
  bool was_added = added.load(std::memory_order_relaxed);
  int verb = was_added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (::epoll_ctl(where->epoll_fd(), verb, fd.load(std::memory_order_relaxed), &wanted) != 0)
    return false;
  if (!was_added) added.store(true, std::memory_order_relaxed);
  lasting.store(until == how::lasting ? events : 0, std::memory_order_relaxed);
  return true;
}

slot& slot_store::take() {
  std::lock_guard guard(lock_);
  if (!free_) {
    if (used_chunks_ == chunk_count)
      base::bug("more than %u descriptors", chunk_size * chunk_count);
    slot* chunk = new slot[chunk_size];
    for (std::uint32_t i = chunk_size; i-- > 0;) {
      chunk[i].index = used_chunks_ * chunk_size + i;
      chunk[i].next_free = free_;
      free_ = &chunk[i];
    }
    chunks_[used_chunks_++].store(chunk, std::memory_order_release);
  }
  slot& taken = *free_;
  free_ = taken.next_free;
  return taken;
}

void slot_store::give(slot& used) noexcept {
  std::lock_guard guard(lock_);
  used.next_free = free_;
  free_ = &used;
}

}  // namespace openxpc::engine
