#include "supervise/lasting_state.hpp"

#include "job/reader.hpp"
#include "supervise/state_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace openxpc::supervise {

namespace {

const std::string file_name = "disabled.plist";

/// Returns errno of the last one, or 0: those above may be there, and nobody may make them.
int make_directories(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    ::mkdir(path.substr(0, at).c_str(), 0755);
  }
  return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST ? 0 : errno;
}

}  // namespace

outcome<base::fd> lasting_state::open(bool make) const {
  if (path_.empty()) {
    return trouble{trouble::kind::unavailable,
                   "there is no place for lasting state: neither XDG_STATE_HOME nor HOME says one; "
                   "start xpcd with --state DIR"};
  }
  if (const int error = make ? make_directories(path_) : 0) {
    return system_trouble(error, "lasting state in " + path_);
  }
  base::fd directory(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status;
  if (!directory || ::fstat(directory.get(), &status) < 0) {
    return system_trouble(errno, "lasting state in " + path_);
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & 022) != 0) {
    return trouble{trouble::kind::denied,
                   "lasting state in " + path_ + ": others may write there, or it is theirs"};
  }
  return directory;
}

outcome<std::map<std::string, bool>> lasting_state::disabled() const {
  std::map<std::string, bool> result;
  if (path_.empty()) return result;
  outcome<base::fd> directory = open(false);
  if (!directory) {
    if (directory.error().what == trouble::kind::not_found) return result;
    return directory.error();
  }
  const std::string name = path_ + "/" + file_name;
  outcome<object_ref> all = read_plist(directory->get(), file_name, name);
  if (!all) {
    if (all.error().what == trouble::kind::not_found) return result;
    return all.error();
  }
  bool good = job::is(all->get(), OPENXPC_TYPE_DICTIONARY);
  if (good) {
    job::each_entry(all->get(), [&](const std::string& label, xpc_object_t) {
      const std::optional<bool> flag = get_bool(all->get(), label);
      good = good && flag.has_value();
      result[label] = flag.value_or(false);
    });
  }
  if (!good) return trouble{trouble::kind::bad_input, name + ": expected a dictionary of bools"};
  return result;
}

failure_of lasting_state::set_disabled(const std::string& label, bool disabled) const {
  outcome<std::map<std::string, bool>> all = this->disabled();
  if (!all) return all.error();
  outcome<base::fd> directory = open(true);
  if (!directory) return directory.error();
  (*all)[label] = disabled;
  object_ref whole = new_dictionary();
  for (const auto& [one, flag] : *all) set_bool(whole.get(), one, flag);
  return write_plist(directory->get(), file_name, whole.get(), "lasting state");
}

}  // namespace openxpc::supervise
