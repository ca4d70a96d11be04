#include "supervise/spawn.hpp"

#include "supervise/new_process.hpp"
#include "supervise/spawn_child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

namespace openxpc::supervise {

namespace {

constexpr std::size_t stack_bytes = 256 * 1024;

std::string describe(const spawn_plan& plan, const child_work& work) {
  const std::string& path = plan.what->path;
  switch (work.failed_at) {
    case step::directory:
      return "working directory " + plan.working_directory;
    case step::root:
      return "RootDirectory";
    case step::cgroup:
      return "cgroup for " + path;
    case step::run_state:
      return "run state of the job";
    case step::descriptors:
      return "descriptors for " + path;
    case step::limit:
      return std::string("resource limit ") + work.limit_at;
    case step::nice:
      return work.has_nice ? "Nice" : "ProcessType";
    case step::io_priority:
      return "LowPriorityIO";
    case step::groups:
      return "InitGroups";
    case step::gid:
      return "GroupName";
    case step::uid:
      return "UserName";
    case step::keyring:
      return "session keyring for " + path;
    case step::privileges:
      return "NoNewPrivileges";
    case step::debugger:
      return "WaitForDebugger";
    case step::group:
      return "process group for " + path;
    default:
      return path;
  }
}

/// What of the job's setup the child cannot work out for itself.
void prepare_setup(const spawn_plan& plan, child_work* work) {
  const job::process_setup& setup = plan.process;
  // Soft only: a job may raise it again as far as we could.
  if (plan.descriptor_limit != 0) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    work->limits.push_back({RLIMIT_NOFILE, "NumberOfFiles", true, false,
                            std::min<std::uint64_t>(plan.descriptor_limit, limit.rlim_max), 0});
  }
  for (const job::resource_limit& one : setup.limits) {
    work->limits.push_back({one.resource, one.name.c_str(), one.soft.has_value(),
                            one.hard.has_value(), one.soft.value_or(0), one.hard.value_or(0)});
  }
  work->identity = plan.identity ? &*plan.identity : nullptr;
  const bool background = setup.type == job::process_type::background;
  constexpr int background_nice = 10;
  work->has_nice = setup.nice.has_value() || background;
  work->nice = setup.nice.value_or(background_nice);
  work->batch = background;
  constexpr int best_effort_last = 2 << 13 | 7, idle = 3 << 13;
  if (background) work->io_priority = best_effort_last;
  if (setup.low_priority_io || (background && setup.low_priority_background_io)) {
    work->io_priority = idle;
  }
}

/// The child is our tracee and stops when it has become the program; it stays stopped when we let
/// go of it.
failure_of leave_stopped(const spawned& child) {
  int status = 0;
  while (::waitpid(child.id.pid, &status, __WALL) < 0 && errno == EINTR) {
  }
  if (WIFSTOPPED(status) && ::ptrace(PTRACE_DETACH, child.id.pid, nullptr, SIGSTOP) == 0) {
    return std::nullopt;
  }
  return system_trouble(errno, "WaitForDebugger");
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
  void* lowest() const { return base_; }

 private:
  void* base_;
};

/// One after the other uses it: whoever starts a process stands still until it is let go of.
/// nullptr, with errno: there is none.
const stack* stack_of_children() {
  static thread_local std::unique_ptr<stack> kept;
  if (!kept) {
    auto made = std::make_unique<stack>();
    if (!*made) return nullptr;
    kept = std::move(made);
  }
  return kept.get();
}

/// Makes the process; errno is the system call's.
born begin(child_work* work, const stack& child_stack, bool shares) {
  // No handler of ours may run in the child.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const born child = make_process({run_child, work, &work->id.pid, child_stack.lowest(),
                                   stack_bytes, shares, work->plan->cgroup_fd, &work->pidfd},
                                  &work->must_enter_cgroup);
  const int clone_error = errno;
  // A child that changes its identity takes our /proc files away from us: the memory is shared.
  if (work->identity != nullptr) ::prctl(PR_SET_DUMPABLE, 1);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = clone_error;
  return child;
}

/// What was borrowed for one start.
struct loan {
  low_descriptors* from;
  ~loan() {
    if (from != nullptr) from->give_back();
  }
};

}  // namespace

std::uint64_t ignored_signals() noexcept {
  std::uint64_t result = 0;
  for (int number = 1; number <= 64; ++number) {
    // The kernel's word: libc's hides two of them. What is done about a signal stands first.
    unsigned long how[16] = {};
    const bool known = ::syscall(SYS_rt_sigaction, number, nullptr, how, 8) == 0;
    if (known && how[0] == reinterpret_cast<unsigned long>(SIG_IGN))
      result |= std::uint64_t{1} << (number - 1);
  }
  return result;
}

outcome<spawned> spawn(const spawn_plan& plan) {
  // Its own: what is set at an open file would be set for other jobs as well.
  base::fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return start_trouble(errno, "/dev/null");

  child_work work{};
  work.plan = &plan;
  work.sources = {plan.stdin_fd < 0 ? null.get() : plan.stdin_fd,
                  plan.stdout_fd < 0 ? null.get() : plan.stdout_fd,
                  plan.stderr_fd < 0 ? null.get() : plan.stderr_fd};
  std::vector<std::string> environment = plan.environment;
  const std::string blanks(24, ' ');
  std::string names;
  std::size_t service_names = 0;
  for (std::size_t at = 0; at < plan.listeners.size(); ++at) {
    work.sources.push_back(plan.listeners[at].second);
    names += (at == 0 ? "" : ":") + plan.listeners[at].first;
    if (at + 1 == plan.service_names) service_names = names.size();
  }
  if (!plan.listeners.empty()) {
    environment.push_back("LISTEN_FDS=" + std::to_string(plan.listeners.size()));
    environment.push_back("LISTEN_FDNAMES=" + names);
    environment.push_back("OPENXPC_NAMES=" + names.substr(0, service_names));
  }
  if (plan.domain_fd >= 0) {
    environment.push_back("OPENXPC_DOMAIN=" + plan.domain_path);
    environment.push_back("OPENXPC_DOMAIN_FD=" + std::to_string(work.sources.size()));
    work.sources.push_back(plan.domain_fd);
  }
  if (plan.application_fd >= 0) {
    environment.push_back("OPENXPC_APPLICATION=" + std::to_string(plan.application_pid));
    environment.push_back("OPENXPC_APPLICATION_FD=" + std::to_string(work.sources.size()));
    work.sources.push_back(plan.application_fd);
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
  work.program_fd = plan.what->file.get();
  work.run_fd = plan.run_fd;
  work.cgroup_fd = plan.cgroup_fd;
  work.root_fd = plan.root_fd;
  work.link_domain_fd = plan.link_domain_fd;
  std::vector<int*> needed{&work.program_fd, &work.run_fd, &work.cgroup_fd, &work.root_fd,
                           &work.link_domain_fd};
  for (int& one : work.sources) needed.push_back(&one);
  const bool shares = plan.room != nullptr && plan.room->borrow(needed);
  const loan lent{shares ? plan.room : nullptr};
  if (shares) work.above = plan.room->end();
  work.link_address.sun_family = AF_UNIX;
  std::snprintf(work.link_address.sun_path, sizeof work.link_address.sun_path, "%s",
                plan.link_socket.c_str());
  const std::string run_file_new = "." + plan.run_file + ".new";
  prepare_setup(plan, &work);
  work.run_file = plan.run_file.c_str();
  work.run_file_new = run_file_new.c_str();
  std::vector<std::string> arguments = plan.what->arguments;
  std::vector<char*> argument_pointers = pointers(arguments);
  std::vector<char*> environment_pointers = pointers(environment);
  work.arguments = argument_pointers.data();
  work.environment = environment_pointers.data();

  const stack* child_stack = stack_of_children();
  if (child_stack == nullptr) return start_trouble(errno, "stack for " + plan.what->path);
  const born child = begin(&work, *child_stack, shares);
  if (child.pid < 0) return start_trouble(errno, "process for " + plan.what->path);

  spawned result{work.id, base::fd(child.pidfd), {}};
  if (work.failed_at != step::none) {
    if (plan.born != nullptr) plan.born->store(0);
    siginfo_t ended;
    while (::waitid(P_PIDFD, static_cast<id_t>(child.pidfd), &ended, WEXITED) < 0 &&
           errno == EINTR) {
    }
    // It may have failed over this very file.
    if (!plan.run_file.empty()) ::unlinkat(plan.run_fd, run_file_new.c_str(), 0);
    return start_trouble(work.error, describe(plan, work));
  }
  if (plan.process.wait_for_debugger) {
    if (failure_of why = leave_stopped(result)) {
      ::kill(result.id.pid, SIGKILL);
      while (::waitpid(result.id.pid, nullptr, __WALL) < 0 && errno == EINTR) {
      }
      return *why;
    }
  }
  return result;
}

}  // namespace openxpc::supervise
