#pragma once

#include <string>

namespace openxpc::bootstrap {

/// Why a name that nobody serves in a domain is not served, as far as its service manager left
/// word: one line, for people. Empty when there is none. Asks nobody, so it never waits.
std::string why_unserved(int borrowed_directory, const std::string& name);

/// The same for a name of which it has left no word: that there are descriptions which may declare
/// any, since nobody could read them.
std::string why_perhaps_unserved(int borrowed_directory);

}  // namespace openxpc::bootstrap
