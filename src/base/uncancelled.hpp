#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// System calls of the data path that are no cancellation points. A thread that a program cancels
// there would be unwound out of the middle of our work; and in a process with threads the C library
// pays for each such point with two locked instructions. Results and errno as those of the
// functions without "uncancelled_".
namespace openxpc::base {

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer learns from the C library's functions what a socket orders.
inline ssize_t uncancelled_send(int to, const void* at, std::size_t size, int flags) noexcept {
  return ::send(to, at, size, flags);
}
inline ssize_t uncancelled_sendmsg(int to, const msghdr* message, int flags) noexcept {
  return ::sendmsg(to, message, flags);
}
inline ssize_t uncancelled_recvmsg(int from, msghdr* message, int flags) noexcept {
  return ::recvmsg(from, message, flags);
}
inline int uncancelled_epoll_wait(int of, epoll_event* events, int most, int timeout_ms) noexcept {
  return ::epoll_wait(of, events, most, timeout_ms);
}
#else
inline ssize_t uncancelled_send(int to, const void* at, std::size_t size, int flags) noexcept {
  return ::syscall(SYS_sendto, to, at, size, flags, nullptr, 0);
}
inline ssize_t uncancelled_sendmsg(int to, const msghdr* message, int flags) noexcept {
  return ::syscall(SYS_sendmsg, to, message, flags);
}
inline ssize_t uncancelled_recvmsg(int from, msghdr* message, int flags) noexcept {
  return ::syscall(SYS_recvmsg, from, message, flags);
}
inline int uncancelled_epoll_wait(int of, epoll_event* events, int most, int timeout_ms) noexcept {
#if defined(SYS_epoll_wait)
  return static_cast<int>(::syscall(SYS_epoll_wait, of, events, most, timeout_ms));
#else
  return static_cast<int>(
      ::syscall(SYS_epoll_pwait, of, events, most, timeout_ms, nullptr, std::size_t{8}));
#endif
}
#endif

}  // namespace openxpc::base
