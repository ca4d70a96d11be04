#include <xpc/xpc.hpp>

#include <CLI/CLI.hpp>

#include <iostream>

#include "service.hpp"

int main(int argc, char** argv) {
  CLI::App app{
      "fswatchd: watches directory trees, keeps what happened and streams it. Launched by the "
      "service manager."};
  std::string database, rules_file;
  app.add_option("--database", database, "Where the history is kept (SQLite)")->required();
  app.add_option("--rules", rules_file,
                 "Property list with Include, Exclude and Kinds; without it everything counts");
  CLI11_PARSE(app, argc, argv);

  fswatch::rules rules;
  if (!rules_file.empty()) {
    auto loaded = fswatch::rules::load(rules_file);
    if (!loaded) return xpc::report(loaded.error());
    rules = *std::move(loaded);
  }
  auto past = fswatch::history::open(database);
  if (!past) return xpc::report(past.error());
  fswatch::service here(std::move(rules), *std::move(past));
  if (auto resumed = here.resume(); !resumed) return xpc::report(resumed.error());

  return xpc::serve(
      "org.openxpc.fswatch",
      {
          .on_request = [&](const xpc::dictionary& question) { return here.answer(question); },
          .on_subscribe = [&](xpc::subscription who) { here.subscribe(std::move(who)); },
      });
}
