// Around each test: a directory and an environment of its own before, and after it the question
// what it left behind.
#include "base/fd.hpp"
#include "support/harness.hpp"
#include "support/patience.hpp"
#include "support/sanitizers.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace std::chrono_literals;

namespace xpc_testing {
namespace {

std::string directory;
std::vector<open_descriptor> before;
bool events_too = false;
bool started_child = false;

bool is_event_descriptor(const open_descriptor& one) {
  return one.target == "anon_inode:[eventpoll]" || one.target == "anon_inode:[eventfd]" ||
         one.target == "anon_inode:[timerfd]";
}

std::vector<open_descriptor> counted() {
  std::vector<open_descriptor> all = open_descriptors();
  if (!events_too) std::erase_if(all, is_event_descriptor);
  return all;
}

std::vector<open_descriptor> missing_in(const std::vector<open_descriptor>& these,
                                        const std::vector<open_descriptor>& those) {
  std::vector<open_descriptor> result;
  std::set_difference(those.begin(), those.end(), these.begin(), these.end(),
                      std::back_inserter(result));
  return result;
}

unsigned watchdog_seconds() {
  const char* text = std::getenv("OPENXPC_TEST_WATCHDOG");
  int seconds = text ? std::atoi(text) : 0;
  return seconds > 0 ? static_cast<unsigned>(seconds) : 110;
}

void make_directory() {
  // A test program that a test started (a death test, say) nests, so that the outer one removes
  // what it leaves.
  const char* outer = std::getenv("OPENXPC_TEST_DIRECTORY");
  const char* temporary = std::getenv("TMPDIR");
  std::string path = outer ? outer : temporary && std::strlen(temporary) < 40 ? temporary : "/tmp";
  path += "/xpc-XXXXXX";
  if (!::mkdtemp(path.data())) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), std::strerror(errno));
    std::abort();
  }
  directory = path;
}

// What the user's shell says must not reach a test; what ctest says to the harness must.
void clean_environment() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry; ++entry) {
    std::string name(*entry, static_cast<std::size_t>(std::strcspn(*entry, "=")));
    if (name.starts_with("OPENXPC_") && !name.starts_with("OPENXPC_TEST_")) names.push_back(name);
  }
  for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "XDG_CONFIG_HOME",
                           "XDG_STATE_HOME", "XDG_DATA_HOME"})
    names.emplace_back(name);
  for (const std::string& name : names) ::unsetenv(name.c_str());
  ::setenv("XDG_RUNTIME_DIR", directory.c_str(), 1);
  ::setenv("HOME", directory.c_str(), 1);
  ::setenv("OPENXPC_TEST_DIRECTORY", directory.c_str(), 1);
}

// Names the children that are left, ends and reaps them.
std::vector<std::string> left_children() {
  std::vector<std::string> complaints;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    for (pid_t child; children >> child;) {
      bool runs = ::waitpid(child, nullptr, WNOHANG) == 0;
      complaints.push_back("child " + std::to_string(child) +
                           (runs ? " still runs" : " ended and was never waited for"));
      if (!runs) continue;
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
  }
  return complaints;
}

// What can be read of it: a process may be gone in the middle, and then the buffer throws, which
// only a stream catches.
std::string contents(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream all;
  all << stream.rdbuf();
  return all.str();
}

// Services outlive a service manager that was killed, by design. They have the test's directory in
// their command line or environment, and nobody else has.
void end_left_services() {
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(process.path().filename().c_str());
    if (pid <= 0 || pid == ::getpid()) continue;
    // Held before it is looked at, so that what is ended is what was seen.
    openxpc::base::fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd || (contents(process.path() / "cmdline") + contents(process.path() / "environ"))
                          .find(directory) == std::string::npos)
      continue;
    ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
    pollfd ended{pidfd.get(), POLLIN, 0};
    ::poll(&ended, 1, 5000);
  }
}

}  // namespace

const std::string& runtime_directory() {
  // A role has no surroundings of its own: it shares the directory of the test that started it.
  if (directory.empty())
    if (const char* outer = std::getenv("OPENXPC_TEST_DIRECTORY")) directory = outer;
  return directory;
}

void note_started_child() { started_child = true; }

void count_event_descriptors_too() {
  events_too = true;
  before = counted();
}

void accept_open_descriptors() { before = counted(); }

void surroundings::begin(const std::string& test_name) {
  outer_ = std::getenv("OPENXPC_TEST_DIRECTORY") ? std::getenv("OPENXPC_TEST_DIRECTORY") : "";
  make_directory();
  clean_environment();
  if (outer_.empty()) collect_reports(directory);  // else the test outside collects ours too
  events_too = false;
  started_child = false;
  before = counted();
  arm_watchdog(test_name, watchdog_seconds());
}

std::vector<std::string> surroundings::end() {
  std::vector<std::string> complaints = left_children();
  if (started_child) end_left_services();
  for (const std::string& report : take_reports(directory))
    complaints.push_back("a process that the test started says: " + report);
  // What another thread is about to close may still be open when the test returns.
  std::vector<open_descriptor> after;
  auto last_look = std::chrono::steady_clock::now() + std::min(patience() / 3, 5000ms);
  while ((after = counted()) != before && std::chrono::steady_clock::now() < last_look)
    std::this_thread::sleep_for(1ms);
  arm_watchdog("", 0);
  for (const open_descriptor& one : missing_in(before, after))
    complaints.push_back("descriptor " + std::to_string(one.number) +
                         " was left open: " + one.target);
  for (const open_descriptor& one : missing_in(after, before))
    complaints.push_back("descriptor " + std::to_string(one.number) +
                         " is not the test's own and was closed: " + one.target);
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  directory.clear();
  if (outer_.empty())
    ::unsetenv("OPENXPC_TEST_DIRECTORY");
  else
    ::setenv("OPENXPC_TEST_DIRECTORY", outer_.c_str(), 1);
  return complaints;
}

}  // namespace xpc_testing
