// xpcctl enable, disable, print-disabled: which jobs may be loaded.

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <memory>

#include "each_job.hpp"
#include "manager.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

int print(const settings& shared, const std::string& domain) {
  settings here = shared;
  std::string none;
  if (!domain.empty() && !is_domain(domain)) {
    std::fprintf(stderr, "xpcctl: %s: is no domain\n", domain.c_str());
    return EX_USAGE;
  }
  if (int wrong = resolve_domain(domain, &here, &none)) return wrong;
  int status = EX_OK;
  object_ref reply = ask(here, request("print-disabled"), &status);
  if (!reply) return status;
  xpc_object_t all = find(reply.get(), "disabled");
  if (shared.json) {
    print_json(all);
    return EX_OK;
  }
  ::openxpc_dictionary_apply_f(
      all, nullptr, [](void*, const char* key, std::size_t size, xpc_object_t flag) {
        std::printf("%-10s %.*s\n", ::xpc_bool_get_value(flag) ? "disabled" : "enabled",
                    static_cast<int>(size), key);
        return true;
      });
  return EX_OK;
}

}  // namespace

action add_enable(CLI::App& command, const settings& shared) {
  return add_each_job(command, shared, "enable");
}

action add_disable(CLI::App& command, const settings& shared) {
  return add_each_job(command, shared, "disable");
}

action add_print_disabled(CLI::App& command, const settings& shared) {
  auto domain = std::make_shared<std::string>();
  command.add_option("DOMAIN", *domain, "system or user/UID");
  return [domain, &shared] { return print(shared, *domain); };
}

}  // namespace xpcctl
