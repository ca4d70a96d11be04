#pragma once

#include "job/declaration.hpp"
#include "job/object.hpp"

#include <map>
#include <string>
#include <vector>

/// Descriptions that were not loaded, as long as their files are there: what is to be said of them
/// and of the names that they declare.
namespace openxpc::supervise {

struct refused_file {
  enum class state : unsigned char {
    refused,
    disabled,  // nothing is wrong with it
    enabled,   // nor in the way of it any more
  };
  std::string label;               // empty: unknown
  std::vector<std::string> names;  // the first hundred that it declares
  bool names_are_known = false;    // false: it may declare any
  state now = state::refused;
  std::string reason;  // for people, lines that do not repeat the file
  /// Others than the domain's owner may be told that there is such a file, and what is wrong in it.
  bool is_for_all = false;
};

class refused_files {
 public:
  /// The one before it of the same file is forgotten. @return what is remembered now; nothing when
  /// there were too many: then it is known only that there are more.
  const refused_file* note(const std::string& file, refused_file what);
  void forget(const std::string& file) { all_.erase(file); }
  refused_file* find(const std::string& file);
  /// In the order of the files.
  const std::map<std::string, refused_file>& all() const noexcept { return all_; }
  bool has_more() const noexcept { return has_more_; }

  /// For people, those for all or every one: a dictionary for each {origin, state: refused,
  /// disabled or enabled; reason, names, names-known, declared-label where it is known}.
  enum class which : bool { for_all, every };
  object_ref list(which wanted = which::every) const;
  /// For the next xpcd; `all` is what list() gave there, and is not trusted.
  void restore(xpc_object_t all);

 private:
  std::map<std::string, refused_file> all_;
  bool has_more_ = false;
};

/// @param why  an error about the file, perhaps of several lines; where the file stands in front it
/// is left out: "line 5: KEY: ...".
std::string reason_without_file(const std::string& file, const std::string& why);

/// What somebody is told who looks for a name that the file declares: one line, with what helps.
std::string why_unserved(const std::string& file, const refused_file& what);

/// What somebody is told who looks for a name that nobody is known to declare, where there are
/// files of which nobody knows what they declare: one short line with one of those that are for all
/// as an example. Empty when there are none.
std::string why_perhaps_unserved(const refused_files& all);

}  // namespace openxpc::supervise
