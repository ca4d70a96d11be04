// xpcctl submit: a program as a job, described by the command line.

#include <xpc/openxpc/plist.h>

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "manager.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

struct options {
  std::string label, program, out, error;
  std::vector<std::string> arguments;
};

/// Kept alive while it fails, as launchctl's submit does.
object_ref description_of(const options& given) {
  object_ref job(::xpc_dictionary_create(nullptr, nullptr, 0));
  set(job, "Label", given.label);
  if (!given.program.empty()) set(job, "Program", given.program);
  object_ref arguments(::xpc_array_create(nullptr, 0));
  for (const std::string& one : given.arguments) {
    ::xpc_array_set_string(arguments.get(), XPC_ARRAY_APPEND, one.c_str());
  }
  ::xpc_dictionary_set_value(job.get(), "ProgramArguments", arguments.get());
  if (!given.out.empty()) set(job, "StandardOutPath", given.out);
  if (!given.error.empty()) set(job, "StandardErrorPath", given.error);
  object_ref keep(::xpc_dictionary_create(nullptr, nullptr, 0));
  ::xpc_dictionary_set_bool(keep.get(), "SuccessfulExit", false);
  ::xpc_dictionary_set_value(job.get(), "KeepAlive", keep.get());
  return job;
}

int run(const settings& shared, const options& given) {
  object_ref job = description_of(given);
  xpc_rich_error_t error = nullptr;
  std::size_t size = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      ::openxpc_plist_write_xml(job.get(), &size, &error), &std::free);
  if (!text) return report_error(error);
  object_ref order = request("bootstrap");
  set(order, "origin", "command line");
  ::xpc_dictionary_set_data(order.get(), "plist", text.get(), size);
  return carry_out(shared, order);
}

}  // namespace

action add_submit(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<options>();
  command.add_option("-l,--label", given->label, "The name of the job")->required();
  command.add_option("-p,--program", given->program,
                     "The program; without it the first of the arguments");
  command.add_option("-o,--stdout", given->out, "A file for standard output");
  command.add_option("-e,--stderr", given->error, "A file for standard error");
  command.add_option("ARGUMENT", given->arguments, "Its arguments, its name first, behind --")
      ->required();
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
