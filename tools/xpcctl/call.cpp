// xpcctl call: one message to a service, its reply as JSON.

#include <xpc/openxpc/plist.h>

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <memory>

#include "manager.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

struct options {
  std::string service, message;
  double timeout_seconds = 30;
};

int run(const settings& shared, const options& given) {
  xpc_rich_error_t error = nullptr;
  object_ref message(
      ::openxpc_json_parse(given.message.data(), given.message.size(), "message", &error));
  if (!message) return report_input(xpc::failure::adopt_native(error));
  if (::openxpc_type_id(message.get()) != OPENXPC_TYPE_DICTIONARY) {
    std::fprintf(stderr, "xpcctl: call: a message is a JSON object, {\"key\": value}, not %s\n",
                 ::openxpc_type_name(::openxpc_type_id(message.get())));
    return EX_DATAERR;
  }
  openxpc_conversation_options_s where{};
  where.size = sizeof where;
  if (!shared.domain.empty()) where.domain_directory = shared.domain.c_str();
  object_ref session(::openxpc_session_open(given.service.c_str(), &where, &error));
  if (!session) return report_error(error);
  openxpc_call_options_s how{};
  how.size = sizeof how;
  how.timeout_ns = static_cast<std::uint64_t>(given.timeout_seconds * 1e9);
  openxpc_call_t call = ::openxpc_peer_call(session.get(), message.get(), &how);
  object_ref reply(::openxpc_call_wait(call, &error));
  ::openxpc_call_release(call);
  ::openxpc_peer_cancel(session.get(), nullptr);
  if (!reply) return report_error(error);
  print_json(reply.get());
  return EX_OK;
}

}  // namespace

action add_call(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<options>();
  command.add_option("--timeout", given->timeout_seconds, "How long to wait for the reply")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e9))
      ->capture_default_str();
  command.add_option("NAME", given->service, "The service")->required();
  command.add_option("JSON", given->message, "The message, e.g. '{\"op\": \"list\"}'")->required();
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
