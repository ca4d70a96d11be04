#pragma once

#include "base/function.hpp"
#include "connection/incoming.hpp"
#include "connection/listener.hpp"

#include <string>

namespace openxpc::bootstrap {

/// The service link: a connection to the service manager that started this process, on which it
/// checks in, is told to end, and, when the service manager was replaced, hands its listening
/// sockets to the new one. Without one (foreign programs, socket units) everything here does
/// nothing. docs/design/service-link.md is its protocol. A service unit of systemd is told that
/// this process is ready where xpcd is told by check-in. Threads: any.

/// Says that this process is ready; once, further calls do nothing.
void check_in();

/// Call before a declared name is listened on: from the first client on, SIGTERM must not kill what
/// was accepted.
void expect_named_listener();

/// A listener on a declared name: it is stopped when the service manager asks the process to end,
/// and then the process ends, unless the program has said that it does that itself. Checks in.
void add_named_listener(base::ref<connection::listener> added);

// --- What else is said on the link ---

/// Whether there is a link; opens it, and checks in for a job that declares no names and so never
/// would.
bool is_linked();
/// A message for the service manager, {op: verb}, to be filled.
base::ref<object::dictionary> word_of(const char* verb);
/// Sends it. What is under way when the service manager goes is lost: see when_link_came_back().
/// Does nothing without a link.
void tell_manager(object::dictionary& word);
/// The same, and calls `answered` with the reply, or with null where there is none, on an engine
/// thread.
void ask_manager(object::dictionary& word,
                 base::function<void(base::ref<object::dictionary>)> answered);
/// The same, but waits for the reply.
base::ref<object::dictionary> ask_manager_and_wait(object::dictionary& word);
/// Calls `told` with each message of the service manager whose op is `verb`; one after the other.
/// Before is_linked() was asked.
void on_order(const char* verb, base::function<void(object::dictionary&)> told);
/// Calls `told` each time another service manager has taken over, which knows nothing.
void when_link_came_back(base::function<void()> told);

}  // namespace openxpc::bootstrap
