#pragma once

#include "job/object.hpp"
#include "job/outcome.hpp"
#include "supervise/lasting_state.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "activity/schedule.hpp"

namespace openxpc::activity {

/// What is remembered of one activity.
struct entry {
  object_ref criteria;  // as they were given
  bool from_description = false;
  bool unregistered = false;   // one of the description's: comes back with the next load (rule 196)
  std::uint64_t serial = 0;    // of the last run
  bool running = false;        // as far as we know
  std::int64_t period_ms = 0;  // when the present period began, by the clock of the day
  std::uint64_t runs = 0;
};
using entries = std::map<std::string, entry>;  // by identifier

/// A dictionary of them, and back. Errors (bad_input): that is none; `named` is what is said of it.
object_ref pack(const entries& all);
outcome<entries> unpack(xpc_object_t all, const std::string& named);

/// The activities of jobs in lasting state: a property list `activities-LABEL.plist` each.
class book {
 public:
  /// Looks once which jobs have one. @param where lent, must outlive it.
  explicit book(const supervise::lasting_state& where);

  /// Nothing when there is none. Errors: it is there but cannot be read.
  outcome<entries> load(const std::string& label) const;
  /// Errors: there is no place, or the system's word.
  failure_of save(const std::string& label, const entries& all);

 private:
  const supervise::lasting_state& where_;
  std::set<std::string> known_;
};

}  // namespace openxpc::activity
