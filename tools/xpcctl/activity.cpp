// xpcctl activity: an activity now, or its run put off.

#include <CLI/CLI.hpp>

#include <memory>

#include "manager.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

struct options {
  std::string label, identifier;
  bool defer = false;
};

int run(const settings& shared, const options& given) {
  settings here = shared;
  std::string label;
  if (int wrong = resolve_job(given.label, &here, &label)) return wrong;
  object_ref order = request(given.defer ? "defer-activity" : "run-activity");
  set(order, "label", label);
  set(order, "identifier", given.identifier);
  return carry_out(here, order);
}

}  // namespace

action add_activity(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<options>();
  command.add_flag("--defer", given->defer, "Ask the run that is under way to be put off");
  command.add_option("LABEL", given->label, "The job")->required();
  command.add_option("IDENTIFIER", given->identifier, "The activity, as print shows it")
      ->required();
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
