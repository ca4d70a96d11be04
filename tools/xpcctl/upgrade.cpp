// xpcctl upgrade: a job goes to the new version of its program.

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
  std::vector<std::string> labels;
  bool force = false;
};

int upgrade_one(const settings& shared, const std::string& given, bool force) {
  settings here = shared;
  std::string label;
  if (int wrong = resolve_job(given, &here, &label)) return wrong;
  object_ref order = request("upgrade");
  set(order, "label", label);
  ::xpc_dictionary_set_bool(order.get(), "force", force);
  int status = EX_OK;
  object_ref reply = ask(here, order, &status);
  if (!reply) return status;
  if (shared.json) print_json(reply.get());
  if (text_of(reply.get(), "result") != "rolled-back") return EX_OK;
  std::fprintf(stderr, "xpcctl: %s\n", text_of(reply.get(), "reason").c_str());
  return EX_UNAVAILABLE;
}

/// All are tried: one that stays as it was keeps no other one back.
int run(const settings& shared, const options& given) {
  int result = EX_OK;
  for (const std::string& label : given.labels) {
    const int status = upgrade_one(shared, label, given.force);
    if (result == EX_OK) result = status;
  }
  return result;
}

}  // namespace

action add_upgrade(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<options>();
  command.add_flag("-f,--force", given->force, "Even if the program's file is the one that runs");
  command.add_option("LABEL", given->labels, "The jobs")->required();
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
