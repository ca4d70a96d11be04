#include "options.hpp"

#include <sysexits.h>

#include <charconv>
#include <cstring>
#include <string_view>
#include <vector>

namespace openxpc {

namespace {

constexpr const char* usage =
    "usage: xpcd [--system] [--domain DIR] [--state DIR] [--log FILE]\n"
    "            [--jobs DIR]... [--idle-exit N] [--check-in-time N] [--ready-fd N]\n"
    "            [--foreground]\n"
    "       xpcd --help | --version\n";

constexpr const char* help =
    "\n"
    "The service manager of an XPC domain: owns the names of its services, starts a\n"
    "service when somebody connects, and supervises it. xpcctl(1) talks to it.\n"
    "\n"
    "  --system       serve the domain of the whole machine: root only, /run/xpc unless\n"
    "                 --domain names another directory\n"
    "  --domain DIR   the domain's directory, made if need be; without it\n"
    "                 $XDG_RUNTIME_DIR/xpc, or /run/xpc for root\n"
    "  --state DIR    where disabled labels are kept; without it .state in the directory of\n"
    "                 --domain, /var/lib/xpc for the system, else $XDG_STATE_HOME/xpc\n"
    "  --jobs DIR     load the job descriptions there, instead of those in the usual\n"
    "                 directories; may be given several times\n"
    "  --idle-exit N  ask jobs with EnablePressuredExit every N seconds, 60 unless given,\n"
    "                 whether anybody needs them\n"
    "  --check-in-time N\n"
    "                 give a new version of a program N seconds to say that it is ready,\n"
    "                 30 unless given; then it is rolled back\n"
    "  --log FILE     append what xpcd says to FILE instead of standard error\n"
    "  --ready-fd N   write \"ready\" and a newline to descriptor N once clients and\n"
    "                 xpcctl are served, then close it\n"
    "  --foreground   stay in the foreground (xpcd always does)\n"
    "  --help, --version\n";

/// -1 for what is no number.
int number_in(std::string_view text) {
  int number = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

}  // namespace

std::variant<options, early_exit> parse_options(int argc, char** argv) {
  options result;
  const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    std::string_view name = arguments[at];
    std::optional<std::string_view> value;
    const std::size_t equals = name.find('=');
    if (equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    auto take_value = [&] {
      if (!value && at + 1 < arguments.size()) value = arguments[++at];
      return value.has_value();
    };
    auto wrong = [&](const std::string& text) {
      return early_exit{EX_USAGE, "xpcd: " + text + "\n" + usage};
    };
    if (name == "--help" && !value) return early_exit{0, std::string(usage) + help};
    if (name == "--version" && !value) {
      return early_exit{0, std::string("xpcd (OpenXPC) ") + OPENXPC_VERSION + "\n"};
    }
    if (name == "--foreground" && !value) continue;
    if (name == "--system" && !value) {
      result.system = true;
    } else if (name == "--domain") {
      if (!take_value() || value->empty()) return wrong("--domain wants a directory");
      result.domain = std::string(*value);
    } else if (name == "--state") {
      if (!take_value() || value->empty()) return wrong("--state wants a directory");
      result.state = std::string(*value);
    } else if (name == "--jobs") {
      if (!take_value() || value->empty()) return wrong("--jobs wants a directory");
      result.jobs.emplace_back(*value);
    } else if (name == "--idle-exit") {
      const int number = take_value() ? number_in(*value) : -1;
      if (number < 1) return wrong("--idle-exit wants seconds, at least 1");
      result.idle_exit = number;
    } else if (name == "--check-in-time") {
      const int number = take_value() ? number_in(*value) : -1;
      if (number < 1) return wrong("--check-in-time wants seconds, at least 1");
      result.check_in_time = number;
    } else if (name == "--log") {
      if (!take_value() || value->empty()) return wrong("--log wants a file");
      result.log = std::string(*value);
    } else if (name == "--ready-fd") {
      const int number = take_value() ? number_in(*value) : -1;
      if (number < 0) return wrong("--ready-fd wants the number of an open descriptor");
      result.ready_fd = number;
    } else {
      return wrong("unknown argument " + std::string(arguments[at]));
    }
  }
  return result;
}

}  // namespace openxpc
