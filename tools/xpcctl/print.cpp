// xpcctl print: all that is known about a job.

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <memory>
#include <sstream>
#include <string>

#include "manager.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

void line(const char* what, const std::string& value) {
  if (!value.empty()) std::printf("  %-20s %s\n", what, value.c_str());
}

std::string joined(xpc_object_t array) {
  std::string all;
  each(array, [&](xpc_object_t one) {
    const char* text = ::xpc_string_get_string_ptr(one);
    all += (all.empty() ? "" : " ") + std::string(text ? text : "");
  });
  return all;
}

void print_activity(xpc_object_t activity) {
  std::string text = text_of(activity, "identifier") + ", " + text_of(activity, "state");
  if (has(activity, "due-ms")) text += ", due in " + span(number_of(activity, "due-ms"));
  if (has(activity, "interval-s"))
    text += ", every " + span(1000 * number_of(activity, "interval-s"));
  text += ", " + std::to_string(number_of(activity, "runs")) + " runs";
  if (number_of(activity, "deferrals") != 0)
    text += ", " + std::to_string(number_of(activity, "deferrals")) + " deferred";
  line("activity", text);
  const std::string ignored = joined(find(activity, "not-evaluated"));
  if (!ignored.empty()) line("", "not evaluated: " + ignored);
  const std::string lost = text_of(activity, "not-kept");
  if (!lost.empty()) line("", "does not outlast xpcd: " + lost);
}

void print_job(xpc_object_t job) {
  std::printf("%s\n", text_of(job, "label").c_str());
  line("state", text_of(job, "state"));
  line("reason", text_of(job, "reason"));
  if (has(job, "timer-ms")) line("state ends in", span(number_of(job, "timer-ms")));
  if (has(job, "pid")) {
    line("pid", std::to_string(number_of(job, "pid")) + ", for " +
                    span(number_of(job, "runs-for-ms")) +
                    (::xpc_dictionary_get_bool(job, "checked-in") ? ", checked in" : ""));
  }
  if (has(job, "transactions"))
    line("transactions", std::to_string(number_of(job, "transactions")));
  line("cgroup", text_of(job, "cgroup"));
  line("program", text_of(job, "program"));
  line("arguments", joined(find(job, "arguments")));
  line("from", text_of(job, "origin"));
  if (::xpc_dictionary_get_bool(job, "any-peer")) {
    line("peers", "anybody, by bootstrap --allow-any-peer");
  }
  line("hardened", ::xpc_dictionary_get_bool(job, "hardened") ? "yes" : "");
  line("root directory", text_of(job, "root-directory"));
  line("directory", text_of(job, "working-directory"));
  line("standard output", text_of(job, "stdout-path"));
  line("standard error", text_of(job, "stderr-path"));
  line("keep alive", ::xpc_dictionary_get_bool(job, "keep-alive") ? "yes" : "");
  if (has(job, "start-interval-s")) {
    line("start interval", span(1000 * number_of(job, "start-interval-s")));
  }
  if (has(job, "next-start-ms")) line("next start in", span(number_of(job, "next-start-ms")));
  line("start on mount", ::xpc_dictionary_get_bool(job, "start-on-mount") ? "yes" : "");
  line("only once", ::xpc_dictionary_get_bool(job, "launch-only-once") ? "yes" : "");
  line("sessions", joined(find(job, "session-types")));
  line("bundles", joined(find(job, "associated-bundles")));
  line("watched paths", joined(find(job, "watch-paths")));
  line("queues", joined(find(job, "queue-directories")));
  line("starts", std::to_string(number_of(job, "starts")));
  if (number_of(job, "quick-failures") != 0) {
    line("quick failures", std::to_string(number_of(job, "quick-failures")));
  }
  if (xpc_object_t last = find(job, "last-exit")) {
    line("last exit", text_of(last, "text") + ", " + span(number_of(last, "ago-ms")) +
                          " ago, after " + span(number_of(last, "lasted-ms")));
  }
  each(find(job, "names"), [](xpc_object_t name) {
    line("name",
         text_of(name, "name") + ", " + std::to_string(number_of(name, "waiting")) +
             " connections waiting" +
             (::xpc_dictionary_get_bool(name, "hidden") ? ", hidden until it checks in" : ""));
  });
  each(find(job, "sockets"), [](xpc_object_t socket) {
    line("socket", text_of(socket, "name") + ", " + text_of(socket, "address"));
  });
  each(find(job, "activities"), print_activity);
  each(find(job, "events"), [](xpc_object_t event) {
    const std::string trouble = text_of(event, "trouble"), path = text_of(event, "path");
    line("event", text_of(event, "name") + " of " + text_of(event, "stream") +
                      (path.empty() ? "" : ", " + path) +
                      (trouble.empty() ? "" : ", not watched: " + trouble));
  });
  if (number_of(job, "events-waiting") != 0) {
    line("events waiting", std::to_string(number_of(job, "events-waiting")));
  }
  xpc_object_t words = find(job, "stderr");
  if (words != nullptr && ::xpc_array_get_count(words) != 0) {
    std::printf("  last lines of standard error\n");
    each(words,
         [](xpc_object_t text) { std::printf("    %s\n", ::xpc_string_get_string_ptr(text)); });
  }
}

/// A description that was not loaded.
void print_refused(xpc_object_t file) {
  std::printf("%s\n", text_of(file, "origin").c_str());
  line("state", text_of(file, "state"));
  std::istringstream reasons(text_of(file, "reason"));
  for (std::string reason; std::getline(reasons, reason);) line("reason", reason);
  line("declared label", text_of(file, "declared-label"));
  line("declared names", ::xpc_dictionary_get_bool(file, "names-known")
                             ? joined(find(file, "names"))
                             : "cannot be read");
}

int run(const settings& shared, const std::string& given) {
  settings here = shared;
  std::string label;
  if (int wrong = resolve(given, &here, &label)) return wrong;
  object_ref order = request("print");
  address(order, here, label);
  int status = EX_OK;
  object_ref reply = ask(here, order, &status);
  if (!reply) return status;
  xpc_object_t job = find(reply.get(), "job");
  if (shared.json) {
    print_json(job ? job : reply.get());
  } else if (job != nullptr) {
    print_job(job);
  } else if (here.application != 0) {
    std::printf("pid/%lld, a process of %s\n", static_cast<long long>(here.application),
                has(reply.get(), "program") ? text_of(reply.get(), "program").c_str()
                                            : "a program that has asked for no service");
    each(find(reply.get(), "jobs"), print_job);
  } else {
    std::printf("domain %s, served by process %lld\n", text_of(reply.get(), "directory").c_str(),
                static_cast<long long>(number_of(reply.get(), "pid")));
    each(find(reply.get(), "jobs"), print_job);
    each(find(reply.get(), "refused"), print_refused);
  }
  return EX_OK;
}

}  // namespace

action add_print(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<std::string>();
  command.add_option("LABEL", *given,
                     "A job, by its label or one of its names, or a target; nothing: all");
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
