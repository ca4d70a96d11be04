// CgroupLimits: what all processes of a job together may use.

#include "job/group_limit.hpp"
#include "job/read_keys.hpp"

#include <limits>

namespace openxpc::job {

namespace {

constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();

constexpr group_limit_rule rules[] = {
    {"CPUQuota", "cpu", "cpu.max", 1, 100000},
    {"CPUWeight", "cpu", "cpu.weight", 1, 10000},
    {"IOWeight", "io", "io.weight", 1, 10000},
    {"MemoryHigh", "memory", "memory.high", 0, any},
    {"MemoryMax", "memory", "memory.max", 0, any},
    {"MemorySwapMax", "memory", "memory.swap.max", 0, any},
    {"TasksMax", "pids", "pids.max", 1, std::numeric_limits<std::int32_t>::max()},
};

}  // namespace

const group_limit_rule* find_group_limit(const std::string& key) {
  for (const group_limit_rule& one : rules) {
    if (key == one.key) return &one;
  }
  return nullptr;
}

/// An unknown limit is an error and not a warning: whoever declares one relies on it.
void read_group_limits(reader& in, const key_path& path, xpc_object_t value, description* job) {
  if (!in.is_dictionary(path, value, "dictionary of integers")) return;
  each_entry(value, [&](const std::string& name, xpc_object_t number) {
    const key_path here{path.front(), name};
    const group_limit_rule* rule = find_group_limit(name);
    if (rule == nullptr) {
      std::string all;
      for (const group_limit_rule& one : rules)
        all += (all.empty() ? "" : ", ") + std::string(one.key);
      return in.error(here, "there is no such limit; expected one of " + all);
    }
    std::int64_t limit = 0;
    if (!in.integer(here, number, {rule->least, rule->most}, &limit)) return;
    job->group_limits.push_back({name, static_cast<std::uint64_t>(limit)});
  });
}

}  // namespace openxpc::job
