// xpcctl bootout, remove: jobs out of the service manager, their processes ended.

#include "each_job.hpp"

namespace xpcctl {

action add_bootout(CLI::App& command, const settings& shared) {
  return add_each_job(command, shared, "bootout");
}

action add_remove(CLI::App& command, const settings& shared) {
  return add_bootout(command, shared);
}

}  // namespace xpcctl
