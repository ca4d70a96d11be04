#include "bundle/bundle.hpp"

#include "base/fd.hpp"
#include "base/program_places.hpp"
#include "supervise/bounded_look.hpp"
#include "supervise/trusted_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace openxpc::bundle {

namespace {

constexpr off_t most_info_bytes = 1 << 20;

bool is_there(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0;
}

outcome<std::string> contents(const std::string& path, uid_t owner) {
  outcome<base::fd> looked_at = supervise::open_owned(path, owner);
  if (!looked_at) return looked_at.error();
  // Opened for reading only once it is known to be a plain file: to open a device may do something.
  struct stat status;
  if (::fstat(looked_at->get(), &status) < 0) return system_trouble(errno, path);
  if (!S_ISREG(status.st_mode) || status.st_size > most_info_bytes) {
    return trouble{trouble::kind::bad_input, path + ": is no regular file of at most 1 MiB"};
  }
  const std::string same = "/proc/self/fd/" + std::to_string(looked_at->get());
  const base::fd file(::open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t got = file ? ::pread(file.get(), text.data(), text.size(), 0) : -1;
  if (got < 0) return system_trouble(errno, path);
  text.resize(static_cast<std::size_t>(got));
  return text;
}

/// The directory in which a bundle's Info.plist stands.
std::string inside_of(const std::string& bundle) {
  const std::string deep = bundle + "/Contents";
  return is_there(deep + "/Info.plist") ? deep : bundle;
}

outcome<job::bundle_reading> read_info(const std::string& path, uid_t owner) {
  outcome<std::string> text = contents(path, owner);
  if (!text) return text.error();
  return job::read_bundle(*text, path);
}

/// Rule 349: without a key the program is named like the bundle's directory.
std::string program_of(const job::bundle_info& info, const std::string& bundle) {
  if (!info.executable.empty()) return info.executable;
  const std::string last = bundle.substr(bundle.rfind('/') + 1);
  return last.substr(0, last.size() - base::bundle_suffix.size());
}

outcome<opened_bundle> open_one(const std::string& path, const std::string& name, uid_t owner) {
  opened_bundle result;
  result.path = path;
  const std::string inside = inside_of(path);
  result.info_path = inside + "/Info.plist";
  outcome<job::bundle_reading> reading = read_info(result.info_path, owner);
  if (!reading) return reading.error();
  if (reading->info.identifier != name) {
    return trouble{trouble::kind::bad_input, result.info_path + ": CFBundleIdentifier: expected " +
                                                 name + ", found " + reading->info.identifier};
  }
  result.info = std::move(reading->info);
  result.warnings = std::move(reading->warnings);
  const std::string program = program_of(result.info, path);
  const std::string deep = inside + "/MacOS/" + program;
  result.executable = inside != path && is_there(deep) ? deep : inside + "/" + program;
  outcome<base::fd> file = supervise::open_owned(result.executable, owner);
  if (!file) {
    trouble why = file.error();
    why.text = result.info_path + ": CFBundleExecutable: " + why.text;
    return why;
  }
  outcome<base::fd> directory = supervise::open_owned(path, owner);
  struct stat status;
  if (!directory) return directory.error();
  if (::fstat(directory->get(), &status) < 0) return system_trouble(errno, path);
  result.device = status.st_dev;
  result.inode = status.st_ino;
  return result;
}

/// Bundles whose directory is called otherwise, in the order of the names' bytes.
std::vector<std::string> others_in(const std::string& place) {
  std::vector<std::string> names;
  DIR* stream = ::opendir(place.c_str());
  if (stream == nullptr) return names;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name.front() != '.' && name.size() > base::bundle_suffix.size() &&
        name.compare(name.size() - base::bundle_suffix.size(), std::string::npos,
                     base::bundle_suffix) == 0) {
      names.push_back(name);
    }
  }
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  if (names.size() > base::most_bundles) names.resize(base::most_bundles);
  return names;
}

outcome<opened_bundle> search(const std::vector<std::string>& places, const std::string& name,
                              uid_t owner) {
  std::string searched;
  for (const std::string& place : places) {
    searched += (searched.empty() ? "" : " or ") + place;
    const std::string named = place + "/" + name + std::string(base::bundle_suffix);
    if (is_there(named)) return open_one(named, name, owner);
    for (const std::string& other : others_in(place)) {
      const std::string path = place + "/" + other;
      // What is wrong with a bundle of another name is said to whoever asks for that.
      outcome<job::bundle_reading> reading = read_info(inside_of(path) + "/Info.plist", owner);
      if (reading && reading->info.identifier == name) return open_one(path, name, owner);
    }
  }
  return trouble{trouble::kind::not_found,
                 "there is no bundle of the service " + name +
                     (searched.empty() ? " beside the program" : " in " + searched)};
}

}  // namespace

void seek_bundle(const std::vector<std::string>& places, const std::string& name, uid_t owner,
                 base::function<void(outcome<opened_bundle>)> then) {
  supervise::looks().ask<opened_bundle>(
      places.empty() ? name : places.front(),
      [places, name, owner] { return search(places, name, owner); }, std::move(then));
}

outcome<opened_bundle> open_bundle(const std::vector<std::string>& places, const std::string& name,
                                   uid_t owner) {
  return supervise::looks().look<opened_bundle>(
      places.empty() ? name : places.front(),
      [places, name, owner] { return search(places, name, owner); });
}

}  // namespace openxpc::bundle
