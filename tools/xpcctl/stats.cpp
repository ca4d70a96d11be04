// xpcctl stats: numbers about a domain.

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <memory>

#include "manager.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

int run(const settings& shared, const std::string& domain) {
  settings here = shared;
  std::string none;
  if (int wrong = resolve_domain(domain, &here, &none)) return wrong;
  int status = EX_OK;
  object_ref reply = ask(here, request("stats"), &status);
  if (!reply) return status;
  if (shared.json) {
    print_json(reply.get());
    return EX_OK;
  }
  for (const char* key :
       {"jobs", "names", "sockets", "starts", "descriptors", "descriptor-limit"}) {
    std::printf("%-20s %lld\n", key, static_cast<long long>(number_of(reply.get(), key)));
  }
  ::openxpc_dictionary_apply_f(find(reply.get(), "states"), nullptr,
                               [](void*, const char* key, std::size_t size, xpc_object_t count) {
                                 std::printf("%-20.*s %lld\n", static_cast<int>(size), key,
                                             static_cast<long long>(::xpc_int64_get_value(count)));
                                 return true;
                               });
  std::printf("%-20s %s\n", "up for", span(number_of(reply.get(), "up-ms")).c_str());
  return EX_OK;
}

}  // namespace

action add_stats(CLI::App& command, const settings& shared) {
  auto domain = std::make_shared<std::string>();
  command.add_option("DOMAIN", *domain, "system or user/UID");
  return [domain, &shared] { return run(shared, *domain); };
}

}  // namespace xpcctl
