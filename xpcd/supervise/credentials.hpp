#pragma once

#include "job/description.hpp"
#include "job/outcome.hpp"

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

/// Who a job runs as, where that is not xpcd's own user.
namespace openxpc::supervise {

struct credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary
  std::string user, home, shell;
};

/// Looks UserName and GroupName up: names, or numbers that need not be known to the system.
/// Nothing when the job gives neither. Errors (not_found) name the key.
outcome<std::optional<credentials>> credentials_of(const job::process_setup& setup);

struct group_entry {
  gid_t gid = 0;
  std::vector<std::string> members;  // beside those who have it as their own
};

/// A group by its name, or by a number that need not be known to the system. Nothing when there is
/// none.
std::optional<group_entry> group_of(const std::string& name);

/// HOME, LOGNAME, SHELL and USER of that user, for a job's environment.
std::map<std::string, std::string> variables_of(const credentials& who);

/// While it lives this thread opens files with that user's rights and no more. Without credentials
/// it changes nothing. One at a time on a thread.
class as_user {
 public:
  explicit as_user(const std::optional<credentials>& who);
  ~as_user();
  as_user(const as_user&) = delete;
  as_user& operator=(const as_user&) = delete;

  /// False when the system would not: then nothing may be opened on the user's behalf.
  bool is_in_force() const noexcept { return in_force_; }

 private:
  bool changed_ = false, in_force_ = true;
  std::vector<gid_t> groups_before_;
};

}  // namespace openxpc::supervise
