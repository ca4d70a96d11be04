#include "supervise/launching.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace openxpc::supervise {

failure_of process_order::own() {
  std::vector<int*> lent{&plan.domain_fd, &plan.link_domain_fd, &plan.root_fd,
                         &plan.stdin_fd,  &plan.stdout_fd,      &plan.stderr_fd,
                         &plan.run_fd,    &plan.application_fd, &plan.cgroup_fd};
  for (auto& [name, socket] : plan.listeners) lent.push_back(&socket);
  for (int* one : lent) {
    if (*one < 0) continue;
    base::fd copy = base::fd::copy(*one);
    if (!copy) return system_trouble(errno, "descriptors for " + what.path);
    *one = copy.get();
    owned_.push_back(std::move(copy));
  }
  plan.room = nullptr;  // the loop's
  plan.born = born.get();
  return std::nullopt;
}

untaken_process::~untaken_process() {
  if (!it_.pidfd) return;
  ::syscall(SYS_pidfd_send_signal, it_.pidfd.get(), SIGKILL, nullptr, 0);
  siginfo_t end;
  while (::waitid(P_PIDFD, static_cast<id_t>(it_.pidfd.get()), &end, WEXITED) < 0 &&
         errno == EINTR) {
  }
}

}  // namespace openxpc::supervise
