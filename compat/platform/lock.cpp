#include "base/futex.hpp"

#include <os/lock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

// The word is 0, or the owner's thread id, with the highest bit when somebody may be waiting.

namespace {

using word = std::atomic<std::uint32_t>;
constexpr std::uint32_t awaited = std::uint32_t{1} << 31;

word& word_of(os_unfair_lock_t lock) noexcept {
  return *reinterpret_cast<word*>(&lock->_os_unfair_lock_opaque);
}
std::uint32_t owner_of(const os_unfair_lock* lock) noexcept {
  return word_of(const_cast<os_unfair_lock_t>(lock)).load(std::memory_order_relaxed) & ~awaited;
}
std::uint32_t self() noexcept {
  static thread_local const auto id = static_cast<std::uint32_t>(::syscall(SYS_gettid));
  return id;
}

[[noreturn]] void client_bug(const char* function, const char* text) {
  char line[256];
  const int size =
      std::snprintf(line, sizeof line, "BUG IN CLIENT OF LIBPLATFORM: %s: %s\n", function, text);
  if (size > 0) (void)!::write(STDERR_FILENO, line, static_cast<std::size_t>(size));
  std::abort();
}

}  // namespace

void os_unfair_lock_lock(os_unfair_lock_t lock) {
  word& at = word_of(lock);
  const std::uint32_t me = self();
  std::uint32_t seen = 0;
  if (at.compare_exchange_strong(seen, me, std::memory_order_acquire)) return;
  for (;;) {
    if ((seen & ~awaited) == me) client_bug(__func__, "the calling thread has the lock already");
    if (seen == 0) {
      // Others may wait still, so the bit comes along.
      if (at.compare_exchange_weak(seen, me | awaited, std::memory_order_acquire)) return;
      continue;
    }
    if (!(seen & awaited) &&
        !at.compare_exchange_weak(seen, seen | awaited, std::memory_order_relaxed))
      continue;
    openxpc::base::futex_wait(at, seen | awaited);
    seen = at.load(std::memory_order_relaxed);
  }
}

bool os_unfair_lock_trylock(os_unfair_lock_t lock) {
  std::uint32_t none = 0;
  return word_of(lock).compare_exchange_strong(none, self(), std::memory_order_acquire);
}

void os_unfair_lock_unlock(os_unfair_lock_t lock) {
  word& at = word_of(lock);
  if (owner_of(lock) != self()) client_bug(__func__, "the calling thread has not got the lock");
  if (at.exchange(0, std::memory_order_release) & awaited) openxpc::base::futex_wake(at);
}

void os_unfair_lock_assert_owner(const os_unfair_lock* lock) {
  if (owner_of(lock) != self()) client_bug(__func__, "the calling thread has not got the lock");
}

void os_unfair_lock_assert_not_owner(const os_unfair_lock* lock) {
  if (owner_of(lock) == self()) client_bug(__func__, "the calling thread has the lock");
}
