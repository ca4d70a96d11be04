#pragma once

#include <cstdint>

// The life of a conversation as a table: what it is, what happens, what becomes of it and what is
// to be done. It does nothing itself; conversation.cpp does what it says, state_test.cpp visits
// every cell.
namespace openxpc::connection {

enum class state : std::uint8_t {
  idle,      ///< not connected; the next message connects (and launches the service)
  dialing,   ///< connecting, or waiting to try again; nothing was said yet
  open,      ///< both hellos are exchanged
  stopping,  ///< planned stop: takes nothing new, answers what it has
  over,      ///< for good
};
inline constexpr unsigned state_count = 5;

enum class event : std::uint8_t {
  message,      ///< something is to be sent
  opened,       ///< the hellos are exchanged
  not_opened,   ///< the attempt ended before anything was said, and may be repeated
  unreachable,  ///< the name does not exist, or nobody will ever serve it
  lost,         ///< the channel ended after it was open
  cancel,       ///< this side ends it
  stop,         ///< this side ends it in order
  drained,      ///< after stop: all that the other side had sent is here
};
inline constexpr unsigned event_count = 8;

enum class duty : std::uint8_t {
  none,
  dial,       ///< look the name up and connect
  redial,     ///< connect again, after a moment
  interrupt,  ///< tell the handler that the other side's state is gone; come back with the next
              ///< message
  end,        ///< tell everybody that it is over
  finish,     ///< answer what is in hand, then close
};

struct step {
  state to;
  duty then;
  friend constexpr bool operator==(const step&, const step&) = default;
};

/// @param comes_back  a connection by name, which an interruption does not end.
[[nodiscard]] constexpr step next(state at, event what, bool comes_back) noexcept {
  const step same{at, duty::none};
  const step end{state::over, duty::end};
  const step lost = comes_back ? step{state::idle, duty::interrupt} : end;
  switch (at) {
    case state::idle:
      switch (what) {
        case event::message:
          return {state::dialing, duty::dial};
        case event::unreachable:
        case event::cancel:
        case event::stop:
          return end;
        default:
          return same;
      }
    case state::dialing:
      switch (what) {
        case event::opened:
          return {state::open, duty::none};
        case event::not_opened:
          return {state::dialing, duty::redial};
        case event::lost:
          return lost;
        case event::unreachable:
        case event::cancel:
        case event::stop:
          return end;
        default:
          return same;
      }
    case state::open:
      switch (what) {
        case event::lost:
          return lost;
        case event::unreachable:
        case event::cancel:
          return end;
        case event::stop:
          return {state::stopping, duty::none};
        default:
          return same;
      }
    case state::stopping:
      switch (what) {
        case event::drained:
          return {state::stopping, duty::finish};
        case event::lost:
        case event::unreachable:
        case event::cancel:
          return end;
        default:
          return same;
      }
    case state::over:
      return same;
  }
  return same;
}

}  // namespace openxpc::connection
