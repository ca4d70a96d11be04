// Address, leak and thread sanitizers write into a file when told so; g++ 12's for undefined
// behaviour only knows standard error, which is why what processes print is looked at as well.
// Without sanitizers all this finds nothing.
#include "support/sanitizers.hpp"

#include "support/harness.hpp"
#include "support/resources.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

extern "C" {
// Where it is linked in.
void __sanitizer_set_report_path(const char* path) __attribute__((weak));
}

namespace xpc_testing {
namespace {

constexpr std::size_t longest = 20000;
std::vector<std::string> found;

std::string reports_beside(const std::string& directory) { return directory + ".reports"; }

bool is_report(std::string_view text) {
  for (std::string_view sign :
       {"runtime error: ", "ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
        "WARNING: ThreadSanitizer", "ThreadSanitizer:DEADLYSIGNAL"})
    if (text.find(sign) != text.npos) return true;
  return false;
}

/// LeakSanitizer says so of a thread that ends while it looks at it, as threads do when their
/// process ends; it finds nothing wrong.
bool is_of_ending_threads(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && line.find("Unable to get registers from thread") == line.npos)
      return false;
  return true;
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text(longest, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

}  // namespace

void collect_reports(const std::string& directory) {
  found.clear();
  static std::map<std::string, std::string> of_the_user;
  for (const char* name : {"ASAN_OPTIONS", "TSAN_OPTIONS"}) {
    const char* own = std::getenv(name);
    const auto& [entry, first] = of_the_user.try_emplace(name, own ? own : "");
    std::string options = entry->second.empty() ? "" : entry->second + ":";
    options += "log_path=" + reports_beside(directory);
    // At its end each process waits for its other threads to race; a second is long for a test of
    // many processes.
    if (std::string_view(name) == "TSAN_OPTIONS") options += ":atexit_sleep_ms=50";
    ::setenv(name, options.c_str(), 1);
  }
}

void collect_reports_of_role() {
  if (!__sanitizer_set_report_path || std::getenv("OPENXPC_TEST_DIRECTORY")) return;
  // What a service manager passes on of a test's environment.
  if (const char* directory = std::getenv("XDG_RUNTIME_DIR"))
    __sanitizer_set_report_path(reports_beside(directory).c_str());
}

void look_for_report(std::string_view said) {
  if (is_report(said)) found.emplace_back(said.substr(0, longest));
}

std::vector<std::string> take_reports(const std::string& directory) {
  std::error_code ignored;
  const std::filesystem::path own(directory);
  const std::string prefix = reports_beside(own.filename()) + ".";
  for (const auto& entry : std::filesystem::directory_iterator(own.parent_path(), ignored)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    if (std::string text = contents(entry.path()); !is_of_ending_threads(text))
      found.push_back(std::move(text));
    std::filesystem::remove(entry.path(), ignored);
  }
  using std::filesystem::recursive_directory_iterator;
  for (recursive_directory_iterator at(own, ignored), end; at != end; at.increment(ignored))
    if (at->is_regular_file(ignored)) look_for_report(contents(at->path()));
  return std::exchange(found, {});
}

}  // namespace xpc_testing
