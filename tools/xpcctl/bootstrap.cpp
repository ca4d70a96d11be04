// xpcctl bootstrap: job descriptions into the service manager.

#include "job/descriptions.hpp"

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "files.hpp"
#include "manager.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

/// The service manager may live in another directory: it is told the whole path.
std::string whole_path(const std::string& path) {
  if (path == "-") return name_of_input(path);
  std::unique_ptr<char, decltype(&std::free)> whole(::realpath(path.c_str(), nullptr), &std::free);
  return whole ? std::string(whole.get()) : path;
}

struct wanted {
  std::vector<std::string> files;
  bool any_peer = false;
};

int load(const settings& shared, const wanted& what, const std::string& path) {
  std::string text;
  if (int status = read_input(path, text)) return status;
  object_ref order = request("bootstrap");
  set(order, "origin", whole_path(path));
  ::xpc_dictionary_set_data(order.get(), "plist", text.data(), text.size());
  if (what.any_peer) ::xpc_dictionary_set_bool(order.get(), "allow-any-peer", true);
  int status = EX_OK;
  object_ref reply = ask(shared, order, &status);
  if (!reply) return status;
  each(find(reply.get(), "warnings"), [](xpc_object_t line) {
    std::fprintf(stderr, "xpcctl: warning: %s\n", ::xpc_string_get_string_ptr(line));
  });
  if (shared.json) print_json(reply.get());
  return EX_OK;
}

/// What is wrong with one keeps no other from being loaded. @return the first failure
int load_all(const settings& shared, const wanted& what, const std::string& directory) {
  const openxpc::outcome<std::vector<std::string>> names = openxpc::job::descriptions_in(directory);
  if (!names) {
    std::fprintf(stderr, "xpcctl: %s\n", names.error().text.c_str());
    return EX_NOINPUT;
  }
  int first = EX_OK;
  for (const std::string& name : *names) {
    const int status = load(shared, what, directory + "/" + name);
    if (first == EX_OK) first = status;
  }
  return first;
}

int run(const settings& given, const wanted& what) {
  std::vector<std::string> files = what.files;
  settings shared = given;
  // As launchctl: the domain may stand in front of the files.
  if (files.size() > 1 && is_domain(files.front())) {
    std::string none;
    if (int wrong = resolve_domain(files.front(), &shared, &none)) return wrong;
    files.erase(files.begin());
  }
  for (const std::string& path : files) {
    std::error_code wrong;
    const bool is_many = std::filesystem::is_directory(path, wrong);
    if (int status = is_many ? load_all(shared, what, path) : load(shared, what, path))
      return status;
  }
  return EX_OK;
}

}  // namespace

action add_bootstrap(CLI::App& command, const settings& shared) {
  auto what = std::make_shared<wanted>();
  command
      .add_option(
          "FILE", what->files,
          "Job descriptions or directories of them, perhaps behind a domain; - is standard input")
      ->required();
  command.add_flag("--allow-any-peer", what->any_peer,
                   "In the system domain: let anybody speak to names that do not say who may");
  return [what, &shared] { return run(shared, *what); };
}

}  // namespace xpcctl
