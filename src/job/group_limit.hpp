#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace openxpc::job {

/// A limit for all processes of a job together, which the kernel keeps by the job's cgroup.
struct group_limit {
  std::string key;  // as the description has it: MemoryMax
  std::uint64_t value = 0;
};

/// What is known about such a key.
struct group_limit_rule {
  const char* key;
  const char* controller;  // of cgroup v2
  const char* file;        // of the cgroup
  std::int64_t least, most;
};

/// In the order of the keys' bytes. nullptr: there is no such limit.
const group_limit_rule* find_group_limit(const std::string& key);

}  // namespace openxpc::job
