#pragma once

#include <xpc/xpc.hpp>

#include "event.hpp"

namespace fswatch {

/// An event as it travels.
inline xpc::dictionary to_row(const event& what) {
  xpc::dictionary row{{"id", what.id},
                      {"kind", std::string(name_of(what.what))},
                      {"path", what.path},
                      {"directory", what.directory},
                      {"at", std::chrono::time_point_cast<std::chrono::nanoseconds>(what.at)}};
  if (!what.from.empty()) row.set("from", what.from);
  return row;
}

inline xpc::result<event> from_row(const xpc::dictionary& row) {
  using time = std::chrono::sys_time<std::chrono::nanoseconds>;
  auto read =
      row.get<std::int64_t, std::string, std::string, bool, time, std::optional<std::string>>(
          "id", "kind", "path", "directory", "at", "from");
  if (!read) return read.error();
  auto [id, name, path, directory, at, from] = *std::move(read);
  auto what = kind_of(name);
  if (!what)
    return xpc::failure(xpc::errc::malformed, "kind: \"" + name + "\" is no kind of event");
  return event{id,        *what,
               path,      from.value_or(""),
               directory, std::chrono::time_point_cast<std::chrono::system_clock::duration>(at)};
}

}  // namespace fswatch
