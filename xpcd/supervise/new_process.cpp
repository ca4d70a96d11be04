#include "supervise/new_process.hpp"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#if defined(__SANITIZE_THREAD__)
// The sanitizer's own clone() takes each child for a fork with a memory of its own, and ignores
// from then on what this thread does. This is libc's, by its other name.
extern "C" int __clone(int (*run)(void*), void* stack, int flags, void* argument, ...) noexcept;
constexpr auto libc_clone = ::__clone;
#else
constexpr auto libc_clone = ::clone;
#endif

namespace openxpc::supervise {

namespace {

/// clone3(2), which libc does not offer: what comes behind it runs on another stack in the child,
/// so the child leaves for its first function before any compiled code could look for its frame.
/// @return as the system call.
long enter_clone3(clone_args& how, int (*run)(void*), void* argument) {
#if defined(__x86_64__)
  long result;
  register auto first __asm__("r8") = run;
  register void* its_argument __asm__("r9") = argument;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"  // the end of a walk over the child's frames
      "mov %%r9, %%rdi\n\t"
      "call *%%r8\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "0"(static_cast<long>(SYS_clone3)), "D"(&how), "S"(sizeof how), "r"(first),
        "r"(its_argument)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__)
  register long result __asm__("x0") = reinterpret_cast<long>(&how);
  register long size __asm__("x1") = sizeof how;
  register auto first __asm__("x2") = run;
  register void* its_argument __asm__("x3") = argument;
  register long number __asm__("x8") = SYS_clone3;
  __asm__ volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, #0\n\t"
      "mov x0, x3\n\t"
      "blr x2\n\t"
      "brk #0\n"
      "1:"
      : "+r"(result)
      : "r"(size), "r"(first), "r"(its_argument), "r"(number)
      : "memory", "cc");
  return result;
#else
  (void)how, (void)run, (void)argument;
  return -ENOSYS;
#endif
}

/// One that died before it began.
void bury(int owned_pidfd) {
  siginfo_t end;
  while (::waitid(P_PIDFD, static_cast<id_t>(owned_pidfd), &end, WEXITED) < 0 && errno == EINTR) {
  }
  ::close(owned_pidfd);
}

}  // namespace

born make_process(const birth& how, bool* must_enter) {
  constexpr unsigned flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;
  const unsigned shared = how.shares_descriptors ? CLONE_FILES : 0;
  born result;
  int* const pidfd = how.pidfd != nullptr ? how.pidfd : &result.pidfd;
  *pidfd = -1;
  *must_enter = false;
  if (how.borrowed_cgroup >= 0) {
    clone_args all{};
    all.flags = flags | shared | CLONE_INTO_CGROUP | CLONE_CLEAR_SIGHAND;
    all.pidfd = reinterpret_cast<std::uintptr_t>(pidfd);
    all.exit_signal = SIGCHLD;
    all.stack = reinterpret_cast<std::uintptr_t>(how.stack);
    all.stack_size = how.stack_bytes;
    all.cgroup = static_cast<std::uint64_t>(how.borrowed_cgroup);
    const long made = enter_clone3(all, how.run, how.argument);
    if (made == -EAGAIN || made == -ENOMEM) {
      errno = static_cast<int>(-made);
      return result;
    }
    if (made > 0 && *static_cast<const volatile pid_t*>(how.began) != 0) {
      result.pid = static_cast<pid_t>(made);
      result.pidfd = *pidfd;
      result.in_cgroup = true;
      return result;
    }
    if (made > 0) bury(std::exchange(*pidfd, -1));
    *must_enter = true;  // and hear there what is wrong with that cgroup, if anything is
  }
  void* const top = static_cast<char*>(how.stack) + how.stack_bytes;
  result.pid =
      libc_clone(how.run, top, static_cast<int>(flags | shared | SIGCHLD), how.argument, pidfd);
  result.pidfd = *pidfd;
  return result;
}

}  // namespace openxpc::supervise
