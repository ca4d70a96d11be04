#pragma once

#include <sys/types.h>

#include <cstdint>

namespace pair_bench {

/// Follows a child (started with PTRACE_TRACEME and a SIGSTOP) and all its threads until it ends,
/// and counts what they ask of the kernel between the two marks: calls of getpgid(-1) and
/// getpgid(-2), which do nothing.
/// @return system calls between the marks; 0 when this machine does not allow tracing.
std::uint64_t count_system_calls(pid_t child);
void mark_begin();
void mark_end();

}  // namespace pair_bench
