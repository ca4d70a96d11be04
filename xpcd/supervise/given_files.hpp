#pragma once

#include "base/fd.hpp"
#include "base/function.hpp"
#include "job/description.hpp"
#include "job/outcome.hpp"
#include "supervise/credentials.hpp"

#include <memory>
#include <optional>
#include <string>

namespace openxpc::supervise {

/// What a job reads from and writes to, which xpcd opens for it. Where a file system does not
/// answer, neither opening nor closing holds xpcd up.
struct given_files {
  base::fd in, out, error;  // empty: the job names none
  /// The mount point of a file system that may hang where they are closed; empty: none does.
  std::string served_mount;

  given_files() = default;
  ~given_files();
  given_files(const given_files&) = delete;
  given_files& operator=(const given_files&) = delete;
};

/// Opens what the description names, as the user that the job runs as: root would open what that
/// user may not. Looks at the working directory as well; whether the job may go there is its own to
/// find out.
/// @param trusted  nobody but root may have had a hand in the directories of the files
/// Calls `then`, perhaps before this returns (bounded_looks::ask()), with nothing, or what is in
/// the way: key, path and reason.
void open_given_files(const job::description& job, const std::optional<credentials>& who,
                      bool trusted, std::shared_ptr<given_files> files,
                      base::function<void(failure_of)> then);

}  // namespace openxpc::supervise
