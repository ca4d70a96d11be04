#include "each_job.hpp"

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <memory>

#include "manager.hpp"
#include "target.hpp"

namespace xpcctl {
namespace {

int run(const settings& shared, const char* op, const std::vector<std::string>& labels) {
  for (const std::string& given : labels) {
    settings here = shared;
    std::string label;
    if (int wrong = resolve_job(given, &here, &label)) return wrong;
    object_ref order = request(op);
    address(order, here, label);
    int status = EX_OK;
    object_ref reply = ask(here, order, &status);
    if (!reply) return status;
    if (has(reply.get(), "was-loaded") && !::xpc_dictionary_get_bool(reply.get(), "was-loaded"))
      std::fprintf(stderr, "xpcctl: nothing is loaded as %s\n", given.c_str());
    if (shared.json) print_json(reply.get());
  }
  return EX_OK;
}

}  // namespace

action add_each_job(CLI::App& command, const settings& shared, const char* op) {
  auto labels = std::make_shared<std::vector<std::string>>();
  command.add_option("LABEL", *labels, "The jobs")->required();
  return [labels, op, &shared] { return run(shared, op, *labels); };
}

}  // namespace xpcctl
