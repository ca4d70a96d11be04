#pragma once

#include "base/fd.hpp"

#include <map>
#include <string>
#include <vector>

/// Names that somebody declared and nobody finds: those of jobs that were not loaded, and of
/// services that are private to an application. Clients find the reason without asking, also when
/// nobody answers, in the domain's directory: `.why/NAME` has a line for us, the label, and one for
/// them; `.why/.any` is for those names of which there is nothing else to say.
namespace openxpc::supervise {

class unserved_names {
 public:
  /// Knows what an xpcd before this one left there.
  explicit unserved_names(int borrowed_domain_directory);
  ~unserved_names() { clear(); }
  unserved_names(const unserved_names&) = delete;
  unserved_names& operator=(const unserved_names&) = delete;

  /// @param label  who is to be forgotten when it can be loaded; @param reason  one line for
  /// people. Of names beyond the first thousand no more is known than that nobody serves them.
  void note(const std::vector<std::string>& names, const std::string& label,
            const std::string& reason);
  /// What is said of names that are not noted; nothing when empty.
  void note_any(const std::string& reason);
  /// Removes what is in the domain's directory.
  void clear();
  /// They are served now.
  void serve(const std::vector<std::string>& names);
  void forget_label(const std::string& label);
  /// Those of these names for which that is the reason.
  void forget(const std::vector<std::string>& names, const std::string& reason);
  /// Empty: nothing is known about it.
  std::string why(const std::string& name) const;

 private:
  struct entry {
    std::string label, reason;
  };
  using entries = std::map<std::string, entry>;
  void keep(const std::string& name, const entry& what);
  entries::iterator drop(entries::iterator which);

  int domain_;
  base::fd directory_;  // made when it is needed
  entries all_;
  std::string any_;
};

}  // namespace openxpc::supervise
