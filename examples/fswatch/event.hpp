#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fswatch {

/// What happened to a path.
enum class kind : std::uint8_t {
  found,  ///< was there when watching began, or was found while looking again after an overflow
  created,
  modified,  ///< written and closed
  deleted,
  renamed,  ///< `from` says where from; both names in one event
  attributes,
  overflow,  ///< the kernel dropped events; what is on disk is looked at again
};

constexpr std::string_view name_of(kind what) {
  constexpr std::string_view names[] = {"found",   "created",    "modified", "deleted",
                                        "renamed", "attributes", "overflow"};
  return names[static_cast<std::size_t>(what)];
}

constexpr std::optional<kind> kind_of(std::string_view name) {
  for (auto each : {kind::found, kind::created, kind::modified, kind::deleted, kind::renamed,
                    kind::attributes, kind::overflow})
    if (name_of(each) == name) return each;
  return std::nullopt;
}

struct event {
  std::int64_t id = 0;  ///< from the history, rising
  kind what = kind::found;
  std::string path;
  std::string from;  ///< renamed only
  bool directory = false;
  std::chrono::system_clock::time_point at;
};

}  // namespace fswatch
