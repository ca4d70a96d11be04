#pragma once

#include "verbs.hpp"

namespace xpcctl {

/// A verb that takes labels and asks the service manager to do `op` to one job after the other; the
/// first that fails ends it. That a job was not there to begin with, where its end is asked for, is
/// said on standard error.
action add_each_job(CLI::App& command, const settings& shared, const char* op);

}  // namespace xpcctl
