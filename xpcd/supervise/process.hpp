#pragma once

#include "base/fd.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>

/// Processes, named so that a reused pid is never taken for the one that had it before.
namespace openxpc::supervise {

/// Which process: a pid alone is reused, a pid with its start time is not (F1 of the threat model).
struct process_id {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat: clock ticks since boot
  std::uint64_t pidfd_inode =
      0;  // tells processes apart from kernel 6.9 on; the same for all before
  friend bool operator==(const process_id&, const process_id&) = default;
};

/// The start time of a living or dead but unreaped process; nothing when there is none. Makes only
/// system calls: also for the child between vfork and exec.
std::optional<std::uint64_t> start_ticks_of(pid_t pid) noexcept;

base::fd open_pidfd(pid_t pid) noexcept;
std::uint64_t inode_of(int borrowed_pidfd) noexcept;

/// A pidfd of that very process, or an empty one when it is gone (or its pid is somebody else's
/// now).
base::fd open_process(const process_id& who) noexcept;

/// Reads out of the text of /proc/PID/stat; nothing when it is not such a text.
std::optional<std::uint64_t> parse_start_ticks(const char* text, std::size_t size) noexcept;

}  // namespace openxpc::supervise
