// xpcctl list: all jobs, a line each.

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>

#include "manager.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

/// As launchctl's: process, last exit (a signal as a negative number), label; and the state.
int run(const settings& shared) {
  int status = EX_OK;
  object_ref reply = ask(shared, request("list"), &status);
  if (!reply) return status;
  if (shared.json) {
    print_json(find(reply.get(), "jobs"));
    return EX_OK;
  }
  std::printf("%-8s %-6s %-10s %s\n", "PID", "STATUS", "STATE", "LABEL");
  each(find(reply.get(), "jobs"), [](xpc_object_t job) {
    const std::string pid = has(job, "pid") ? std::to_string(number_of(job, "pid")) : "-";
    std::string last_status = "-";
    if (xpc_object_t last = find(job, "last-exit")) {
      last_status = has(last, "status")   ? std::to_string(number_of(last, "status"))
                    : has(last, "signal") ? std::to_string(-number_of(last, "signal"))
                                          : "?";
    }
    std::printf("%-8s %-6s %-10s %s\n", pid.c_str(), last_status.c_str(),
                text_of(job, "state").c_str(), text_of(job, "label").c_str());
  });
  return EX_OK;
}

}  // namespace

action add_list(CLI::App&, const settings& shared) {
  return [&shared] { return run(shared); };
}

}  // namespace xpcctl
