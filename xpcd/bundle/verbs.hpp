#pragma once

#include "control/verbs.hpp"

#include <string>

/// The control interface to the services of applications.
namespace openxpc::bundle {

/// The verb `private-service`: {name, instance, connection}, see applications::look_up(). For
/// whoever has a program: what it is given depends on that alone.
void private_service(supervise::supervisor& jobs, control::verb_call& call,
                     control::answer answered);

/// A request that names an application, {application: PID}, is about its services and not about the
/// domain's. Those that need no job are answered here: list, and print without a label. For others
/// `*message` becomes the same request about the job. False: it was answered.
bool turn_to_application(const std::string& op, control::verb_call& call, object_ref* message,
                         control::answer* answered);

}  // namespace openxpc::bundle
