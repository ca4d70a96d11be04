#pragma once

#include "job/description.hpp"
#include "job/outcome.hpp"
#include "supervise/credentials.hpp"

#include <optional>
#include <string>

/// Hardened jobs: processes that others of the same user can neither read, trace nor change, from
/// their first instruction on. Two things make them so. Their program can be executed but not read
/// by that user, so the kernel keeps everybody but root from their memory (program_rule::hardened);
/// and we give them a group that nobody else gets, by which others tell them apart. We set the
/// group ourselves: a program that is set-gid to it gains nothing where there are no new
/// privileges.
namespace openxpc::supervise {

/// Gives a job's credentials the group, if it is to be hardened; one that is not may not have it.
/// @param group  its name or number. Errors name the key: no such group, a group with members, a
/// user who may read everything.
failure_of harden(const job::process_setup& setup, const std::string& group,
                  std::optional<credentials>* who);

}  // namespace openxpc::supervise
