// A timer and a signal rather than a thread, so that tests of fork see the process they would see
// without a harness. The handler first says what matters by write() alone; only then does it try
// the details, with a second alarm behind it in case they need a lock that the interrupted thread
// holds.
#include "support/harness.hpp"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace xpc_testing {
namespace {

char message[256];

void print_threads() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name, call;
    std::getline(std::ifstream(task.path() / "comm"), name);
    std::getline(std::ifstream(task.path() / "syscall"), call);
    std::fprintf(stderr, "  thread %s %s: system call %s\n", task.path().filename().c_str(),
                 name.c_str(), call.c_str());
  }
  for (const open_descriptor& one : open_descriptors())
    std::fprintf(stderr, "  descriptor %d: %s\n", one.number, one.target.c_str());
}

void bark(int) {
  (void)!::write(STDERR_FILENO, message, std::strlen(message));
  ::signal(SIGALRM, SIG_DFL);
  sigset_t alarm_only;
  ::sigemptyset(&alarm_only);
  ::sigaddset(&alarm_only, SIGALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &alarm_only, nullptr);
  ::alarm(5);
  print_threads();
  std::abort();
}

}  // namespace

void arm_watchdog(const std::string& test_name, unsigned seconds) {
  std::snprintf(message, sizeof message, "watchdog: %s did not end within %u s\n",
                test_name.c_str(), seconds);
  ::signal(SIGALRM, bark);
  ::alarm(seconds);
}

}  // namespace xpc_testing
