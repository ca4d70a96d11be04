#pragma once

#include "verbs.hpp"

namespace xpcctl {

/// A verb that takes labels and asks the service manager to do `op` to one job after the other; the
/// first that fails ends it.
action add_each_job(CLI::App& command, const settings& shared, const char* op);

}  // namespace xpcctl
