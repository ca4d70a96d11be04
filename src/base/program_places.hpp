#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace openxpc::base {

/// The directories beside a program's file in which bundles of its own may stand, the nearest
/// first. Only what the path says: nothing is looked at.
///   .../Contents/MacOS/P            .../Contents/XPCServices
///   .../bin/P, sbin, libexec        .../lib/P/XPCServices and .../lib/xpc/services
///   D/P anywhere else               D/XPCServices
/// Nothing for what is no absolute path.
std::vector<std::string> bundle_places(std::string_view executable);

/// What a bundle's directory ends in.
inline constexpr std::string_view bundle_suffix = ".xpc";

/// The bundles beside one program are looked through only so far.
inline constexpr unsigned most_bundles = 64;

}  // namespace openxpc::base
