#pragma once

#include "job/description.hpp"

#include <sys/types.h>

#include <string>

namespace openxpc::supervise {

/// Who follows jobs through their lives beside the supervisor: activities, event streams. Called on
/// the loop, from within what happens: it must not steer the job before it returns.
class companion {
 public:
  virtual ~companion() = default;
  /// A job was loaded, or, with `taken_over`, found running or waiting after another xpcd.
  virtual void arrived(const job::description& job, bool taken_over) = 0;
  /// It was removed from the domain.
  virtual void left(const std::string& label) = 0;
  /// Its process ended. Another one may start.
  virtual void process_ended(const std::string& label) = 0;
  /// Adds what print shows.
  virtual void describe(const std::string& label, xpc_object_t into) const = 0;
};

}  // namespace openxpc::supervise
