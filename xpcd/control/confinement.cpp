#include "control/confinement.hpp"

#include "base/fd.hpp"
#include "base/poll_now.hpp"
#include "supervise/process_status.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

namespace openxpc::control {

namespace {

using supervise::read_proc_file;
using supervise::status_line;

trouble denied(std::string text) { return {trouble::kind::denied, std::move(text), EACCES}; }

std::optional<long> number_in(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  long number = 0;
  if (std::from_chars(text.data() + begin, text.data() + text.size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

int words_in(std::string_view text) {
  std::istringstream words{std::string(text)};
  int count = 0;
  for (std::string one; words >> one;) ++count;
  return count;
}

/// What /proc/PID/ns/NAME links to; empty when it may not be seen.
std::string namespace_of(int directory, const char* name) {
  char text[64];
  const ssize_t got = ::readlinkat(directory, name, text, sizeof text);
  return got > 0 ? std::string(text, static_cast<std::size_t>(got)) : std::string();
}

}  // namespace

failure_of confinement_of(pid_t pid, int borrowed_pidfd) {
  base::fd here(::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!here) return system_trouble(errno, "/proc/self");
  base::fd there(
      pid > 0 ? ::open(("/proc/" + std::to_string(pid)).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
              : -1);
  if (!there || borrowed_pidfd < 0)
    return denied("xpcd cannot see the process that asks: it is gone, or in another pid namespace");

  const std::string ours = read_proc_file(here.get(), "status");
  const std::string theirs = read_proc_file(there.get(), "status");
  // Kernels before 5.9 tell only whether there are any.
  const char* filters =
      status_line(ours, "Seccomp_filters").empty() ? "Seccomp" : "Seccomp_filters";
  const std::optional<long> our_filters = number_in(status_line(ours, filters));
  const std::optional<long> their_filters = number_in(status_line(theirs, filters));
  failure_of why;
  if (!our_filters || !their_filters) {
    // Without CONFIG_SECCOMP nobody has any; then the line is in neither file.
    if (our_filters.has_value() != their_filters.has_value())
      why = denied("xpcd cannot see whether the process that asks is confined");
  } else if (*their_filters > *our_filters) {
    why = denied("the process that asks is confined by seccomp");
  }
  for (const char* name : {"user", "pid", "mnt", "net"}) {
    if (why) break;
    const std::string path = std::string("ns/") + name;
    const std::string its = namespace_of(there.get(), path.c_str());
    if (!its.empty() && its != namespace_of(here.get(), path.c_str()))
      why = denied("the process that asks is in another " + std::string(name) + " namespace");
    if (its.empty() &&
        // Root's, seen by a user's xpcd: what everybody may see of it has to do.
        (words_in(status_line(theirs, "NSpid")) != words_in(status_line(ours, "NSpid")) ||
         read_proc_file(there.get(), "uid_map") != read_proc_file(here.get(), "uid_map"))) {
      why = denied("the process that asks is in another pid or user namespace");
    }
  }
  // Only now: as long as it lives its number is nobody else's.
  if (base::has_ended(borrowed_pidfd)) return denied("the process that asks has ended");
  return why;
}

}  // namespace openxpc::control
