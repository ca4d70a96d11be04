// xpcctl systemd-export: a job in the words of systemd.

#include <CLI/CLI.hpp>

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "files.hpp"
#include "manager.hpp"
#include "target.hpp"
#include "units.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

using openxpc::outcome;
using openxpc::job::reading;

struct arguments {
  std::string what, directory;
  bool user = false, system = false;
  int watchdog = 60;
};

int complain(int status, const std::string& text) {
  std::fprintf(stderr, "xpcctl: %s\n", text.c_str());
  return status;
}

/// The description of a loaded job, as its xpcd has it.
object_ref description_of(const settings& shared, const std::string& given, int* status) {
  settings here = shared;
  std::string label;
  if ((*status = resolve_job(given, &here, &label)) != EX_OK) return nullptr;
  object_ref order = request("description");
  set(order, "label", label);
  object_ref reply = ask(here, order, status);
  if (!reply) return nullptr;
  xpc_object_t found = find(reply.get(), "description");
  return object_ref(found == nullptr ? nullptr : ::xpc_retain(found));
}

outcome<reading> read_job(const settings& shared, const std::string& given, int* status) {
  if (given == "-" || ::access(given.c_str(), F_OK) == 0) {
    std::string text;
    if ((*status = read_input(given, text)) != EX_OK) return openxpc::trouble{};
    outcome<reading> result = openxpc::job::read(text, name_of_input(given));
    if (!result) {
      std::fprintf(stderr, "%s\n", result.error().text.c_str());
      *status = EX_DATAERR;
    }
    return result;
  }
  object_ref found = description_of(shared, given, status);
  if (!found) return openxpc::trouble{};
  outcome<reading> result = openxpc::job::read(openxpc::object_ref(found.release()), given);
  if (!result) *status = complain(EX_SOFTWARE, result.error().text);
  return result;
}

/// Beside its place and renamed: systemd never reads half a unit.
int write_unit(const std::string& directory, const std::string& name, const std::string& text) {
  const std::string path = directory + "/" + name, unfinished = directory + "/." + name + ".new";
  const int file =
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  bool good =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  good =
      (file < 0 || ::close(file) == 0) && good && ::rename(unfinished.c_str(), path.c_str()) == 0;
  if (good) return EX_OK;
  const int error = errno;
  ::unlink(unfinished.c_str());
  return complain(EX_CANTCREAT, path + ": " + std::strerror(error));
}

void print_units(const settings& shared, const exported_units& all) {
  if (shared.json) {
    object_ref units(::xpc_dictionary_create(nullptr, nullptr, 0));
    for (const auto& [name, text] : all.files) set(units, name.c_str(), text);
    object_ref warnings(::xpc_array_create(nullptr, 0));
    for (const std::string& text : all.warnings) {
      ::xpc_array_set_string(warnings.get(), XPC_ARRAY_APPEND, text.c_str());
    }
    object_ref result(::xpc_dictionary_create(nullptr, nullptr, 0));
    ::xpc_dictionary_set_value(result.get(), "units", units.get());
    ::xpc_dictionary_set_value(result.get(), "warnings", warnings.get());
    return print_json(result.get());
  }
  const char* between = "";
  for (const auto& [name, text] : all.files) {
    std::printf("%s# %s\n%s", between, name.c_str(), text.c_str());
    between = "\n";
  }
}

int run(const settings& shared, const arguments& given) {
  int status = EX_OK;
  outcome<reading> job = read_job(shared, given.what, &status);
  if (!job) return status;
  unit_options how;
  how.system = given.system || (!given.user && ::geteuid() == 0);
  how.watchdog = std::chrono::seconds(given.watchdog);
  const exported_units all = export_units(*job, how);
  if (!shared.json) {
    for (const std::string& text : all.warnings)
      std::fprintf(stderr, "warning: %s\n", text.c_str());
  }
  if (given.directory.empty()) {
    print_units(shared, all);
    return EX_OK;
  }
  for (const auto& [name, text] : all.files) {
    if (int failed = write_unit(given.directory, name, text)) return failed;
    if (!shared.json) std::printf("%s/%s\n", given.directory.c_str(), name.c_str());
  }
  if (shared.json) print_units(shared, all);
  return EX_OK;
}

}  // namespace

action add_systemd_export(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<arguments>();
  command.add_option("JOB", given->what, "A job description, or the label of a loaded job")
      ->required();
  command.add_option("--output", given->directory, "Write the units into this directory")
      ->type_name("DIR");
  auto* user = command.add_flag("--user", given->user, "Units for the manager of a user");
  command.add_flag("--system", given->system, "Units for the manager of the system")
      ->excludes(user);
  command.add_option("--watchdog", given->watchdog, "Seconds between signs of life, 0 for none")
      ->check(CLI::Range(0, 86400));
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
