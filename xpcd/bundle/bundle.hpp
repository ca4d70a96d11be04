#pragma once

#include "base/function.hpp"
#include "job/bundle.hpp"
#include "job/outcome.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

/// Bundles of services as files.
namespace openxpc::bundle {

struct opened_bundle {
  job::bundle_info info;
  std::string path;        // of its directory
  std::string info_path;   // of its Info.plist
  std::string executable;  // of its program
  dev_t device = 0;        // of its directory
  ino_t inode = 0;
  std::vector<std::string> warnings;
};

/// Looks in these directories, in this order, for the bundle of a name: NAME.xpc, or any other
/// whose CFBundleIdentifier it is. In a bundle the files stand as Contents/Info.plist and
/// Contents/MacOS/EXECUTABLE, or as Info.plist and EXECUTABLE.
/// @param owner  whose files count beside root's: every directory from the root down to them, and
/// they themselves, must be one of the two's and writable for nobody else
/// Errors: not_found (none of that name), bad_input (its Info.plist, with line and key), denied
/// (somebody else may have had a hand in it, path named).
/// Calls `then`, perhaps before this returns (supervise::bounded_looks::ask()).
void seek_bundle(const std::vector<std::string>& places, const std::string& name, uid_t owner,
                 base::function<void(outcome<opened_bundle>)> then);
/// The same for who needs an answer at once (supervise::bounded_looks::look()).
outcome<opened_bundle> open_bundle(const std::vector<std::string>& places, const std::string& name,
                                   uid_t owner);

}  // namespace openxpc::bundle
