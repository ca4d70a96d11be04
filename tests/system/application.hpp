#pragma once

#include "support/child.hpp"

#include <string>
#include <vector>

#include "system/manager.hpp"

/// Applications with bundles of services beside them, as files and as processes.
namespace system_test {

/// What is written into a bundle. The program is a script that becomes a role of the test program.
struct bundle_files {
  std::string identifier;
  std::string service = {};  ///< entries of the dictionary XPCService
  std::string more = {};     ///< other entries of the Info.plist
  std::string role = "helper";
  std::string directory = {};   ///< of the bundle; empty: the identifier
  std::string executable = {};  ///< its file's name; empty: that of the bundle
  bool flat = false;            ///< no Contents and MacOS
  std::string program = {};     ///< what the script becomes; empty: the test program
};

/// Makes DIR/NAME.xpc with an Info.plist and a program. @return the bundle's path.
std::string make_bundle(const std::string& place, const bundle_files& what);

/// The test program again at another path, where bundles of its own may stand beside it.
void install_program(const std::string& path);

/// A process of the program at a path, which asks services for the test.
class application {
 public:
  /// @param domain  its own domain's directory
  application(const std::string& program, const std::string& domain,
              const std::vector<std::string>& environment = {});
  /// Asks `word` of NAME over the connection `id`, which is made at its first use. @return the text
  /// of the answer, or "error: ..." with the reason.
  std::string ask(const std::string& id, const std::string& name, const std::string& word);
  pid_t pid() const { return process_.pid(); }
  /// Any line of the role's.
  std::string say(const std::string& line);
  xpc_testing::child& process() { return process_; }

 private:
  xpc_testing::child process_;
};

}  // namespace system_test
