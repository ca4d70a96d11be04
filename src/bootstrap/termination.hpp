#pragma once

#include "base/function.hpp"

namespace openxpc::bootstrap {

/// Being asked to end: by the service manager, by SIGTERM or SIGINT, or by this program itself. It
/// happens once. Threads: any; nothing here blocks but wait_for_termination().

/// From now on SIGTERM and SIGINT ask instead of killing, whatever the program made of them before.
/// Done by on_termination() and wait_for_termination(); idempotent.
void watch_termination_signals();
/// The same for the library's own needs: a signal that the program handles or ignores is left to
/// it.
void watch_unhandled_signals();

/// For the program: calls `asked` once, on an engine thread, when it happens; soon if it has. From
/// then on the program ends itself.
void on_termination(base::function<void()> asked);
/// For the library: the same, but says nothing about who ends the process, and touches no signal.
void when_termination_is_requested(base::function<void()> asked);
/// For the library: calls `told` as the first of all, on the thread that asks, before anybody who
/// might end the process hears of it; at once if it has happened. One only, and it asks for nothing
/// here.
void before_termination(base::function<void()> told);
void wait_for_termination();
bool termination_requested() noexcept;
void request_termination();

/// All is done that had to be done before the end. Ends the process as SIGTERM would have done in
/// the first place, unless the program has said that it ends itself.
void end_unless_program_does();

}  // namespace openxpc::bootstrap
