#include "load.hpp"

#include "job/descriptions.hpp"
#include "job/read.hpp"
#include "supervise/bounded_look.hpp"
#include "supervise/trusted_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>

#include "log.hpp"

namespace openxpc {

namespace {

constexpr off_t most_bytes = 1 << 20;

void complain(const std::string& text) { log_line(weight::warning, text); }

outcome<std::string> contents(const std::string& path, bool trusted) {
  base::fd file;
  if (trusted) {
    outcome<base::fd> looked_at = supervise::open_trusted(path);
    if (!looked_at) return looked_at.error();
    const std::string same = "/proc/self/fd/" + std::to_string(looked_at->get());
    file.reset(::open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  } else {
    file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  }
  struct stat status;
  if (!file || ::fstat(file.get(), &status) < 0) return system_trouble(errno, path);
  if (!S_ISREG(status.st_mode) || status.st_size > most_bytes) {
    return trouble{trouble::kind::bad_input, path + ": is no regular file of at most 1 MiB"};
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
  if (got < 0) return system_trouble(errno, path);
  text.resize(static_cast<std::size_t>(got));
  return text;
}

using texts = std::vector<outcome<std::string>>;

/// The contents of one file or more, as far as a moment reaches: so that whoever waits waits for
/// one file at most that does not answer.
texts first_contents(const std::vector<std::string>& paths, bool trusted) {
  constexpr std::size_t most_at_once = 1 << 20;
  constexpr std::chrono::milliseconds moment{100};
  const auto begin = std::chrono::steady_clock::now();
  texts result;
  std::size_t bytes = 0;
  for (const std::string& path : paths) {
    result.push_back(contents(path, trusted));
    bytes += result.back() ? result.back()->size() : 0;
    if (bytes > most_at_once || std::chrono::steady_clock::now() - begin > moment) break;
  }
  return result;
}

/// Of several at once, for to wake the thread that looks takes longer than to read a file; of one
/// alone where these do not answer.
texts contents_of(const std::string& directory, const std::vector<std::string>& paths,
                  bool trusted) {
  outcome<texts> several = supervise::looks().look<texts>(
      directory, [paths, trusted] { return outcome<texts>(first_contents(paths, trusted)); });
  if (several) return std::move(*several);
  texts one;
  one.push_back(supervise::looks().look<std::string>(
      paths.front(), [path = paths.front(), trusted] { return contents(path, trusted); }));
  return one;
}

void load(supervise::supervisor& jobs, const std::string& path, const outcome<std::string>& text,
          std::map<std::string, std::string>* seen) {
  if (!text) {
    jobs.note_refused(path, std::nullopt, text.error().text);
    return complain(text.error().text);
  }
  outcome<job::reading> reading = job::read(*text, path);
  if (!reading) {
    jobs.note_refused(path, job::declared_in(*text), reading.error().text);
    return complain(reading.error().text);
  }
  const std::string label = reading->job.label;
  const auto [first, is_new] = seen->emplace(label, path);
  // Both are as somebody wants them.
  auto pass_over = [&](const std::string& why) {
    jobs.note_unserved(path, {label, reading->job.names}, why);
    complain(path + ": " + why);
  };
  if (!is_new) return pass_over("the label " + label + " is shadowed by " + first->second);
  if (jobs.was_removed(label)) {
    return pass_over(label + " was removed, and stays so until xpcctl bootstrap " + path);
  }
  for (const std::string& line : reading->warnings) complain("warning: " + line);
  for (const std::string& line : jobs.warnings_for(reading->job)) {
    complain("warning: " + path + ": " + line);
  }
  outcome<std::string> loaded = jobs.bootstrap(std::move(*reading), path);
  if (!loaded) complain(loaded.error().text);
}

}  // namespace

void load_jobs(supervise::supervisor& jobs, const std::vector<std::string>& directories,
               bool trusted) {
  std::map<std::string, std::string> seen;
  for (const std::string& directory : directories) {
    const auto names = supervise::looks().look<std::vector<std::string>>(
        directory, [directory] { return job::descriptions_in(directory); });
    if (!names) {
      complain(names.error().text);
      continue;
    }
    constexpr std::size_t most_files = 64;
    for (std::size_t done = 0; done < names->size();) {
      std::vector<std::string> paths;
      for (std::size_t at = done; at < std::min(done + most_files, names->size()); ++at)
        paths.push_back(directory + "/" + (*names)[at]);
      const texts read = contents_of(directory, paths, trusted);
      for (std::size_t at = 0; at < read.size(); ++at) load(jobs, paths[at], read[at], &seen);
      done += read.size();
    }
  }
}

}  // namespace openxpc
