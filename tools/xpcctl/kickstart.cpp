// xpcctl kickstart: a job now, throttled or failed or not.

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <memory>

#include "manager.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

struct options {
  std::string label;
  bool restart = false, tell_pid = false;
};

int run(const settings& shared, const options& given) {
  settings here = shared;
  std::string label;
  if (int wrong = resolve_job(given.label, &here, &label)) return wrong;
  object_ref order = request("kickstart");
  address(order, here, label);
  ::xpc_dictionary_set_bool(order.get(), "kill", given.restart);
  int status = EX_OK;
  object_ref reply = ask(here, order, &status);
  if (!reply) return status;
  if (shared.json) {
    print_json(reply.get());
  } else if (given.tell_pid) {
    std::printf("%lld\n", static_cast<long long>(number_of(reply.get(), "pid")));
  }
  return EX_OK;
}

}  // namespace

action add_kickstart(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<options>();
  command.add_flag("-k,--kill", given->restart, "End the process first if it runs");
  command.add_flag("-p,--pid", given->tell_pid, "Print the process id");
  command.add_option("LABEL", given->label, "The job")->required();
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
