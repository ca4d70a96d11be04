#include "dispatch/sleep.hpp"

#include "base/futex.hpp"

#include "dispatch/pool.hpp"

// Weak: a program may use dispatch queues without libxpc. Where libxpc is, a handler that sleeps
// here hands its loop on.
extern "C" __attribute__((weak)) bool openxpc_wait_word(const std::uint32_t* word,
                                                        std::uint32_t expected,
                                                        std::uint64_t deadline_ns);

namespace openxpc::dispatch {

bool sleep_while_until(const std::atomic<std::uint32_t>& word, std::uint32_t value,
                       base::instant deadline) noexcept {
  if (word.load(std::memory_order_acquire) != value) return true;
  pool::sleeping here;
  while (word.load(std::memory_order_acquire) == value) {
    bool in_time;
    if (openxpc_wait_word && !pool::is_worker()) {
      std::uint64_t until = deadline == base::never ? UINT64_MAX : base::to_wire(deadline);
      in_time = openxpc_wait_word(reinterpret_cast<const std::uint32_t*>(&word), value, until);
    } else {
      in_time = base::futex_wait(word, value, deadline);
    }
    if (!in_time) return word.load(std::memory_order_acquire) != value;
  }
  return true;
}

void sleep_while(const std::atomic<std::uint32_t>& word, std::uint32_t value) noexcept {
  sleep_while_until(word, value, base::never);
}

}  // namespace openxpc::dispatch
