#pragma once

#include "base/fd.hpp"
#include "job/outcome.hpp"

#include <cstddef>
#include <string>
#include <vector>

/// What services print. Without a StandardErrorPath it goes into a file beside the run state, not
/// into a pipe: a service must not die of SIGPIPE, nor stand still, because xpcd was killed, and
/// the next xpcd can still show the last lines.
namespace openxpc::supervise {

/// Opens (and empties) the kept file of a run. It is written at its end.
outcome<base::fd> open_kept_output(int borrowed_run_fd, const std::string& file);

/// Opens a StandardOutPath or StandardErrorPath: appended to, made with mode 0644, never through a
/// symbolic link as its last part. @param trusted its directory must be one where only root can
/// have put things (trusted_path.hpp).
outcome<base::fd> open_output_path(const std::string& path, bool trusted = false);

/// Opens a StandardInPath for reading.
outcome<base::fd> open_input_path(const std::string& path, bool trusted = false);

/// Lines at the end of a file, at most `lines` of at most `bytes` together. Empty when it cannot be
/// read. Control characters are made visible: they must not reach a terminal.
std::vector<std::string> last_lines(int borrowed_file, std::size_t lines,
                                    std::size_t bytes = 16384);

/// Gives back the memory of what nobody will be shown once more than `most` bytes are kept; the end
/// of the file stays.
void trim_kept_output(int borrowed_file, std::size_t most) noexcept;

}  // namespace openxpc::supervise
