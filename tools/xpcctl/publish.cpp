// xpcctl publish: an event into a stream, and who wants which.

#include <xpc/openxpc/plist.h>

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <memory>

#include "manager.hpp"
#include "report.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

struct options {
  std::string stream, name, event = "{}";
  bool list = false;
};

int list(const settings& shared, const std::string& stream) {
  object_ref order = request("subscribers");
  set(order, "stream", stream);
  int status = EX_OK;
  object_ref reply = ask(shared, order, &status);
  if (!reply) return status;
  if (shared.json) {
    print_json(reply.get());
    return EX_OK;
  }
  std::printf("%-24s LABEL\n", "NAME");
  each(find(reply.get(), "subscribers"), [](xpc_object_t one) {
    std::printf("%-24s %s\n", text_of(one, "name").c_str(), text_of(one, "label").c_str());
  });
  return EX_OK;
}

int run(const settings& shared, const options& given) {
  if (given.list) return list(shared, given.stream);
  if (given.name.empty()) {
    std::fprintf(stderr, "xpcctl: publish: the name of the event is missing\n");
    return EX_USAGE;
  }
  xpc_rich_error_t error = nullptr;
  object_ref event(::openxpc_json_parse(given.event.data(), given.event.size(), "event", &error));
  if (!event) return report_input(xpc::failure::adopt_native(error));
  if (::openxpc_type_id(event.get()) != OPENXPC_TYPE_DICTIONARY) {
    std::fprintf(stderr, "xpcctl: publish: an event is a JSON object, {\"key\": value}, not %s\n",
                 ::openxpc_type_name(::openxpc_type_id(event.get())));
    return EX_DATAERR;
  }
  object_ref order = request("publish");
  set(order, "stream", given.stream);
  set(order, "name", given.name);
  ::xpc_dictionary_set_value(order.get(), "event", event.get());
  return carry_out(shared, order);
}

}  // namespace

action add_publish(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<options>();
  command.add_flag("--list", given->list, "Show which jobs want events of the stream instead");
  command.add_option("STREAM", given->stream, "The stream, e.g. org.example.usb")->required();
  command.add_option("NAME", given->name, "The name that jobs gave the event");
  command.add_option("JSON", given->event, "What is in the event, e.g. '{\"device\": 7}'");
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
