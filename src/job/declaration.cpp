#include "job/declaration.hpp"

#include "job/located.hpp"
#include "job/name.hpp"
#include "job/reader.hpp"

#include <algorithm>

namespace openxpc::job {

namespace {

/// What means that the name is advertised, rightly written or not: all but a plain no.
bool is_meant(xpc_object_t value) {
  return !is(value, OPENXPC_TYPE_BOOL) || ::xpc_bool_get_value(value);
}

void add(const std::string& name, std::vector<std::string>* names) {
  if (!wrong_with_name(name)) names->push_back(name);
}

/// @return whether it is to be understood at all: a dictionary as it should be, or a list of names.
bool read_names(xpc_object_t from, std::vector<std::string>* names) {
  if (from == nullptr) return true;
  if (is(from, OPENXPC_TYPE_ARRAY)) {
    for (std::size_t at = 0; at < ::xpc_array_get_count(from); ++at) {
      const char* name = ::xpc_array_get_string(from, at);
      if (name == nullptr) return false;
      add(name, names);
    }
    std::sort(names->begin(), names->end());
    return true;
  }
  if (!is(from, OPENXPC_TYPE_DICTIONARY)) return false;
  each_entry(from, [&](const std::string& name, xpc_object_t value) {
    if (is_meant(value)) add(name, names);
  });
  return true;
}

}  // namespace

std::optional<declaration> declared_in(std::string_view text) {
  const outcome<located> parsed = parse(text, "");
  if (!parsed || !is(parsed->object.get(), OPENXPC_TYPE_DICTIONARY)) return std::nullopt;
  declaration found;
  xpc_object_t root = parsed->object.get();
  if (!read_names(get_object(root, "MachServices"), &found.names)) return std::nullopt;
  const std::string label = get_text(root, "Label").value_or("");
  if (!wrong_with_name(label)) found.label = label;
  return found;
}

}  // namespace openxpc::job
