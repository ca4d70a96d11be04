#pragma once

#include "base/function.hpp"

#include <cstddef>
#include <cstdint>

// The engine: a few threads that wait for descriptors and clocks so that connections need none of
// their own. This header has what runs on them; registration.hpp waits for descriptors, timer.hpp
// for instants, blocking.hpp says that a callback is about to sleep, fork.hpp what is left of it
// all in a forked child. README.md tells how it works.

namespace openxpc::engine {

/// One epoll set with the thread that happens to run it. Loops are made at the first use and live
/// as long as the process.
class loop;

using task = base::function<void()>;

/// A loop to register with or to post to: the caller's own when it is a callback of the engine,
/// else the next in turn.
loop& any_loop() noexcept;
/// The next loop in turn, for what should spread over all of them.
loop& next_loop() noexcept;
/// The loop whose callback the calling thread runs, or null: also null once that callback has lost
/// its loop (blocking.hpp).
loop* current_loop() noexcept;

/// Runs `work` soon on that loop, never inside this call. Tasks of one loop start in the order of
/// the calls, but a task that blocks does not hold up the next one, so they are no substitute for a
/// lock. Costs a system call only when the loop sleeps. False in a forked child, where it is
/// dropped. Threads: any.
bool post(loop& where, task work);
bool post(task work);

/// Who turns the loops.
enum class drive : std::uint8_t {
  threads,  ///< threads of the engine, which is what happens unless chosen otherwise
  program   ///< the program, from one descriptor: see borrowed_fd()
};
/// Chooses, before the engine was first used. False when it is too late and another choice stands.
bool choose_drive(drive who) noexcept;
/// The descriptor that becomes readable when poll() has something to do. Only with drive::program,
/// else -1.
int borrowed_fd() noexcept;
/// Runs what is ready now and returns without waiting; the number of callbacks. Only with
/// drive::program, by one thread at a time. A callback that blocks then blocks the program's own
/// loop: there are no spare threads in this mode.
std::size_t poll();

}  // namespace openxpc::engine
