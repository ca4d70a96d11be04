#pragma once

#include <xpc/xpc.hpp>

#include <set>
#include <string>
#include <vector>

#include "event.hpp"

namespace fswatch {

/// Which events count: globs over paths (fnmatch(3), '*' crosses '/'), and kinds. An empty include
/// list means all.
struct rules {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::set<kind> kinds;  ///< empty: all

  bool path_counts(const std::string& path) const;
  bool counts(const event& what) const;

  /// Reads a property list with the keys Include, Exclude and Kinds, each an array of strings, each
  /// optional.
  static xpc::result<rules> load(const std::string& file);
  xpc::dictionary to_dictionary() const;
  static xpc::result<rules> from_dictionary(const xpc::dictionary& what);
};

}  // namespace fswatch
