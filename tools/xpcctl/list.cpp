// xpcctl list: all jobs, a line each.

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <memory>

#include "manager.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

/// As launchctl's: process, last exit (a signal as a negative number), label; and the state. Below
/// the jobs the files that were not loaded.
int run(const settings& shared, const std::string& given) {
  settings here = shared;
  std::string label;
  if (!given.empty()) {
    if (int wrong = resolve(given, &here, &label)) return wrong;
    if (!label.empty()) {
      std::fprintf(stderr, "xpcctl: %s: is no domain; xpcctl print shows a job\n", given.c_str());
      return EX_USAGE;
    }
  }
  object_ref order = request("list");
  address(order, here, label);
  int status = EX_OK;
  object_ref reply = ask(here, order, &status);
  if (!reply) return status;
  xpc_object_t refused = find(reply.get(), "refused");
  if (shared.json) {
    xpc_object_t jobs = find(reply.get(), "jobs");
    each(refused, [&](xpc_object_t file) { ::xpc_array_append_value(jobs, file); });
    print_json(jobs);
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
  each(refused, [](xpc_object_t file) {
    std::printf("%-8s %-6s %-10s %s\n", "-", "-", text_of(file, "state").c_str(),
                text_of(file, "origin").c_str());
  });
  return EX_OK;
}

}  // namespace

action add_list(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<std::string>();
  command.add_option("DOMAIN", *given,
                     "system, user/UID, or pid/PID for the services of a process");
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
