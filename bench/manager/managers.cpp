#include "managers.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

// Processes, and what the kernel says of them.
namespace manager_bench {

void give_up(const std::string& what) {
  std::fprintf(stderr, "manager_bench: %s\n", what.c_str());
  std::exit(70);
}

double seconds_since_boot() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

process::process(const std::vector<std::string>& arguments, int said) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up("pipe");
  std::vector<char*> list;
  for (const std::string& one : arguments) list.push_back(const_cast<char*>(one.c_str()));
  list.push_back(nullptr);
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = ::open("/dev/null", O_RDWR);
    if (null < 0) ::_exit(127);
    ::dup2(null, 0);
    ::dup2(said == 1 ? ends[1] : null, 1);
    ::dup2(said == 2 ? ends[1] : null, 2);
    ::execv(list[0], list.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];
}

process::~process() { end(); }

std::string process::read_line() {
  for (;;) {
    const std::size_t end = pending_.find('\n');
    if (end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    char bytes[4096];
    const ssize_t got = ::read(output_, bytes, sizeof bytes);
    if (got <= 0) give_up("a process that was started ended too early: " + pending_);
    pending_.append(bytes, static_cast<std::size_t>(got));
  }
}

void process::end() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  ::close(output_);
  pid_ = -1;
}

namespace {

double number_behind(const std::string& file, const std::string& key) {
  std::ifstream stream(file);
  for (std::string word; stream >> word;) {
    double number = 0;
    if (word == key && stream >> number) return number;
  }
  return 0;
}

}  // namespace

counts look_at(pid_t process) {
  counts found;
  const std::string place = "/proc/" + std::to_string(process);
  found.pss_kib = number_behind(place + "/smaps_rollup", "Pss:");
  for (const auto& task : std::filesystem::directory_iterator(place + "/task")) {
    const std::string status = task.path() / "status";
    found.switches += static_cast<long long>(number_behind(status, "voluntary_ctxt_switches:") +
                                             number_behind(status, "nonvoluntary_ctxt_switches:"));
  }
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator(place + "/fd"))
    ++found.descriptors;
  return found;
}

double kernel_kib() { return number_behind("/proc/meminfo", "Slab:"); }

directory::directory() {
  // In memory, as the runtime directories of systems are: disks differ.
  for (const char* place : {"/dev/shm", "/tmp"}) {
    path_ = std::string(place) + "/manager-bench-XXXXXX";
    if (::mkdtemp(path_.data()) != nullptr) return;
  }
  give_up("mkdtemp");
}

directory::~directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string program_beside(const std::string& name) {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  return name.empty() ? self.string() : (self.parent_path() / name).string();
}

}  // namespace manager_bench
