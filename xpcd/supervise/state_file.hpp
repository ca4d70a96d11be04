#pragma once

#include "job/object.hpp"
#include "job/outcome.hpp"

#include <cstddef>
#include <optional>
#include <string>

/// Small files that are whole or not there, whenever they are looked at.
namespace openxpc::supervise {

/// Written beside its place and renamed, mode 0600. Errors begin with `what` and the name.
failure_of write_whole(int borrowed_directory, const std::string& name, const void* bytes,
                       std::size_t size, const std::string& what);

/// Nothing when there is no such regular file or it is larger than 4 MiB.
std::optional<std::string> read_whole(int borrowed_directory, const std::string& name);

/// The same for property lists. Errors: not_found, there is no such file; bad_input, it is no
/// property list; they call it by `shown`.
outcome<object_ref> read_plist(int borrowed_directory, const std::string& name,
                               const std::string& shown);
failure_of write_plist(int borrowed_directory, const std::string& name, xpc_object_t list,
                       const std::string& what);

}  // namespace openxpc::supervise
