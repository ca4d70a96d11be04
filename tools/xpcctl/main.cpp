#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "verbs.hpp"

namespace {

using namespace xpcctl;

/// All there is, in the order of --help.
constexpr verb verbs[] = {
    {"bootstrap", "Load job descriptions", add_bootstrap},
    {"bootout", "End jobs and forget them", add_bootout},
    {"lint", "Check job descriptions", add_lint},
    {"list", "List the jobs", add_list},
    {"print", "Show all that is known about a job", add_print},
    {"kickstart", "Start a job now", add_kickstart},
    {"upgrade", "Go to the new version of a job's program", add_upgrade},
    {"activity", "Run an activity of a job now", add_activity},
    {"publish", "Hand an event to the jobs that want it", add_publish},
    {"kill", "Send a signal to a job", add_kill},
    {"enable", "Let jobs be loaded again", add_enable},
    {"disable", "Let jobs not be loaded any more", add_disable},
    {"print-disabled", "List what was enabled and disabled", add_print_disabled},
    {"submit", "Run a program as a job, without a description", add_submit},
    {"remove", "The same as bootout", add_remove},
    {"setenv", "Set a variable for jobs that start from now on", add_setenv},
    {"unsetenv", "Take such a variable away", add_unsetenv},
    {"getenv", "Print such a variable", add_getenv},
    {"stats", "Show numbers about the domain", add_stats},
    {"why-not", "Say why a name cannot be reached", add_why_not},
    {"systemd-export", "Turn a job into units of systemd", add_systemd_export},
    {"call", "Send a message to a service and print its reply", add_call},
    {"decode", "Turn an encoded object into typed JSON", add_decode},
    {"encode", "Turn typed JSON into an encoded object", add_encode},
};

int run(int count, char** arguments) {
  CLI::App app("Looks at and steers the services of an XPC domain.", "xpcctl");
  app.set_version_flag("--version", "xpcctl (OpenXPC) " OPENXPC_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // the options below may stand behind the verb, too

  settings shared;
  app.add_option("--domain", shared.domain, "The domain's directory")->type_name("DIR");
  app.add_flag("--json", shared.json, "Print data as JSON");
  app.add_option("--request-id", shared.request_id, "Repeat a change without doing it twice")
      ->type_name("ID");
  app.footer(
      "Exit status: 0 done, 64 wrong usage, 65 malformed input, 66 no such file; see xpcctl(1).");

  int status = EX_OK;
  for (const verb& each : verbs) {
    CLI::App* command = app.add_subcommand(std::string(each.name), std::string(each.summary));
    action perform = each.add(*command, shared);
    command->final_callback([perform, &status] { status = perform(); });
  }
  try {
    app.parse(count, arguments);
  } catch (const CLI::Success& asked_for) {  // --help, --version
    return app.exit(asked_for);
  } catch (const CLI::ParseError& wrong) {
    std::string what = wrong.what();
    if (wrong.get_name() == "RequiredError" && app.get_subcommands().empty()) {
      const std::vector<std::string> rest = app.remaining();
      what = rest.empty() ? "a verb is required"
                          : rest.front() + ": there is no such " +
                                (rest.front().front() == '-' ? "option" : "verb");
    }
    std::fprintf(stderr,
                 "xpcctl: %s\nxpcctl --help lists the verbs, xpcctl VERB --help its options.\n",
                 what.c_str());
    return EX_USAGE;
  }
  // What was printed must have arrived: a full disk is no success.
  if (std::fflush(stdout) != 0) {
    std::perror("xpcctl: standard output");
    return EX_IOERR;
  }
  return status;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::bad_alloc&) {
    std::fputs("xpcctl: out of memory\n", stderr);
    return EX_OSERR;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "xpcctl: %s\n", problem.what());
    return EX_SOFTWARE;
  }
}
