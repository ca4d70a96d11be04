#include "engine/registration.hpp"

#include "engine/core.hpp"
#include "engine/fork.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <utility>

namespace openxpc::engine {

registration::registration(int borrowed_fd, base::ref<source> target, loop& where) {
  if (forked()) return;
  at_ = &core::get().slots.take();
  std::lock_guard guard(at_->lock);
  at_->target = std::move(target);
  at_->where = &where;
  at_->fd.store(borrowed_fd);
}

registration::registration(int borrowed_fd, base::ref<source> target)
    : registration(borrowed_fd, std::move(target), next_loop()) {}

registration::registration(registration&& other) noexcept
    : at_(std::exchange(other.at_, nullptr)) {}

registration& registration::operator=(registration&& other) noexcept {
  if (this != &other) {
    remove();
    at_ = std::exchange(other.at_, nullptr);
  }
  return *this;
}

registration::~registration() { remove(); }

loop& registration::where() const noexcept {
  return at_ ? *at_->where : core::get().loop_at(0);  // none in a forked child
}

bool registration::arm(std::uint32_t events) noexcept { return arm(events, false); }

bool registration::keep_armed(std::uint32_t events) noexcept {
  if (at_ && at_->lasting.load(std::memory_order_relaxed) == events &&
      at_->late.load(std::memory_order_relaxed) == 0)
    return true;
  return arm(events, true);
}

void registration::spend() noexcept {
  if (!at_ || forked() || at_->lasting.load(std::memory_order_relaxed) == 0) return;
  std::lock_guard guard(at_->lock);
  at_->arm_locked(0, slot::how::once);
}

bool registration::arm(std::uint32_t events, bool lasting) noexcept {
  if (!at_ || forked()) {
    errno = EBADF;
    return false;
  }
  if (!at_->added.load(std::memory_order_relaxed) && !at_->where->start()) {
    errno = EAGAIN;
    return false;
  }
  std::lock_guard guard(at_->lock);
  at_->late.store(0, std::memory_order_seq_cst);
  return at_->arm_locked(events, lasting ? slot::how::lasting : slot::how::once);
}

void registration::arm_soon(std::uint32_t events) noexcept {
  if (!at_ || forked()) return;
  if (!at_->added.load(std::memory_order_relaxed)) {
    arm(events);
    return;
  }
  std::uint32_t number = at_->late_number.load(std::memory_order_relaxed) + 1;
  at_->late_number.store(number, std::memory_order_relaxed);
  at_->late.store(std::uint64_t{number} << 32 | events, std::memory_order_seq_cst);
  if (!at_->late_listed.load(std::memory_order_seq_cst) &&
      !at_->late_listed.exchange(true, std::memory_order_seq_cst))
    core::get().clock.list_late(*at_);
}

bool registration::hold() noexcept {
  return at_ && at_->late.exchange(0, std::memory_order_seq_cst) != 0;
}

void registration::remove() noexcept {
  if (!at_) return;
  slot& mine = *std::exchange(at_, nullptr);
  if (forked()) return;       // the fork guard has the descriptor; the locks may be anybody's
  base::ref<source> dropped;  // released last, without the lock
  {
    std::lock_guard guard(mine.lock);
    mine.late.store(0, std::memory_order_seq_cst);
    if (mine.added.exchange(false))
      ::epoll_ctl(mine.where->epoll_fd(), EPOLL_CTL_DEL, mine.fd.load(), nullptr);
    mine.fd.store(-1);
    mine.lasting.store(0, std::memory_order_relaxed);
    ++mine.generation;
    dropped = std::exchange(mine.target, nullptr);
  }
  core::get().slots.give(mine);
}

}  // namespace openxpc::engine
