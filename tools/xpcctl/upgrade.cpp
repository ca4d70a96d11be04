// xpcctl upgrade: a job, or the service manager itself, goes to the new version of its program.

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "manager.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

struct options {
  std::vector<std::string> labels;
  bool force = false;
  bool manager = false;
  std::string program;
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

/// For people: what runs now, and what ran before.
void print_manager(xpc_object_t reply) {
  const std::string before = text_of(reply, "from-version"), now = text_of(reply, "version");
  std::printf("xpcd %lld: version %s%s, generation %lld\n",
              static_cast<long long>(number_of(reply, "pid")), now.c_str(),
              before.empty() ? " as before" : (" after version " + before).c_str(),
              static_cast<long long>(number_of(reply, "generation")));
}

int upgrade_manager(const settings& shared, const options& given) {
  object_ref order = request("upgrade-manager");
  if (!given.program.empty()) {
    std::error_code why;
    const std::filesystem::path path = std::filesystem::absolute(given.program, why);
    if (why) {
      std::fprintf(stderr, "xpcctl: %s: %s\n", given.program.c_str(), why.message().c_str());
      return EX_NOINPUT;
    }
    set(order, "program", path.string());
  }
  ::xpc_dictionary_set_bool(order.get(), "force", given.force);
  int status = EX_OK;
  object_ref reply = ask(shared, order, &status);
  if (!reply) return status;
  const bool refused = text_of(reply.get(), "result") == "refused";
  if (shared.json) {
    print_json(reply.get());
  } else if (!refused) {
    print_manager(reply.get());
  }
  if (!refused) return EX_OK;
  std::fprintf(stderr, "xpcctl: %s\n", text_of(reply.get(), "reason").c_str());
  return EX_UNAVAILABLE;
}

/// All are tried: one that stays as it was keeps no other one back.
int run(const settings& shared, const options& given) {
  if (given.manager) return upgrade_manager(shared, given);
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
  CLI::Option_group* which = command.add_option_group("What is upgraded");
  which->require_option(1);
  CLI::Option* manager =
      which->add_flag("-m,--manager", given->manager, "The service manager itself");
  which->add_option("LABEL", given->labels, "The jobs");
  command.add_option("--program", given->program, "The program that the manager becomes")
      ->needs(manager)
      ->type_name("FILE");
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
