#pragma once

#include "connection/listener.hpp"

#include <string>

namespace openxpc::bootstrap {

/// The service link: a connection to the service manager that started this process, on which it
/// checks in, is told to end, and, when the service manager was replaced, hands its listening
/// sockets to the new one. Without one (foreign programs, socket units) everything here does
/// nothing. docs/design/service-link.md is its protocol. Threads: any.

/// Says that this process is ready; once, further calls do nothing.
void check_in();

/// Call before a declared name is listened on: from the first client on, SIGTERM must not kill what
/// was accepted.
void expect_named_listener();

/// A listener on a declared name: it is stopped when the service manager asks the process to end,
/// and then the process ends, unless the program has said that it does that itself. Checks in.
void add_named_listener(base::ref<connection::listener> added);

}  // namespace openxpc::bootstrap
