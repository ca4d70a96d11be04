#pragma once

#include <cstdint>

/// What becomes of a job: a table that decides and does nothing. The supervisor performs the
/// duties; its test visits every state with every event.
///
/// A job waits (idle) until a client connects to one of its names, or is kept running. A start is a
/// duty whose outcome comes back as an event. Runs that end badly and quickly make the next start
/// wait (throttled), and too many of them in a row end in failed, where clients are refused with
/// the reason until something gives the job another chance.
///
/// An upgrade starts a second process, the candidate, beside the first one (upgrading). Once it has
/// checked in it takes the names, and the first one is retired: from then on that is no process of
/// this table. A process of a changed executable is on trial until it has checked in, whoever
/// started it: if it does not get that far the executable that checked in last is started instead.
namespace openxpc::supervise {

enum class state : std::uint8_t {
  idle,        // no process; the listeners are watched
  throttled,   // no process, and none may start before the timer; clients wait
  starting,    // a process was started (or is being started), it has not checked in
  running,     // checked in
  upgrading,   // checked in, and the candidate was started beside it
  stopping,    // asked to end, idle afterwards
  restarting,  // asked to end, started again afterwards
  removing,    // asked to end, forgotten afterwards
  failed,      // no process; whoever connects is refused with the reason
  gone,        // forgotten
};
inline constexpr int state_count = 10;

enum class event : std::uint8_t {
  load,              // the description came in; `wish` says whether it runs at once
  adopt,             // a new xpcd found the process of the one before it, alive
  activity,          // somebody waits at a listener
  spawned,           // outcomes of duty `start`
  spawn_failed,      // ... for a reason that will not go away by itself
  spawn_delayed,     // ... for lack of resources
  spawned_on_trial,  // ... of an executable that never checked in, while another one did
  checked_in,        // the process said that it is ready
  trial_ended,       // the process is gone, it was on trial and never said so
  candidate_ready,   // the candidate said that it is ready
  candidate_lost,    // it is gone, or could not be started
  exited,            // the process is gone; the next start need not wait
  exited_quickly,    // ... and must wait
  exited_too_often,  // ... and enough is enough
  timer,             // what the last timing duty set
  kickstart,         // verbs
  restart,
  stop,
  bootout,
  upgrade_beside,  // a new version is there; both may run at once
  upgrade_after,   // ... and the old one must end first
};
inline constexpr int event_count = 21;

/// Whether the job is to run without anybody asking for it: KeepAlive, or RunAtLoad when it is
/// loaded.
enum class wish : std::uint8_t { on_demand, keep };

using duties = std::uint32_t;
enum duty : duties {
  none = 0,
  start = 1,              // start the program, report by an event
  ask_exit = 2,           // SIGTERM, or the request over the service link
  kill_hard = 4,          // SIGKILL to the process group
  refuse = 8,             // accept whoever waits and tell them the reason
  remove = 16,            // take the names away, forget the job
  time_throttle = 32,     // a timer until the next start is allowed
  time_exit = 64,         // a timer of ExitTimeOut
  time_failed = 128,      // a timer of the time that a failed job rests
  time_retry = 256,       // a timer after a start that could not be tried
  untime = 512,           // cancel the timer
  start_beside = 1024,    // start the candidate with sockets of its own, report by an event
  hand_over = 2048,       // the candidate takes the names; what ran before it is retired
  promote = 4096,         // the candidate is the process of this job from now on, as it is
  drop_candidate = 8192,  // end the candidate and its sockets
  revert = 16384,         // from now on start the executable that checked in last
  time_check_in = 32768,  // a timer of the time within which a trial must check in
};

struct step {
  state to;
  duties then;
  friend constexpr bool operator==(const step&, const step&) = default;
};

/// There is a process, or there is about to be one.
constexpr bool has_process(state at) {
  return at == state::starting || at == state::running || at == state::upgrading ||
         at == state::stopping || at == state::restarting || at == state::removing;
}
/// Somebody waiting at a listener is an event: it starts the job, or is refused.
constexpr bool watches_listeners(state at) { return at == state::idle || at == state::failed; }
/// No process, and none for a while.
constexpr bool rests(state at) { return at == state::throttled || at == state::failed; }
/// The process was asked to end.
constexpr bool is_ending(state at) {
  return at == state::stopping || at == state::restarting || at == state::removing;
}
constexpr bool is_exit(event what) {
  return what == event::exited || what == event::exited_quickly ||
         what == event::exited_too_often || what == event::trial_ended;
}

const char* name_of(state at) noexcept;

namespace detail {

constexpr step after_rest(wish want, duties also) {
  if (want == wish::keep) return {state::starting, static_cast<duties>(start | also)};
  return {state::idle, also};
}

constexpr step without_process(state at, event what, wish want) {
  const bool timed = rests(at);
  const duties stop_timer = timed ? untime : none;
  switch (what) {
    case event::load:
      return at == state::idle ? after_rest(want, none) : step{at, none};
    case event::adopt:
      return {state::running, stop_timer};
    case event::activity:
      if (at == state::idle) return {state::starting, start};
      return {at, at == state::failed ? refuse : none};
    case event::timer:
      return timed ? after_rest(want, none) : step{at, none};
    case event::upgrade_beside:
    case event::upgrade_after:
      // What failed gets another chance with the new version; what rests starts with it some day.
      return timed ? after_rest(want, untime) : step{at, none};
    case event::kickstart:
    case event::restart:
      return {state::starting, static_cast<duties>(start | stop_timer)};
    case event::bootout:
      return {state::gone, static_cast<duties>(remove | stop_timer)};
    default:
      return {at, none};
  }
}

/// In starting there may be the timer of a trial.
constexpr step with_process(state at, event what, wish want) {
  const bool starting = at == state::starting;
  const duties stop_timer = starting ? untime : none;
  switch (what) {
    case event::spawned_on_trial:
      return {at, starting ? time_check_in : none};
    case event::checked_in:
      return {state::running, stop_timer};
    case event::spawn_failed:
      return {state::failed, refuse | time_retry};
    case event::spawn_delayed:
      return {state::throttled, time_retry};
    case event::trial_ended:
      if (starting) return {at, start | revert | untime};
      return after_rest(want, none);
    case event::exited:
      return after_rest(want, stop_timer);
    case event::exited_quickly:
      return {state::throttled, time_throttle};
    case event::exited_too_often:
      return {state::failed, refuse | time_failed};
    case event::timer:
      // It does not say that it is ready, and never will.
      if (starting) return {state::restarting, kill_hard | revert};
      return {at, none};
    case event::restart:
    case event::upgrade_after:
      return {state::restarting, ask_exit | time_exit};
    case event::upgrade_beside:
      if (starting) return {state::restarting, ask_exit | time_exit};
      return {state::upgrading, start_beside | time_check_in};
    case event::stop:
      return {state::stopping, ask_exit | time_exit};
    case event::bootout:
      return {state::removing, ask_exit | time_exit};
    default:
      return {at, none};
  }
}

/// Two processes; the timer is that of the candidate's check-in.
constexpr step upgrading(event what) {
  if (is_exit(what)) return {state::starting, promote};
  switch (what) {
    case event::checked_in:  // the old one, once more
      return {state::upgrading, none};
    case event::candidate_ready:
      return {state::running, hand_over | untime};
    case event::candidate_lost:
      return {state::running, drop_candidate | untime};
    case event::timer:
      return {state::running, drop_candidate};
    case event::restart:
      return {state::restarting, drop_candidate | ask_exit | time_exit};
    case event::stop:
      return {state::stopping, drop_candidate | ask_exit | time_exit};
    case event::bootout:
      return {state::removing, drop_candidate | ask_exit | time_exit};
    default:
      return {state::upgrading, none};
  }
}

/// The timer that was set with the first request goes on whatever is asked for later: ExitTimeOut
/// counts from the request.
constexpr step ending(state at, event what, wish want) {
  if (is_exit(what)) {
    if (at == state::removing) return {state::gone, remove | untime};
    if (at == state::restarting) return {state::starting, start | untime};
    return after_rest(want, untime);
  }
  switch (what) {
    case event::timer:
      return {at, kill_hard};
    case event::kickstart:
    case event::restart:
      return {at == state::removing ? at : state::restarting, none};
    case event::stop:
      return {at == state::removing ? at : state::stopping, none};
    case event::bootout:
      return {state::removing, none};
    default:
      return {at, none};
  }
}

}  // namespace detail

/// What a job in state `at` does about `what`. Events that cannot happen in a state change nothing.
[[nodiscard]] constexpr step next(state at, event what, wish want) {
  if (at == state::gone) return {at, none};
  if (is_ending(at)) return detail::ending(at, what, want);
  if (at == state::upgrading) return detail::upgrading(what);
  if (has_process(at)) return detail::with_process(at, what, want);
  return detail::without_process(at, what, want);
}

}  // namespace openxpc::supervise
