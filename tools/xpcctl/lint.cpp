// xpcctl lint: what is wrong with job descriptions, without a service manager.

#include "job/bundle.hpp"
#include "job/read.hpp"

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "files.hpp"
#include "manager.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

using openxpc::job::finding;

/// What is found goes to the array, for --json, or to standard error. @return true for an error
bool tell(const object_ref& all, const settings& shared, const std::string& file,
          const finding& one) {
  const bool is_error = one.how == finding::weight::error;
  if (!shared.json) {
    std::fprintf(stderr, "%s%s\n",
                 is_error ? "" : "warning: ", openxpc::job::describe(one, file).c_str());
    return is_error;
  }
  object_ref entry(::xpc_dictionary_create(nullptr, nullptr, 0));
  set(entry, "file", file);
  set(entry, "severity", is_error ? "error" : "warning");
  if (one.line != 0) ::xpc_dictionary_set_int64(entry.get(), "line", one.line);
  if (!one.key.empty()) set(entry, "key", one.key);
  set(entry, "text", one.text);
  ::xpc_array_append_value(all.get(), entry.get());
  return is_error;
}

struct wanted {
  std::vector<std::string> files;
  bool system = false;
};

int run(const settings& shared, const wanted& what) {
  object_ref all(::xpc_array_create(nullptr, 0));
  int status = EX_OK;
  const std::optional<openxpc::job::domain_kind> domain =
      what.system ? std::optional(openxpc::job::domain_kind::system) : std::nullopt;
  for (const std::string& path : what.files) {
    std::string text;
    if (int failed = read_input(path, text)) return failed;
    const std::string file = name_of_input(path);
    auto findings = openxpc::job::looks_like_bundle(text)
                        ? openxpc::job::inspect_bundle(text, file)
                        : openxpc::job::inspect(text, file, domain);
    if (!findings) {
      // The reason begins with the file and the place.
      if (shared.json) {
        finding broken;
        broken.text = findings.error().text;
        tell(all, shared, file, broken);
      } else {
        std::fprintf(stderr, "%s\n", findings.error().text.c_str());
      }
      status = EX_DATAERR;
      continue;
    }
    for (const finding& one : *findings) {
      if (tell(all, shared, file, one)) status = EX_DATAERR;
    }
  }
  if (shared.json) print_json(all.get());
  return status;
}

}  // namespace

action add_lint(CLI::App& command, const settings& shared) {
  auto what = std::make_shared<wanted>();
  command
      .add_option("FILE", what->files,
                  "Job descriptions, or Info.plists of bundles; - is standard input")
      ->required();
  command.add_flag("--system", what->system,
                   "Also say what keeps them out of the domain of the whole machine");
  return [what, &shared] { return run(shared, *what); };
}

}  // namespace xpcctl
