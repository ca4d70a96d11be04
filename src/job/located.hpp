#pragma once

#include "job/object.hpp"
#include "job/outcome.hpp"

#include <xpc/openxpc/plist.h>

#include <string>
#include <string_view>
#include <utility>

namespace openxpc::job {

/// A parsed text that knows where things stood.
struct located {
  object_ref object;
  openxpc_plist_locations_t locations = nullptr;
  located() = default;
  located(located&& other) noexcept
      : object(std::move(other.object)), locations(std::exchange(other.locations, nullptr)) {}
  ~located() {
    if (locations != nullptr) ::openxpc_plist_locations_destroy(locations);
  }
};

/// Any property list. @param file names it in errors (bad_input, with line and column).
outcome<located> parse(std::string_view text, const std::string& file);

}  // namespace openxpc::job
