// xpcctl kill: a signal to a job's process.

#include <CLI/CLI.hpp>

#include <signal.h>
#include <sysexits.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

#include "manager.hpp"
#include "target.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

/// "9", "KILL", "SIGKILL", "kill" to 9; -1 for what is no signal.
int signal_of(std::string name) {
  int number = -1;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size()) {
    return number >= 0 && number < NSIG ? number : -1;
  }
  for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  if (name.compare(0, 3, "SIG") == 0) name.erase(0, 3);
  for (int one = 1; one < NSIG; ++one) {
    const char* abbreviation = ::sigabbrev_np(one);
    if (abbreviation != nullptr && name == abbreviation) return one;
  }
  return -1;
}

struct options {
  std::string signal, label;
};

int run(const settings& shared, const options& given) {
  const int signal = signal_of(given.signal);
  if (signal < 0) {
    std::fprintf(stderr, "xpcctl: kill: %s is no signal\n", given.signal.c_str());
    return EX_USAGE;
  }
  settings here = shared;
  std::string label;
  if (int wrong = resolve_job(given.label, &here, &label)) return wrong;
  object_ref order = request("kill");
  address(order, here, label);
  ::xpc_dictionary_set_int64(order.get(), "signal", signal);
  return carry_out(here, order);
}

}  // namespace

action add_kill(CLI::App& command, const settings& shared) {
  auto given = std::make_shared<options>();
  command.add_option("SIGNAL", given->signal, "A number, or a name such as TERM")->required();
  command.add_option("LABEL", given->label, "The job")->required();
  return [given, &shared] { return run(shared, *given); };
}

}  // namespace xpcctl
