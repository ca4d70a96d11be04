#pragma once

#include "job/finding.hpp"
#include "job/outcome.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What the Info.plist of a service bundle says (xpcservice.plist(5)).
namespace openxpc::job {

/// Whom one instance serves.
enum class service_type : unsigned char {
  application,  // one process: each application has its own instance
  user,         // all processes of a user
  system,       // everybody on this machine
};

struct bundle_info {
  std::string identifier;  // CFBundleIdentifier: the name that clients ask for
  std::string executable;  // CFBundleExecutable: a file's name; empty: that of the bundle
  service_type type = service_type::application;
  bool multiple_instances = false;  // each connection gets an instance of its own
  bool join_existing_session = false;
  bool no_new_privileges = true;
  std::map<std::string, std::string> environment;
};

struct bundle_reading {
  bundle_info info;
  std::vector<std::string> warnings;
};

/// @param file  how errors call the text.
/// Errors (bad_input): the text does not parse, or one line "FILE:LINE: KEY: expected X, found Y"
/// for each value that is wrong.
outcome<bundle_reading> read_bundle(std::string_view text, const std::string& file);

/// Everything there is to say about an Info.plist, errors and warnings, in the order of the lines.
/// Errors (bad_input): the text does not parse.
outcome<std::vector<finding>> inspect_bundle(std::string_view text, const std::string& file);

/// True for a text that means to be the Info.plist of a service bundle and no job description: it
/// has a CFBundleIdentifier or an XPCService.
bool looks_like_bundle(std::string_view text);

}  // namespace openxpc::job
