#pragma once

#include "job/finding.hpp"
#include "job/object.hpp"

#include <xpc/openxpc/plist.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace openxpc::job {

/// The way to a value: a key for each dictionary, a decimal index for each array.
using key_path = std::vector<std::string>;

/// What may be written instead of a value, for messages: "integer from 0 to 7".
struct range {
  std::int64_t from, to;
};

/// The longest time that a description may name: a year.
inline constexpr std::int64_t longest_seconds = 365LL * 24 * 3600;

/// Reads values of a job description and collects what is wrong with them. Each reading function
/// returns false, with a finding and `out` untouched, when the value is not what it should be.
/// Values that are not there are no mistake: find() gives nullptr and nobody reads.
class reader {
 public:
  /// @param locations lent, where things stand in the text; nullptr when there is no text.
  reader(xpc_object_t root, openxpc_plist_locations_t locations)
      : root_(root), locations_(locations) {}

  void error(const key_path& path, const std::string& text);
  /// An error where that scope is.
  void error_in(finding::scope where, const key_path& path, const std::string& text);
  void warn(const key_path& path, const std::string& text);
  void expected(const key_path& path, const std::string& what, xpc_object_t found);

  xpc_object_t root() const { return root_; }
  /// A key of the root; lent.
  xpc_object_t find(const char* key) const { return get_object(root_, key); }

  bool text(const key_path& path, xpc_object_t value, std::string* out);
  bool text_not_empty(const key_path& path, xpc_object_t value, std::string* out);
  bool absolute_path(const key_path& path, xpc_object_t value, std::string* out);
  bool boolean(const key_path& path, xpc_object_t value, bool* out);
  bool integer(const key_path& path, xpc_object_t value, range allowed, std::int64_t* out);
  bool seconds(const key_path& path, xpc_object_t value, std::chrono::seconds* out);
  bool strings(const key_path& path, xpc_object_t value, std::vector<std::string>* out);
  bool is_dictionary(const key_path& path, xpc_object_t value, const char* expected_instead);
  bool is_array(const key_path& path, xpc_object_t value, const char* expected_instead);

  /// All findings in the order of their lines.
  std::vector<finding> take_findings();

 private:
  void add(finding::weight how, finding::scope where_it_counts, const key_path& path,
           const std::string& text);

  xpc_object_t root_;
  openxpc_plist_locations_t locations_;
  std::vector<finding> findings_;
};

inline bool is(xpc_object_t object, openxpc_type_t type) {
  return ::openxpc_type_id(object) == type;
}

/// Calls f(key, value) for each entry, in the order of the keys' bytes.
void each_entry(xpc_object_t dictionary,
                const std::function<void(const std::string& key, xpc_object_t value)>& f);

}  // namespace openxpc::job
