#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "managers.hpp"

// The service manager beside systemd-socket-activate and plain sockets: ratios of one run, medians
// of rounds, in turns.
//   manager_bench             everything
//   manager_bench --serve N   the service that both start
//   manager_bench --bus N     its like on a D-Bus
using namespace manager_bench;

namespace {

constexpr const char* activate = "/usr/bin/systemd-socket-activate";
constexpr const char* bus_program = "/usr/bin/dbus-daemon";
constexpr const char* name = "org.example.bench";
constexpr int rounds = 41;

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

std::string description(const std::string& label, const std::string& service) {
  return "<plist version=\"1.0\"><dict><key>Label</key><string>" + label +
         "</string><key>ProgramArguments</key><array><string>" + program_beside("") +
         "</string><string>--serve</string><string>" + service +
         "</string></array><key>MachServices</key><dict><key>" + service +
         "</key><true/></dict></dict></plist>\n";
}

/// xpcd with so many jobs, one of them the service.
class loaded_manager {
 public:
  explicit loaded_manager(int jobs) {
    const std::string descriptions = where_.path() + "/jobs";
    std::filesystem::create_directory(descriptions);
    std::ofstream(descriptions + "/bench.plist") << description("bench", name);
    for (int i = 1; i < jobs; ++i) {
      const std::string label = "org.example.job." + std::to_string(i);
      std::ofstream(descriptions + "/" + label + ".plist") << description(label, label);
    }
    const double before = kernel_kib();
    const double begin = seconds_since_boot();
    xpcd_ = std::make_unique<process>(
        std::vector<std::string>{program_beside("xpcd"), "--domain", where_.path() + "/domain",
                                 "--jobs", descriptions, "--ready-fd", "1"},
        1);
    if (xpcd_->read_line() != "ready") give_up("xpcd is not ready");
    started_in_ = seconds_since_boot() - begin;
    kernel_ = kernel_kib() - before;
  }
  double started_in() const { return started_in_; }
  /// By how much the kernel's memory grew meanwhile.
  double kernel() const { return kernel_; }
  pid_t pid() const { return xpcd_->pid(); }
  std::string socket() const { return where_.path() + "/domain/" + name; }
  double launch() const {
    const double took = first_reply(socket(), true);
    // Reaped, its files put away, its socket watched again.
    const std::string run = where_.path() + "/domain/.run/bench.pid";
    while (std::filesystem::exists(run)) ::usleep(100);
    ::usleep(2000);
    return took;
  }

 private:
  directory where_;
  std::unique_ptr<process> xpcd_;
  double started_in_ = 0, kernel_ = 0;
};

double launch_by_activate() {
  const directory where;
  const std::string path = where.path() + "/s";
  process waiting(
      {activate, "--seqpacket", "-l", path, "--fdname", name, program_beside(""), "--serve", name},
      2);
  while (waiting.read_line().find("Listening on") == std::string::npos) {
  }
  const double took = first_reply(path, true);
  waiting.end();
  return took;
}

/// A bus that starts the same kind of service because a message is for its name: each round a bus
/// of its own, which is asked once before, so that only the launch is measured.
double launch_by_bus() {
  const directory where;
  const std::string address = bus_address(where.path(), program_beside(""), name);
  process bus(
      {bus_program, "--config-file", where.path() + "/bus.conf", "--nofork", "--print-address=1"},
      1);
  bus.read_line();
  const double took = first_reply_over_bus(address, name);
  bus.end();
  return took;
}

void print_row(const char* what, double floor, double ours, double ratio, double aim) {
  std::printf("%-40s %11.0f us %11.0f us %8.2f", what, floor * 1e6, ours * 1e6, ratio);
  if (aim > 0) std::printf(" %8.2f%s", aim, ratio <= aim ? "" : "  missed");
  std::puts("");
  std::fflush(stdout);
}

/// Not a floor: what another service manager of every Linux takes.
void compare_with_bus(const loaded_manager& manager) {
  if (::access(bus_program, X_OK) != 0) {
    std::puts("launch to first reply by dbus-daemon: not compared, there is none here");
    return;
  }
  std::vector<double> theirs, ours;
  for (int round = -1; round < rounds; ++round) {
    const double their_time = launch_by_bus();
    const double our_time = manager.launch();
    if (round < 0) continue;
    theirs.push_back(their_time);
    ours.push_back(our_time);
  }
  print_row("the same beside activation by dbus-daemon", median(theirs), median(ours),
            median(ours) / median(theirs), 0);
}

void compare_launches(const std::string& what, const loaded_manager& manager) {
  std::vector<double> theirs, ours, ratios;
  for (int round = -1; round < rounds; ++round) {
    const double their_time = launch_by_activate();
    const double our_time = manager.launch();
    if (round < 0) continue;  // the first one finds files that nobody has read
    theirs.push_back(their_time);
    ours.push_back(our_time);
    ratios.push_back(our_time / their_time);
  }
  print_row(what.c_str(), median(theirs), median(ours), median(ours) / median(theirs), 1.1);
}

/// As many jobs as there may be descriptors for their names, 10,000 at most.
int many_jobs() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t room = limit.rlim_max > 200 ? limit.rlim_max - 200 : 0;
  return static_cast<int>(std::min<rlim_t>(room, 10'000));
}

void measure_idleness(const loaded_manager& manager, int jobs) {
  constexpr unsigned interval = 5;
  // What is done once a second at most, after a launch: how busy a service is, what it printed.
  ::sleep(2);
  const counts before = look_at(manager.pid());
  ::sleep(interval);
  const counts after = look_at(manager.pid());
  std::printf("context switches of xpcd in %u s with %d idle jobs: %lld (aim 0%s)\n", interval,
              jobs, after.switches - before.switches,
              after.switches == before.switches ? "" : ", missed");
}

void measure_memory(const loaded_manager& few, const loaded_manager& many, int jobs) {
  const double each =
      (look_at(many.pid()).pss_kib - look_at(few.pid()).pss_kib) / static_cast<double>(jobs - 1);
  std::printf("memory of xpcd (PSS) a job: %.2f KiB (aim 8.00%s); of the kernel: about %.2f KiB\n",
              each, each <= 8 ? "" : ", missed", many.kernel() / jobs);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--serve") == 0) return serve(argv[2]);
  if (argc == 3 && std::strcmp(argv[1], "--bus") == 0) return serve_on_bus(argv[2]);
  const int jobs = many_jobs();
  if (jobs < 10'000)
    std::printf("%d jobs instead of 10,000: the limit of descriptors (ulimit -Hn)\n", jobs);
  std::printf("%-40s %14s %14s %8s %8s\n", "job", "floor", "xpcd", "ratio", "aim");

  const loaded_manager few(1);
  const loaded_manager many(jobs);
  // Before anything is launched: only what the jobs themselves cost.
  const double start_few = few.started_in(), start_many = many.started_in();

  const std::string amount = std::to_string(jobs) + " jobs loaded";
  if (::access(activate, X_OK) == 0) {
    compare_launches("launch to first reply, 1 job loaded", few);
    compare_launches("launch to first reply, " + amount, many);
  } else {
    std::puts("launch to first reply: not compared, there is no systemd-socket-activate here");
  }
  compare_with_bus(few);

  constexpr int connections = 2'000;
  first_reply(many.socket(), false);
  std::vector<double> plain, ours;
  const directory where;
  for (int round = 0; round < 5; ++round) {
    plain.push_back(plain_connects(where.path() + "/s", connections) / connections);
    ours.push_back(connects(many.socket(), connections) / connections);
  }
  print_row("connect to a running service, first reply", median(plain), median(ours),
            median(ours) / median(plain), 0);

  std::printf("start of xpcd: %.1f ms with 1 job, %.0f ms with %d (%.0f us a job)\n",
              start_few * 1e3, start_many * 1e3, jobs, (start_many - start_few) * 1e6 / jobs);
  measure_memory(few, many, jobs);
  measure_idleness(many, jobs);
  return 0;
}
