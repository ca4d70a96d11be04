#pragma once

#include <string>

#include "manager.hpp"
#include "verb.hpp"

/// How jobs and domains are named on the command line: a label in the domain of --domain, or as
/// launchctl does it with the domain in front: system/LABEL, user/UID/LABEL, pid/PID/NAME.
namespace xpcctl {

/// True for the name of a domain: system, user/UID, gui/UID (the same), pid/PID.
bool is_domain(const std::string& text);

/// Splits `given` into a domain and a label; either may be missing. What it says about the domain
/// goes into `here`, unless --domain named its directory.
/// @return 0, or EX_USAGE or EX_UNAVAILABLE, said on standard error
int resolve(const std::string& given, settings* here, std::string* label);

/// The same, where a label must be.
int resolve_job(const std::string& given, settings* here, std::string* label);

/// The same, where the services of a process will not do.
int resolve_domain(const std::string& given, settings* here, std::string* label);

/// Says in an order what was resolved: a job, a process's service, or with no label everything.
void address(const object_ref& order, const settings& here, const std::string& label);

}  // namespace xpcctl
