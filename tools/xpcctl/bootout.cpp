// xpcctl bootout: jobs out of the service manager, their processes ended.

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <memory>

#include "manager.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

int run(const settings& shared, const std::vector<std::string>& labels) {
  for (const std::string& given : labels) {
    settings here = shared;
    std::string label;
    if (int wrong = resolve_job(given, &here, &label)) return wrong;
    object_ref order = request("bootout");
    set(order, "label", label);
    int status = EX_OK;
    object_ref reply = ask(here, order, &status);
    if (!reply) return status;
    if (shared.json) print_json(reply.get());
  }
  return EX_OK;
}

}  // namespace

action add_bootout(CLI::App& command, const settings& shared) {
  auto labels = std::make_shared<std::vector<std::string>>();
  command.add_option("LABEL", *labels, "The jobs")->required();
  return [labels, &shared] { return run(shared, *labels); };
}

action add_remove(CLI::App& command, const settings& shared) {
  return add_bootout(command, shared);
}

}  // namespace xpcctl
