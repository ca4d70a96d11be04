#pragma once

#include "base/fd.hpp"
#include "base/function.hpp"
#include "job/outcome.hpp"
#include "supervise/image.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

/// From what a job names to what the kernel is given: the file is opened once, and what was opened
/// is what gets started.
namespace openxpc::supervise {

struct program {
  base::fd file;                       // an ELF file, or a script's interpreter: for execveat
  std::string path;                    // canonical, as we see it, of the program named by the job
  std::vector<std::string> arguments;  // complete, argv[0] first
  file_identity version;               // of the program named by the job
  bool is_script = false;
  /// To start it may ask a file system that never answers.
  bool may_hang = true;
};

struct program_rule {
  bool trusted = false;  // only root can have put them there (trusted_path.hpp)
  bool no_new_privileges =
      false;  // they bring no rights of their own: set-uid, set-gid, capabilities
  /// Its user can execute it but not read it, so that only root can look at the process; then its
  /// set-gid to this group is no right that it brings.
  std::optional<gid_t> hardened;
  /// What is "/" for the program, and for the paths that lead to it; only where they are trusted.
  /// -1: what is so for us.
  int borrowed_root = -1;
};

/// @param named      absolute, or a plain name to be looked for in `search_path` (as PATH is
/// written).
/// @param arguments  argv as the job gives it, argv[0] first; for a script the interpreter and its
/// argument come before. @param rule what else is asked of the files. Errors, each with the path:
/// not there, not a regular file, not executable by us, one that breaks the rule (denied, EPERM),
/// an interpreter that has one of these faults, a format that the kernel does not start.
outcome<program> open_program(const std::string& named, const std::vector<std::string>& arguments,
                              const std::string& search_path, program_rule rule = {});

/// What a job names, and where it is to be found.
struct program_order {
  std::string named;
  std::vector<std::string> arguments;
  std::string search_path;
  program_rule rule;
  std::string root_directory;  // empty: ours
};

struct found_program {
  program what;
  base::fd root;  // where one was named
};

/// open_program(), within the root directory where there is one: then its errors name that, too.
/// Calls `then`, perhaps before this returns (bounded_looks::ask()).
void seek_program(program_order what, base::function<void(outcome<found_program>)> then);
/// The same for who needs an answer at once (bounded_looks::look()).
outcome<found_program> find_program_now(const program_order& what);

}  // namespace openxpc::supervise
