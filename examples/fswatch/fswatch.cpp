#include <xpc/plist.hpp>
#include <xpc/xpc.hpp>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "check.hpp"
#include "lines.hpp"
#include "live.hpp"
#include "rows.hpp"

namespace {

using nanoseconds_time = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Seconds since 1970, "2026-01-02T03:04:05" (UTC), or "-90s", "-5m", "-2h" from now.
nanoseconds_time parse_time(const std::string& text) {
  auto now = std::chrono::system_clock::now();
  try {
    std::size_t used = 0;
    double number = std::stod(text, &used);
    std::string unit = text.substr(used);
    double scale = unit == "m" ? 60 : unit == "h" ? 3600 : 1;
    if (unit.empty() || unit == "s" || unit == "m" || unit == "h") {
      auto span = std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::duration<double>(number * scale));
      if (number < 0)
        return nanoseconds_time(
            std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()) + span);
      if (unit.empty()) return nanoseconds_time(span);
    }
  } catch (const std::logic_error&) {
  }
  std::tm parts{};
  std::istringstream in(text);
  if (in >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S"))
    return nanoseconds_time(std::chrono::seconds(::timegm(&parts)));
  throw CLI::ValidationError(
      "time", "\"" + text + "\" is no time: give seconds, 2026-01-02T03:04:05 or -5m");
}

int print_history(const xpc::connection& service, xpc::dictionary question, std::int64_t limit,
                  bool json) {
  std::int64_t after = 0;
  while (limit > 0) {
    question.set("after", after).set("limit", std::min<std::int64_t>(limit, 1000));
    auto reply = service.call(question).wait();
    if (!reply) return xpc::report(reply.error());
    auto rows = reply->get<std::vector<xpc::dictionary>>("rows");
    if (!rows) return xpc::report(rows.error());
    if (rows->empty()) break;
    for (const xpc::dictionary& row : *rows) {
      auto what = fswatch::from_row(row);
      if (!what) return xpc::report(what.error());
      std::cout << (json ? fswatch::json_line(*what) : fswatch::text_line(*what)) << '\n';
      after = what->id;
      --limit;
    }
  }
  return 0;
}

int print_status(const xpc::connection& service, bool json) {
  auto status = service.call({{"op", "status"}}).wait();
  if (!status) return xpc::report(status.error());
  if (json) {
    auto text = xpc::to_json(*status);
    if (!text) return xpc::report(text.error());
    std::cout << *text << '\n';
    return 0;
  }
  for (const auto& tree : status->get<std::vector<std::string>>("trees").value())
    std::cout << "watching " << tree << '\n';
  for (const char* key :
       {"read", "filtered", "stored", "sent", "waiting", "overflows", "database", "subscribers"})
    std::cout << std::left << std::setw(12) << key << status->get<std::int64_t>(key).value()
              << '\n';
  if (auto trouble = status->get<std::string>("trouble"))
    std::cout << "trouble     " << *trouble << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "fswatch: asks fswatchd what happens to files.\nExit status: 0, 1 when check disagrees, else "
      "as in sysexits.h."};
  app.require_subcommand(1);
  std::string domain, path, glob, since, until, stop_at;
  std::int64_t limit = 100;
  bool json = false, quiet = false;
  app.add_option("--domain", domain, "Directory of the domain that fswatchd is loaded in")
      ->type_name("DIR");
  auto* watch =
      app.add_subcommand("watch", "Watch a directory tree from now on, also after a restart");
  watch->add_option("path", path)->required();
  auto* unwatch = app.add_subcommand("unwatch", "Stop watching a tree");
  unwatch->add_option("path", path)->required();
  auto* past = app.add_subcommand("history", "What happened");
  past->add_option("--glob", glob, "Only paths that match; * crosses /");
  past->add_option("--since", since,
                   "From this time on: 2026-01-02T03:04:05 (UTC), seconds since 1970, or -5m");
  past->add_option("--until", until, "Up to this time");
  past->add_option("--limit", limit, "At most this many events")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  past->add_flag("--json", json, "One JSON object a line");
  auto* live =
      app.add_subcommand("live", "What happens now; shows rate, total and what was missed");
  live->add_option("--until", stop_at, "End behind the event for this path")->type_name("PATH");
  live->add_flag("--quiet", quiet, "Only the summary");
  live->add_flag("--json", json, "One JSON object a line");
  auto* status = app.add_subcommand("status", "What is watched, and the counts");
  status->add_flag("--json", json, "As JSON");
  auto* check = app.add_subcommand("check", "Compare a tree with what the history says of it");
  check->add_option("path", path)->required();
  CLI11_PARSE(app, argc, argv);

  auto service = xpc::connection::open("org.openxpc.fswatch", {.domain = {.directory = domain}});
  if (!service) return xpc::report(service.error());
  auto absolute = [&] { return std::filesystem::absolute(path).lexically_normal().string(); };
  auto tree = [&] {
    std::string name = absolute();
    while (name.size() > 1 && name.back() == '/') name.pop_back();
    return name;
  };

  if (*watch || *unwatch) {
    auto done = service
                    ->call({{"op", *watch ? "watch" : "unwatch"}, {"path", tree()}},
                           {.timeout = std::chrono::minutes(10)})
                    .wait();
    return done ? 0 : xpc::report(done.error());
  }
  if (*past) {
    xpc::dictionary question{{"op", "history"}};
    try {
      if (!glob.empty()) question.set("glob", glob);
      if (!since.empty()) question.set("since", parse_time(since));
      if (!until.empty()) question.set("until", parse_time(until));
    } catch (const CLI::Error& wrong) {
      return app.exit(wrong);
    }
    return print_history(*service, std::move(question), limit, json);
  }
  if (*live) {
    fswatch::live_options how{.json = json, .quiet = quiet, .until = {}};
    if (!stop_at.empty())
      how.until = std::filesystem::absolute(stop_at).lexically_normal().string();
    return fswatch::show_live(*service, how);
  }
  if (*status) return print_status(*service, json);
  return fswatch::check_tree(*service, tree());
}
