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
    "            [--jobs DIR]... [--idle-exit N] [--check-in-time N]\n"
    "            [--file-time N] [--ready-fd N] [--hardened-group GROUP] [--foreground]\n"
    "       xpcd --check-state [--system] [--domain DIR]\n"
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
    "  --file-time N  wait N seconds for a file system that does not answer, 4 unless given\n"
    "  --hardened-group GROUP\n"
    "                 the group of jobs with Hardened, xpc-hardened unless given\n"
    "  --log FILE     append what xpcd says to FILE instead of standard error\n"
    "  --ready-fd N   write \"ready\" and a newline to descriptor N once clients and\n"
    "                 xpcctl are served, then close it\n"
    "  --check-state  say whether this program could take over the jobs there, and exit:\n"
    "                 with status 65 and the reason if it could not\n"
    "  --handover-fd N\n"
    "                 given by an xpcd that becomes this one (xpcctl upgrade --manager)\n"
    "  --foreground   stay in the foreground (xpcd always does)\n"
    "  --help, --version\n";

/// -1 for what is no number.
int number_in(std::string_view text) {
  int number = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

/// The arguments one after the other, each in its two spellings: with its value behind a sign of
/// equality, or as the next one. What is wrong with one ends it.
class argument_reader {
 public:
  argument_reader(int argc, char** argv) : all_(argv + (argc > 0 ? 1 : 0), argv + argc) {}

  bool next() {
    if (!wrong_.empty() || at_ >= all_.size()) return false;
    first_ = at_++;
    name_ = all_[first_];
    value_.reset();
    const std::size_t equals = name_.find('=');
    if (equals != std::string_view::npos) {
      value_ = name_.substr(equals + 1);
      name_ = name_.substr(0, equals);
    }
    return true;
  }
  /// The present one is this, which has no value.
  bool is(std::string_view name) const { return name_ == name && !value_; }
  /// The value of the present one, if it is this; an empty one is wrong.
  std::optional<std::string> text(std::string_view name, const char* wanted) {
    if (name_ != name) return std::nullopt;
    take_value();
    if (!value_ || value_->empty()) refuse(wanted);
    return std::string(value_.value_or(""));
  }
  std::optional<int> number(std::string_view name, int least, const char* wanted) {
    if (name_ != name) return std::nullopt;
    take_value();
    const int number = number_in(value_.value_or(""));
    if (number < least) refuse(wanted);
    return number;
  }
  void refuse_unknown() { wrong_ = "unknown argument " + std::string(all_[first_]); }
  const std::string& wrong() const { return wrong_; }
  /// The present one as it was given.
  void append_to(std::vector<std::string>& list) const {
    for (std::size_t each = first_; each < at_; ++each) list.emplace_back(all_[each]);
  }

 private:
  void take_value() {
    if (!value_ && at_ < all_.size()) value_ = all_[at_++];
  }
  void refuse(const char* wanted) { wrong_ = std::string(name_) + " wants " + wanted; }

  const std::vector<std::string_view> all_;
  std::size_t at_ = 0, first_ = 0;
  std::string_view name_;
  std::optional<std::string_view> value_;
  std::string wrong_;
};

/// What counts for this start only. False when the argument is none of these.
bool read_passing(argument_reader& in, options& result) {
  if (in.is("--check-state")) {
    result.check_state = true;
  } else if (std::optional<int> given =
                 in.number("--handover-fd", 3, "the number of a descriptor")) {
    result.handover_fd = *given;
  } else if (std::optional<int> ready =
                 in.number("--ready-fd", 0, "the number of an open descriptor")) {
    result.ready_fd = *ready;
  } else {
    return false;
  }
  return true;
}

void read_lasting(argument_reader& in, options& result) {
  if (in.is("--system")) {
    result.system = true;
  } else if (std::optional<std::string> domain = in.text("--domain", "a directory")) {
    result.domain = std::move(domain);
  } else if (std::optional<std::string> state = in.text("--state", "a directory")) {
    result.state = std::move(state);
  } else if (std::optional<std::string> jobs = in.text("--jobs", "a directory")) {
    result.jobs.push_back(std::move(*jobs));
  } else if (std::optional<int> idle = in.number("--idle-exit", 1, "seconds, at least 1")) {
    result.idle_exit = idle;
  } else if (std::optional<int> time = in.number("--check-in-time", 1, "seconds, at least 1")) {
    result.check_in_time = time;
  } else if (std::optional<int> files = in.number("--file-time", 1, "seconds, at least 1")) {
    result.file_time = files;
  } else if (std::optional<std::string> group =
                 in.text("--hardened-group", "the name or number of a group")) {
    result.hardened_group = std::move(*group);
  } else if (std::optional<std::string> log = in.text("--log", "a file")) {
    result.log = std::move(*log);
  } else if (!in.is("--foreground")) {
    return in.refuse_unknown();
  }
  in.append_to(result.lasting);
}

}  // namespace

std::variant<options, early_exit> parse_options(int argc, char** argv) {
  options result;
  argument_reader in(argc, argv);
  while (in.next()) {
    if (in.is("--help")) return early_exit{0, std::string(usage) + help};
    if (in.is("--version")) {
      return early_exit{0, std::string("xpcd (OpenXPC) ") + OPENXPC_VERSION + "\n"};
    }
    if (!read_passing(in, result)) read_lasting(in, result);
  }
  if (!in.wrong().empty()) return early_exit{EX_USAGE, "xpcd: " + in.wrong() + "\n" + usage};
  return result;
}

}  // namespace openxpc
