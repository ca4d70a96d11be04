#pragma once

#include "base/fd.hpp"
#include "job/outcome.hpp"

#include <map>
#include <string>

/// What a domain remembers over restarts of the machine.
namespace openxpc::supervise {

class lasting_state {
 public:
  /// @param directory where it is kept, made when something is to be kept; empty: there is no
  /// place.
  explicit lasting_state(std::string directory) : path_(std::move(directory)) {}

  /// Labels that somebody disabled (true) or enabled (false); others are as their description says.
  /// Errors: the file is there but cannot be read, or says something else.
  outcome<std::map<std::string, bool>> disabled() const;
  /// Errors: there is no place, it belongs to somebody else, or the system's word.
  failure_of set_disabled(const std::string& label, bool disabled) const;

  /// The directory; others keep files of their own in it. @param make  makes it if need be.
  /// Errors: not_found, there is no place, or it belongs to somebody else.
  outcome<base::fd> open(bool make) const;

 private:
  std::string path_;
};

}  // namespace openxpc::supervise
