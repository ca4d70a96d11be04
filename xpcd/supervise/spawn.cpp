#include "supervise/spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

// The child shares our memory until it becomes the program, while the thread that made it stands
// still (as after vfork). So it may read and write everything prepared here, but must not allocate
// or lock: another thread of ours may hold the lock. It makes system calls directly, since
// sanitizers keep books about the wrapped ones.

#if defined(__SANITIZE_THREAD__)
// The sanitizer's own clone() takes each child for a fork with a memory of its own, and ignores
// from then on what this thread does. This is libc's, by its other name.
extern "C" int __clone(int (*run)(void*), void* stack, int flags, void* argument, ...) noexcept;
constexpr auto make_process = ::__clone;
#else
constexpr auto make_process = ::clone;
#endif

namespace openxpc::supervise {

namespace {

constexpr int first_listener = 3;
constexpr std::size_t stack_bytes = 256 * 1024;

enum class step { none, group, descriptors, link, directory, run_state, limit, execute };

struct child_work {
  const spawn_plan* plan;
  char** arguments;
  char** environment;
  char* listen_pid;  // the digits behind LISTEN_PID=, blanks until the child knows them
  char* link_number;
  int null_fd;
  sockaddr_un link_address;
  std::vector<int> sources;  // what becomes descriptor 0, 1, 2, ...
  const char* run_file;
  const char* run_file_new;
  // What the child reports.
  step failed_at = step::none;
  int error = 0;
  bool linked = false;
  process_id id;
};

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
  const spawn_plan& plan = *work.plan;
  char text[96];
  char* out = put_number(text, static_cast<std::uint64_t>(work.id.pid));
  *out++ = ' ';
  out = put_number(out, work.id.start_ticks);
  *out++ = ' ';
  out = put_number(out, work.id.pidfd_inode);
  *out++ = ' ';
  out = put_number(out, plan.generation);
  *out++ = '\n';
  const long file = call(SYS_openat, plan.run_fd, work.run_file_new,
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return false;
  const long size = out - text;
  const bool written = call(SYS_write, file, text, size) == size;
  call(SYS_close, file);
  return written &&
         call(SYS_renameat2, plan.run_fd, work.run_file_new, plan.run_fd, work.run_file, 0) == 0;
}

/// A failure to connect is no failure to start: the service is unmanaged then.
OPENXPC_IN_CHILD int connect_link(child_work& work) noexcept {
  const long link = call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (link < 0) return -1;
  const int on = 1;
  call(SYS_setsockopt, link, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  if (call(SYS_connect, link, &work.link_address, sizeof work.link_address) < 0) {
    call(SYS_close, link);
    return -1;
  }
  return static_cast<int>(link);
}

OPENXPC_IN_CHILD void reset_signals() noexcept {
  const std::uint64_t nothing[8] = {};  // SIG_DFL, no flags, empty mask, whatever the layout
  for (int number = 1; number <= 64; ++number) {
    call(SYS_rt_sigaction, number, nothing, nullptr, 8);
  }
  call(SYS_rt_sigprocmask, SIG_SETMASK, nothing, nullptr, 8);
}

/// Puts the sources where they belong. First all of them are lifted above the targets, so that no
/// target overwrites a source.
OPENXPC_IN_CHILD bool place_descriptors(child_work& work) noexcept {
  const int count = static_cast<int>(work.sources.size());
  int* sources = work.sources.data();
  for (int at = 0; at < count; ++at) {
    const long lifted = call(SYS_fcntl, sources[at], F_DUPFD_CLOEXEC, count);
    if (lifted < 0) return false;
    sources[at] = static_cast<int>(lifted);
  }
  for (int at = 0; at < count; ++at) {
    if (call(SYS_dup3, sources[at], at, 0) < 0) return false;
  }
  return true;
}

OPENXPC_IN_CHILD int run_child(void* argument) noexcept {
  child_work& work = *static_cast<child_work*>(argument);
  const spawn_plan& plan = *work.plan;
  auto fail = [&work](step where) {
    work.error = errno;
    work.failed_at = where;
    ::syscall(SYS_exit_group, 127);
  };
  work.id.pid = static_cast<pid_t>(call(SYS_getpid));
  if (call(SYS_setpgid, 0, 0) < 0) fail(step::group);
  const long own = call(SYS_pidfd_open, work.id.pid, 0);
  work.id.pidfd_inode = own < 0 ? 0 : inode_of(static_cast<int>(own));
  if (own >= 0) call(SYS_close, own);
  work.id.start_ticks = start_ticks_of(work.id.pid).value_or(0);
  if (work.run_file[0] != 0 && !write_run_state(work)) fail(step::run_state);
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
  // After the link: the working directory must not change what /proc/self leads to, the descriptors
  // must.
  const long program_file = call(SYS_fcntl, plan.what->file.get(), F_DUPFD_CLOEXEC,
                                 static_cast<int>(work.sources.size()) + 1);
  if (program_file < 0 || !place_descriptors(work)) fail(step::descriptors);
  // What xpcd itself was started with may lack close-on-exec; no job gets to see it.
  if (call(SYS_close_range, work.sources.size(), ~0u, CLOSE_RANGE_CLOEXEC) < 0)
    fail(step::descriptors);
  if (call(SYS_chdir, plan.working_directory.c_str()) < 0) fail(step::directory);
  if (plan.descriptor_limit != 0) {
    rlimit limit;
    if (call(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit) < 0) fail(step::limit);
    limit.rlim_cur =
        plan.descriptor_limit < limit.rlim_max ? plan.descriptor_limit : limit.rlim_max;
    if (call(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, nullptr) < 0) fail(step::limit);
  }
  call(SYS_umask, 022);
  *put_number(work.listen_pid, static_cast<std::uint64_t>(work.id.pid)) = 0;
  reset_signals();
  call(SYS_execveat, program_file, "", work.arguments, work.environment, AT_EMPTY_PATH);
  fail(step::execute);
  return 0;
}

std::string describe(const spawn_plan& plan, step where) {
  switch (where) {
    case step::directory:
      return "working directory " + plan.working_directory;
    case step::run_state:
      return "run state of the job";
    case step::descriptors:
      return "descriptors for " + plan.what->path;
    case step::limit:
      return "descriptor limit for " + plan.what->path;
    case step::group:
      return "process group for " + plan.what->path;
    default:
      return plan.what->path;
  }
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

bool may_work_later(int error) {
  return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE ||
         error == ETXTBSY || error == ENOSPC || error == EINTR;
}

trouble start_trouble(int error, const std::string& subject) {
  trouble why = system_trouble(error, subject);
  if (may_work_later(error))
    why.what = trouble::kind::unavailable;
  else if (why.what == trouble::kind::unavailable)
    why.what = trouble::kind::bad_input;
  return why;
}

/// The child's stack. Its lowest page stays unmapped for access: an overflow faults instead of
/// writing into something.
class stack {
 public:
  stack()
      : base_(::mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
    if (base_ != MAP_FAILED) ::mprotect(base_, 4096, PROT_NONE);
  }
  ~stack() {
    if (base_ != MAP_FAILED) ::munmap(base_, stack_bytes);
  }
  stack(const stack&) = delete;
  stack& operator=(const stack&) = delete;
  explicit operator bool() const { return base_ != MAP_FAILED; }
  void* top() const { return static_cast<char*>(base_) + stack_bytes; }

 private:
  void* base_;
};

}  // namespace

outcome<spawned> spawn(const spawn_plan& plan) {
  base::fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return start_trouble(errno, "/dev/null");

  child_work work{};
  work.plan = &plan;
  work.null_fd = null.get();
  work.sources = {null.get(), plan.stdout_fd < 0 ? null.get() : plan.stdout_fd,
                  plan.stderr_fd < 0 ? null.get() : plan.stderr_fd};
  std::vector<std::string> environment = plan.environment;
  const std::string blanks(24, ' ');
  std::string names;
  for (const auto& [name, socket] : plan.listeners) {
    work.sources.push_back(socket);
    names += (names.empty() ? "" : ":") + name;
  }
  if (!plan.listeners.empty()) {
    environment.push_back("LISTEN_FDS=" + std::to_string(plan.listeners.size()));
    environment.push_back("LISTEN_FDNAMES=" + names);
  }
  if (plan.domain_fd >= 0) {
    environment.push_back("OPENXPC_DOMAIN=" + plan.domain_path);
    environment.push_back("OPENXPC_DOMAIN_FD=" + std::to_string(work.sources.size()));
    work.sources.push_back(plan.domain_fd);
  }
  work.sources.reserve(work.sources.size() + 1);
  // Strings that the child completes come last: moving the vector would move their buffers.
  char spare[32];
  work.listen_pid = work.link_number = spare;
  if (!plan.listeners.empty()) environment.push_back("LISTEN_PID=" + blanks);
  if (!plan.link_socket.empty()) environment.push_back("OPENXPC_LINK_FD=" + blanks);
  for (std::string& text : environment) {
    if (text.compare(0, 11, "LISTEN_PID=") == 0 && !plan.listeners.empty()) {
      work.listen_pid = text.data() + 11;
    }
    if (text.compare(0, 16, "OPENXPC_LINK_FD=") == 0) work.link_number = text.data() + 16;
  }
  work.link_address.sun_family = AF_UNIX;
  std::snprintf(work.link_address.sun_path, sizeof work.link_address.sun_path,
                "/proc/self/fd/%d/%s", plan.domain_fd, plan.link_socket.c_str());
  const std::string run_file_new = "." + plan.run_file + ".new";
  work.run_file = plan.run_file.c_str();
  work.run_file_new = run_file_new.c_str();
  std::vector<std::string> arguments = plan.what->arguments;
  std::vector<char*> argument_pointers = pointers(arguments);
  std::vector<char*> environment_pointers = pointers(environment);
  work.arguments = argument_pointers.data();
  work.environment = environment_pointers.data();

  stack child_stack;
  if (!child_stack) return start_trouble(errno, "stack for " + plan.what->path);
  // No handler of ours may run in the child.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int pidfd = -1;
  const int pid = make_process(run_child, child_stack.top(),
                               CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &work, &pidfd);
  const int clone_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return start_trouble(clone_error, "process for " + plan.what->path);

  spawned result{work.id, base::fd(pidfd)};
  if (work.failed_at != step::none) {
    siginfo_t ended;
    while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &ended, WEXITED) < 0 && errno == EINTR) {
    }
    return start_trouble(work.error, describe(plan, work.failed_at));
  }
  return result;
}

}  // namespace openxpc::supervise
