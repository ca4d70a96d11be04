#pragma once

#include "job/object.hpp"
#include "job/reader.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace openxpc::job {

/// When an activity is to run: the criteria of <xpc/activity.h>, the same in a property list
/// (LaunchEvents) and in what a service registers. What is not given is as rules 193 and 194 say.
struct activity_criteria {
  std::chrono::seconds interval{0};  // zero: none
  std::chrono::nanoseconds delay{0}, grace{0};
  bool repeats = false;
  bool utility = false;  // else maintenance
  /// Keys that ask for what nobody here can tell: batteries, screens.
  std::vector<std::string> not_evaluated;
  /// Nothing says when: it waits until somebody says so.
  bool empty = true;
};

/// The name of the stream of LaunchEvents whose events are activities.
inline constexpr const char* activity_stream = "com.apple.xpc.activity";

/// Reads criteria; what is wrong with a key becomes a finding of `in`, and the key counts as not
/// given. Keys that nobody knows are kept by whoever keeps the dictionary, and mean nothing.
activity_criteria read_activity(reader& in, const key_path& path, xpc_object_t dictionary);

}  // namespace openxpc::job
