#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "syscalls.hpp"
#include "work.hpp"

// Runs each job over the floor and over XPC in turns, each time in fresh processes, and prints
// medians and ratios.
//   pair_bench                 everything
//   pair_bench NAME            the jobs whose name contains NAME
//   pair_bench --in-process JOB COUNT
//                              both sides as threads of this process, for tools that look into one:
//                              JOB is call or rows
using namespace pair_bench;

namespace {

struct side {
  const char* name;
  void (*serve)(int);
  double (*drive)(int, const order&);
};
constexpr side floor_side{"floor", serve_floor, drive_floor};
constexpr side our_side{"xpc", serve_ours, drive_ours};

void pin(placing where, int core) {
  if (where == placing::free) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(where == placing::same ? 0 : core, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

/// One service, one client, one job. @return seconds.
double run_once(const side& which, const order& what, placing where) {
  int control[2], answer[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0 ||
      ::pipe2(answer, O_CLOEXEC) != 0)
    give_up("socketpair");
  std::fflush(nullptr);
  pid_t service = ::fork();
  if (service == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(control[1]);
    pin(where, 0);
    which.serve(control[0]);
    ::_exit(0);
  }
  ::close(control[0]);
  pid_t client = ::fork();
  if (client == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(where, 1);
    order warm = what;
    warm.count =
        std::max<std::uint64_t>(what.count / 20, what.what == job::crowd ? crowd_clients : 1);
    which.drive(control[1], warm);
    double seconds = which.drive(control[1], what);
    (void)!::write(answer[1], &seconds, sizeof seconds);
    ::_exit(0);
  }
  ::close(answer[1]);
  double seconds = 0;
  bool ok = ::read(answer[0], &seconds, sizeof seconds) == sizeof seconds;
  ::close(answer[0]);
  ::waitpid(client, nullptr, 0);
  ::close(control[1]);
  ::kill(service, SIGKILL);
  ::waitpid(service, nullptr, 0);
  if (!ok) {
    std::fprintf(stderr, "pair_bench: the %s client failed\n", which.name);
    std::exit(70);
  }
  return seconds;
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

struct row {
  const char* name;
  order what;
  placing where;
  double aim;  ///< largest ratio of the times that this stage must reach; 0: reported only
};

constexpr row rows[] = {
    {"call, same core", {job::call, 20'000, 0}, placing::same, 1.6},
    {"call, two cores", {job::call, 20'000, 0}, placing::split, 0},
    {"call, 64 under way", {job::pipeline, 100'000, 0}, placing::free, 0},
    {"rows, one way", {job::rows, 400'000, 0}, placing::free, 1.0 / 3},
    {"data, 64 KiB", {job::bulk, 4'000, 64 << 10}, placing::free, 0},
    {"data, 1 MiB", {job::bulk, 400, 1 << 20}, placing::free, 0},
    {"data, 64 MiB", {job::bulk, 8, 64 << 20}, placing::free, 0},
    {"connect and first reply", {job::connect, 3'000, 0}, placing::free, 2.5},
    {"8 clients, one service", {job::crowd, 80'000, 0}, placing::free, 0},
};

/// Both ends in one traced process tree: what one call asks of the kernel.
void report_system_calls() {
  constexpr std::uint64_t calls = 2'000;
  pid_t child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    int control[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0) ::_exit(1);
    // A thread as the service: tracing threads of one process is allowed where tracing others is
    // not.
    if (::fork() == 0) ::_exit(0);
    std::thread service([&] { serve_ours(control[0]); });
    drive_ours(control[1], {job::call, 200, 0});
    mark_begin();
    drive_ours(control[1], {job::call, calls, 0});
    mark_end();
    ::_exit(0);
  }
  std::uint64_t count = count_system_calls(child);
  if (count == 0)
    std::puts("system calls a call: not counted, this machine does not allow tracing");
  else
    std::printf("system calls a call, both sides: %.2f (at most 8)\n",
                static_cast<double>(count) / calls);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--in-process") == 0) {
    int control[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
      give_up("socketpair");
    std::thread([&] { serve_ours(control[0]); }).detach();
    const bool rows = std::strcmp(argv[2], "rows") == 0;
    drive_ours(control[1], {rows ? job::rows : job::call, std::strtoull(argv[3], nullptr, 10), 0});
    std::_Exit(0);
  }
  const std::string filter = argc > 1 ? argv[1] : "";
  constexpr int rounds = 5;
  std::printf("%-26s %14s %14s %9s %9s\n", "job", "floor", "xpc", "ratio", "aim");
  bool missed = false;
  for (const row& each : rows) {
    if (std::string(each.name).find(filter) == std::string::npos) continue;
    std::vector<double> floor_times, our_times, ratios;
    for (int round = 0; round < rounds; ++round) {
      floor_times.push_back(run_once(floor_side, each.what, each.where));
      our_times.push_back(run_once(our_side, each.what, each.where));
      ratios.push_back(our_times.back() / floor_times.back());
    }
    double count = static_cast<double>(each.what.count), ratio = median(ratios);
    if (each.what.what == job::bulk) {
      double bytes = count * static_cast<double>(each.what.size) / 1e9;
      std::printf("%-26s %9.2f GB/s %9.2f GB/s %9.2f", each.name, bytes / median(floor_times),
                  bytes / median(our_times), ratio);
    } else {
      std::printf("%-26s %11.2f us %11.2f us %9.2f", each.name, median(floor_times) / count * 1e6,
                  median(our_times) / count * 1e6, ratio);
    }
    if (each.aim > 0) std::printf(" %9.2f%s", each.aim, ratio <= each.aim ? "" : "  missed");
    missed |= each.aim > 0 && ratio > each.aim;
    std::puts("");
    std::fflush(stdout);
  }
  if (filter.empty()) report_system_calls();
  std::puts(missed ? "Some aims were missed; times above, ratios of times, medians of rounds."
                   : "Ratios of times, medians of rounds.");
  return 0;
}
