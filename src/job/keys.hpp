#pragma once

#include "job/description.hpp"
#include "job/reader.hpp"

#include <string>

/// All keys that a job description may have: those of launchd.plist(5) and our own.
namespace openxpc::job {

struct key_rule {
  const char* key;
  /// Reads the value into the job; nullptr for a key that has no effect.
  void (*read)(reader& in, const key_path& path, xpc_object_t value, description* job);
  /// Why it has none, for people.
  const char* no_effect;
};

/// nullptr for what is no key.
const key_rule* find_key(const std::string& key);

/// The key that somebody may have meant who wrote this one: the same but for upper and lower case.
/// Empty when there is none.
std::string key_like(const std::string& key);

}  // namespace openxpc::job
