// xpcctl why-not: what stands between a client and a name.

#include <xpc/openxpc/conversation.h>

#include <CLI/CLI.hpp>

#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "manager.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

/// The domains in which a client of this process looks, in that order.
std::vector<std::string> directories_of(const settings& shared) {
  if (!shared.domain.empty()) return {shared.domain};
  std::vector<std::string> all;
  for (enum openxpc_domain_kind kind : {OPENXPC_DOMAIN_AUTOMATIC, OPENXPC_DOMAIN_SYSTEM}) {
    xpc_rich_error_t error = nullptr;
    const std::unique_ptr<char, decltype(&std::free)> found(
        ::openxpc_domain_copy_directory(kind, &error), &std::free);
    if (!found) {
      report_error(error);
    } else if (all.empty() || all.front() != found.get()) {
      all.emplace_back(found.get());
    }
  }
  return all;
}

void add_step(const object_ref& steps, const char* is, const std::string& text) {
  object_ref step(::xpc_dictionary_create(nullptr, nullptr, 0));
  set(step, "is", is);
  set(step, "text", text);
  ::xpc_array_append_value(steps.get(), step.get());
}

/// What can be seen without asking. @return false when there is nobody to ask
bool look(const std::string& directory, const object_ref& steps) {
  const std::string control = directory + "/.control";
  if (::access(control.c_str(), W_OK) == 0) return true;
  if (errno == EACCES && ::access(control.c_str(), F_OK) == 0) {
    add_step(steps, "bad", "the service manager of " + directory + " answers its owner alone");
  } else if (errno == EACCES) {
    add_step(steps, "bad", "this process may not enter " + directory);
  } else {
    add_step(steps, "bad",
             "there is no service manager in " + directory + ": xpcd --domain " + directory +
                 " starts one");
  }
  return false;
}

/// @return the steps in one domain, and whether they lead to a service; empty, with the exit
/// status, when the service manager did not answer
object_ref explain(const settings& shared, const std::string& directory, const std::string& name,
                   int* status) {
  object_ref steps(::xpc_array_create(nullptr, 0));
  if (look(directory, steps)) {
    settings here = shared;
    here.domain = directory;
    object_ref order = request("why-not");
    set(order, "name", name);
    return ask(here, order, status);
  }
  object_ref result(::xpc_dictionary_create(nullptr, nullptr, 0));
  ::xpc_dictionary_set_value(result.get(), "steps", steps.get());
  ::xpc_dictionary_set_bool(result.get(), "reachable", false);
  return result;
}

void print(const std::string& directory, xpc_object_t result) {
  std::printf("in %s\n", directory.c_str());
  each(find(result, "steps"), [](xpc_object_t step) {
    std::printf("  %-5s %s\n", text_of(step, "is").c_str(), text_of(step, "text").c_str());
  });
}

int run(const settings& shared, const std::string& name) {
  object_ref all(::xpc_array_create(nullptr, 0));
  bool reachable = false;
  for (const std::string& directory : directories_of(shared)) {
    int status = EX_OK;
    object_ref result = explain(shared, directory, name, &status);
    if (!result) return status;
    reachable = ::xpc_dictionary_get_bool(result.get(), "reachable");
    if (shared.json) {
      object_ref one(::xpc_copy(result.get()));
      set(one, "directory", directory);
      ::xpc_array_append_value(all.get(), one.get());
    } else {
      print(directory, result.get());
    }
    if (reachable) break;
  }
  if (shared.json) print_json(all.get());
  return reachable ? EX_OK : EX_UNAVAILABLE;
}

}  // namespace

action add_why_not(CLI::App& command, const settings& shared) {
  auto name = std::make_shared<std::string>();
  command.add_option("NAME", *name, "The name of a service")->required();
  return [name, &shared] { return run(shared, *name); };
}

}  // namespace xpcctl
