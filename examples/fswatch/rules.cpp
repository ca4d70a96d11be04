#include "rules.hpp"

#include <xpc/plist.hpp>

#include <fnmatch.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

namespace fswatch {

bool rules::path_counts(const std::string& path) const {
  auto matches = [&](const std::string& glob) {
    return ::fnmatch(glob.c_str(), path.c_str(), 0) == 0;
  };
  if (std::any_of(exclude.begin(), exclude.end(), matches)) return false;
  return include.empty() || std::any_of(include.begin(), include.end(), matches);
}

bool rules::counts(const event& what) const {
  if (what.what == kind::overflow) return true;
  if (!kinds.empty() && !kinds.contains(what.what)) return false;
  return path_counts(what.path) || (!what.from.empty() && path_counts(what.from));
}

xpc::result<rules> rules::from_dictionary(const xpc::dictionary& what) {
  using names = std::vector<std::string>;
  rules made;
  auto include = what.get<std::optional<names>>("Include");
  if (!include) return include.error();
  if (auto given = *std::move(include)) made.include = *std::move(given);
  auto exclude = what.get<std::optional<names>>("Exclude");
  if (!exclude) return exclude.error();
  if (auto given = *std::move(exclude)) made.exclude = *std::move(given);
  auto kinds = what.get<std::optional<names>>("Kinds");
  if (!kinds) return kinds.error();
  for (const std::string& each : kinds->value_or(names())) {
    auto known = kind_of(each);
    if (!known)
      return xpc::failure(
          xpc::errc::invalid_argument,
          "Kinds: \"" + each +
              "\" is none of found created modified deleted renamed attributes overflow");
    made.kinds.insert(*known);
  }
  return made;
}

xpc::result<rules> rules::load(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf()))
    return xpc::failure(xpc::errc::not_found, "cannot read the rules in " + file);
  auto parsed = xpc::parse_property_list(text.str());
  if (!parsed) return parsed.error().within(file + ": ");
  auto dictionary = parsed->as<xpc::dictionary>();
  if (!dictionary) return dictionary.error().within(file + ": ");
  auto made = from_dictionary(*dictionary);
  if (!made) return made.error().within(file + ": ");
  return made;
}

xpc::dictionary rules::to_dictionary() const {
  std::vector<std::string> names;
  for (kind each : kinds) names.emplace_back(name_of(each));
  return {{"Include", include}, {"Exclude", exclude}, {"Kinds", names}};
}

}  // namespace fswatch
