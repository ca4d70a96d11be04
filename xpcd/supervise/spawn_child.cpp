#include "supervise/spawn_child.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace openxpc::supervise {

namespace {

#define OPENXPC_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

template <class... A>
OPENXPC_IN_CHILD long call(long number, A... arguments) noexcept {
  return ::syscall(number, arguments...);
}

OPENXPC_IN_CHILD char* put_number(char* out, std::uint64_t value) noexcept {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) *out++ = digits[--count];
  return out;
}

OPENXPC_IN_CHILD bool write_run_state(child_work& work) noexcept {
  char text[96];
  char* out = put_number(text, static_cast<std::uint64_t>(work.id.pid));
  *out++ = ' ';
  out = put_number(out, work.id.start_ticks);
  *out++ = ' ';
  out = put_number(out, work.id.pidfd_inode);
  *out++ = ' ';
  out = put_number(out, work.plan->generation);
  *out++ = '\n';
  const long file = call(SYS_openat, work.run_fd, work.run_file_new,
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return false;
  const long size = out - text;
  const bool written = call(SYS_write, file, text, size) == size;
  call(SYS_close, file);
  return written &&
         call(SYS_renameat2, work.run_fd, work.run_file_new, work.run_fd, work.run_file, 0) == 0;
}

/// Before it does anything that counts.
OPENXPC_IN_CHILD bool enter_cgroup(int borrowed_cgroup) noexcept {
  const long file = call(SYS_openat, borrowed_cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool entered = call(SYS_write, file, "0", 1) == 1;
  const int error = errno;
  call(SYS_close, file);
  errno = error;
  return entered;
}

/// For good, and before the process gives up the right to do so. The working directory comes later,
/// with the descriptors: until then it stays outside.
OPENXPC_IN_CHILD bool change_root(int borrowed_root) noexcept {
  return call(SYS_fchdir, borrowed_root) >= 0 && call(SYS_chroot, ".") >= 0;
}

/// A failure to connect is no failure to start: the service is unmanaged then. From within the
/// directory, since not every root has a /proc to go through.
OPENXPC_IN_CHILD int connect_link(child_work& work) noexcept {
  const long link = call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (link < 0) return -1;
  const int on = 1;
  call(SYS_setsockopt, link, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  if (call(SYS_fchdir, work.link_domain_fd) < 0 ||
      call(SYS_connect, link, &work.link_address, sizeof work.link_address) < 0) {
    call(SYS_close, link);
    return -1;
  }
  return static_cast<int>(link);
}

/// No handler of ours may run here once signals are let through.
OPENXPC_IN_CHILD void reset_signals(const child_work& work) noexcept {
  const std::uint64_t nothing[8] = {};  // SIG_DFL, no flags, empty mask, whatever the layout
  const bool has_no_handlers = work.plan->cgroup_fd >= 0 && !work.must_enter_cgroup;
  const std::uint64_t every = ~std::uint64_t{0};
  const std::uint64_t wrong = has_no_handlers ? work.plan->ignored.value_or(every) : every;
  for (int number = 1; number <= 64; ++number) {
    if ((wrong >> (number - 1) & 1) != 0) call(SYS_rt_sigaction, number, nothing, nullptr, 8);
  }
  call(SYS_rt_sigprocmask, SIG_SETMASK, nothing, nullptr, 8);
}

/// Puts the sources where they belong. Where one of them is among the targets all are lifted above
/// these first, so that no target overwrites a source.
OPENXPC_IN_CHILD bool place_descriptors(child_work& work) noexcept {
  const int count = static_cast<int>(work.sources.size());
  int* sources = work.sources.data();
  bool are_above = true;
  for (int at = 0; at < count; ++at) are_above = are_above && sources[at] >= count;
  for (int at = 0; at < count && !are_above; ++at) {
    const long lifted = call(SYS_fcntl, sources[at], F_DUPFD_CLOEXEC, count);
    if (lifted < 0) return false;
    sources[at] = static_cast<int>(lifted);
  }
  for (int at = 0; at < count; ++at) {
    if (call(SYS_dup3, sources[at], at, 0) < 0) return false;
  }
  return true;
}

/// The number of descriptors is limited twice: first only raised, as long as the process may, and
/// lowered when the last descriptor is in its place.
OPENXPC_IN_CHILD bool set_limits(child_work& work, bool descriptors_placed) noexcept {
  for (const child_limit& one : work.limits) {
    const bool is_descriptors = one.resource == RLIMIT_NOFILE;
    if (descriptors_placed && !is_descriptors) continue;
    if (is_descriptors && !descriptors_placed && !one.has_hard) continue;
    work.limit_at = one.name;
    rlimit limit;
    if (call(SYS_prlimit64, 0, one.resource, nullptr, &limit) < 0) return false;
    if (is_descriptors && !descriptors_placed) {
      if (one.hard <= limit.rlim_max) continue;
      limit.rlim_max = one.hard;
      if (call(SYS_prlimit64, 0, one.resource, &limit, nullptr) < 0) return false;
      continue;
    }
    if (one.has_hard) limit.rlim_max = one.hard;
    if (one.has_soft) limit.rlim_cur = one.soft;
    if (!one.has_soft && limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    if (call(SYS_prlimit64, 0, one.resource, &limit, nullptr) < 0) return false;
  }
  return true;
}

/// While the process has all its rights. Returns the step that failed.
OPENXPC_IN_CHILD step set_priorities(child_work& work) noexcept {
  constexpr int this_process = 0, of_process = 1;
  if (work.has_nice && call(SYS_setpriority, PRIO_PROCESS, 0, work.nice) < 0) return step::nice;
  if (work.batch) {
    const sched_param none{};
    if (call(SYS_sched_setscheduler, 0, SCHED_BATCH, &none) < 0) return step::nice;
  }
  if (work.io_priority != 0 &&
      call(SYS_ioprio_set, of_process, this_process, work.io_priority) < 0) {
    return step::io_priority;
  }
  return set_limits(work, false) ? step::none : step::limit;
}

/// The keys of our session are not the job's. Where nobody has keyrings there are none to take.
OPENXPC_IN_CHILD bool take_own_keyring() noexcept {
  constexpr int join_session_keyring = 1;
  return call(SYS_keyctl, join_session_keyring, nullptr) >= 0 || errno == ENOSYS || errno == EPERM;
}

/// Becomes the job's user for good. Only this process changes: a raw system call is the calling
/// task's alone. Returns the step that failed.
OPENXPC_IN_CHILD step take_identity(const credentials& who) noexcept {
  const unsigned gid = who.gid, uid = who.uid;
  if (call(SYS_setgroups, who.groups.size(), who.groups.data()) < 0) return step::groups;
  if (call(SYS_setresgid, gid, gid, gid) < 0) return step::gid;
  if (call(SYS_setresuid, uid, uid, uid) < 0) return step::uid;
  return take_own_keyring() ? step::none : step::keyring;
}

}  // namespace

OPENXPC_IN_CHILD int run_child(void* argument) noexcept {
  child_work& work = *static_cast<child_work*>(argument);
  const spawn_plan& plan = *work.plan;
  auto fail = [&work](step where) {
    work.error = errno;
    work.failed_at = where;
    ::syscall(SYS_exit_group, 127);
  };
  // One that shares our descriptors finds its own among them.
  const bool shares = work.above != 0 && work.pidfd >= 0;
  if (shares) work.id.pidfd_inode = inode_of(work.pidfd);
  // Nothing may be opened or closed before the table of descriptors is its own.
  if (work.above != 0 && call(SYS_close_range, work.above, ~0u, CLOSE_RANGE_UNSHARE) < 0 &&
      call(SYS_unshare, CLONE_FILES) < 0) {
    fail(step::descriptors);
  }
  work.id.pid = static_cast<pid_t>(call(SYS_getpid));
  if (plan.born != nullptr) plan.born->store(work.id.pid);
  if ((plan.own_session ? call(SYS_setsid) : call(SYS_setpgid, 0, 0)) < 0) fail(step::group);
  if (work.must_enter_cgroup && !enter_cgroup(work.cgroup_fd)) fail(step::cgroup);
  if (!shares) {
    const long own = call(SYS_pidfd_open, work.id.pid, 0);
    work.id.pidfd_inode = own < 0 ? 0 : inode_of(static_cast<int>(own));
    if (own >= 0) call(SYS_close, own);
  }
  work.id.start_ticks = start_ticks_of(work.id.pid).value_or(0);
  if (work.run_file[0] != 0 && !write_run_state(work)) fail(step::run_state);
  if (const step wrong = set_priorities(work); wrong != step::none) fail(wrong);
  // Capabilities that xpcd was given beside its user are not for its jobs.
  call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (work.root_fd >= 0 && !change_root(work.root_fd)) fail(step::root);
  if (work.identity != nullptr) {
    if (const step wrong = take_identity(*work.identity); wrong != step::none) fail(wrong);
  } else if (plan.own_keyring && !take_own_keyring()) {
    fail(step::keyring);
  }
  // After that: the kernel notes whose connection it is, and it must not be root's.
  if (!plan.link_socket.empty()) {
    const int link = connect_link(work);
    work.linked = link >= 0;
    if (work.linked) {
      // Its place is the last one; one entry was kept free for it.
      *put_number(work.link_number, work.sources.size()) = 0;
      work.sources.push_back(link);
    } else {
      // The name alone, without a value that anybody would take for a descriptor.
      work.link_number[0] = 0;
    }
  }
  // After the link, which goes by a descriptor of ours.
  const int count = static_cast<int>(work.sources.size());
  const long program_file = work.program_fd >= count
                                ? work.program_fd
                                : call(SYS_fcntl, work.program_fd, F_DUPFD_CLOEXEC, count);
  if (program_file < 0 || !place_descriptors(work)) fail(step::descriptors);
  // What xpcd itself was started with may lack close-on-exec; no job gets to see it.
  if (call(SYS_close_range, work.sources.size(), ~0u, CLOSE_RANGE_CLOEXEC) < 0)
    fail(step::descriptors);
  if (!set_limits(work, true)) fail(step::limit);
  if (call(SYS_chdir, plan.working_directory.c_str()) < 0) fail(step::directory);
  call(SYS_umask, plan.process.umask);
  if (plan.process.no_new_privileges && call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
    fail(step::privileges);
  }
  *put_number(work.listen_pid, static_cast<std::uint64_t>(work.id.pid)) = 0;
  reset_signals(work);
  if (plan.process.wait_for_debugger && call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) < 0) {
    fail(step::debugger);
  }
  call(SYS_execveat, program_file, "", work.arguments, work.environment, AT_EMPTY_PATH);
  fail(step::execute);
  return 0;
}

}  // namespace openxpc::supervise
