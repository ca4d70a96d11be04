#pragma once

#include "base/ref.hpp"
#include "engine/engine.hpp"

#include <cstdint>

namespace openxpc::engine {

/// Somebody who waits for a descriptor.
class source : public base::counted {
 public:
  /// Called on the loop of the registration with what epoll reported (EPOLLIN, EPOLLOUT, EPOLLHUP,
  /// EPOLLERR); after arm() the registration is spent from then on. It may come once more than
  /// expected: after remove(), or after somebody else took over the reading. Never called twice for
  /// one arm(), but two calls may overlap when arm() is called during the first; and after
  /// keep_armed() when the loop goes to another thread during the first.
  virtual void ready(std::uint32_t events) = 0;

 protected:
  ~source() override = default;
};

struct slot;

/// A descriptor in the epoll set of a loop, level-triggered: one-shot, so that it is *spent* after
/// an event and costs nothing while somebody else (a synchronous caller) reads, or kept armed, so
/// that a loop that does all the reading pays for no arming. Move-only.
/// Threads: any, except that remove(), moving and destroying must not happen beside another call on
/// the same object.
class registration {
 public:
  registration() noexcept = default;
  /// Remembers the pair; nothing is waited for before the first arm(). The descriptor must stay
  /// open until remove().
  registration(int borrowed_fd, base::ref<source> target, loop& where);
  /// The same on the next loop in turn.
  registration(int borrowed_fd, base::ref<source> target);
  registration(registration&& other) noexcept;
  registration& operator=(registration&& other) noexcept;
  ~registration();

  explicit operator bool() const noexcept { return at_ != nullptr; }
  /// The loop its events arrive on; any loop for an empty registration.
  loop& where() const noexcept;

  /// Waits for one of `events` once. What is ready already is reported at once. Replaces what was
  /// waited for, and a pending arm_soon(). One system call. False with errno when the kernel
  /// refuses the descriptor (only the first time: ENOMEM, ENOSPC, EPERM), or in a forked child.
  bool arm(std::uint32_t events) noexcept;
  /// arm(), but what is ready is reported again and again until arm() or spend(): ready() reads, or
  /// spends it. No system call when it is armed so already.
  bool keep_armed(std::uint32_t events) noexcept;
  /// Ends keep_armed(); one last event may be on its way. No system call when it is not armed so.
  void spend() noexcept;
  /// arm(), but 1 to 2 ms later and without a system call of the caller, unless hold() or arm()
  /// comes first. For the end of a synchronous call, which is likely to be followed by the next
  /// one.
  void arm_soon(std::uint32_t events) noexcept;
  /// Calls a pending arm_soon() off; true when it was still pending, so that the registration is
  /// known to be spent.
  bool hold() noexcept;

  /// Ends it: drops the source and leaves the epoll set. A ready() that is on its way may still
  /// arrive, and the source lives until that has returned; the descriptor may be closed as soon as
  /// remove() has. Safe inside ready(). Idempotent.
  void remove() noexcept;

 private:
  bool arm(std::uint32_t events, bool lasting) noexcept;

  slot* at_ = nullptr;
};

}  // namespace openxpc::engine
