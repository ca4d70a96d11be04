// xpcctl setenv, unsetenv, getenv: variables of the domain.

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <memory>

#include "manager.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

struct options {
  std::string name, value;
};

int change(const settings& shared, const char* op, const options& given, bool has_value) {
  object_ref order = request(op);
  set(order, "name", given.name);
  if (has_value) set(order, "value", given.value);
  int status = EX_OK;
  object_ref reply = ask(shared, order, &status);
  return reply ? EX_OK : status;
}

int print(const settings& shared, const std::string& name) {
  object_ref order = request("getenv");
  set(order, "name", name);
  int status = EX_OK;
  object_ref reply = ask(shared, order, &status);
  if (!reply) return status;
  if (shared.json) {
    print_json(reply.get());
  } else if (has(reply.get(), "value")) {
    std::printf("%s\n", text_of(reply.get(), "value").c_str());
  }
  return EX_OK;
}

}  // namespace

action add_setenv(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<options>();
  command.add_option("NAME", given->name, "The variable")->required();
  command.add_option("VALUE", given->value, "Its value")->required();
  return [given, &shared] { return change(shared, "setenv", *given, true); };
}

action add_unsetenv(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<options>();
  command.add_option("NAME", given->name, "The variable")->required();
  return [given, &shared] { return change(shared, "unsetenv", *given, false); };
}

action add_getenv(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<options>();
  command.add_option("NAME", given->name, "The variable")->required();
  return [given, &shared] { return print(shared, given->name); };
}

}  // namespace xpcctl
