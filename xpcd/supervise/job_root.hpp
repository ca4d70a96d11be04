#pragma once

#include "base/fd.hpp"
#include "job/outcome.hpp"

#include <string>

/// RootDirectory: a job that sees nothing but what is in one directory.
namespace openxpc::supervise {

/// The directory, which only root can have put there. Errors name the key and the step. Its file
/// system may not answer: for bounded_looks.
outcome<base::fd> open_job_root(const std::string& path);

/// A descriptor of the same directory from which no ".." leads out, for somebody who is not to get
/// out: a mount of its own, which lives as long as the descriptor. Empty with errno where the
/// system does not let us.
base::fd enclosed_directory(int borrowed_directory) noexcept;

}  // namespace openxpc::supervise
