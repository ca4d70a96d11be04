#include "connection/state.hpp"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

using namespace openxpc::connection;

namespace {

using cell = std::tuple<state, event, bool>;

/// What is special; every cell that is not here must stay where it is and do nothing.
const std::map<cell, step>& expected() {
  static const std::map<cell, step> cells = [] {
    std::map<cell, step> all;
    for (bool comes_back : {false, true}) {
      const step end{state::over, duty::end};
      const step lost = comes_back ? step{state::idle, duty::interrupt} : end;
      auto put = [&](state at, event what, step then) { all[{at, what, comes_back}] = then; };
      put(state::idle, event::message, {state::dialing, duty::dial});
      put(state::dialing, event::opened, {state::open, duty::none});
      put(state::dialing, event::not_opened, {state::dialing, duty::redial});
      put(state::dialing, event::lost, lost);
      put(state::open, event::lost, lost);
      put(state::open, event::stop, {state::stopping, duty::none});
      put(state::stopping, event::drained, {state::stopping, duty::finish});
      put(state::stopping, event::lost, end);
      put(state::idle, event::stop, end);
      put(state::dialing, event::stop, end);
      for (state at : {state::idle, state::dialing, state::open, state::stopping}) {
        put(at, event::unreachable, end);
        put(at, event::cancel, end);
      }
    }
    return all;
  }();
  return cells;
}

}  // namespace

TEST(ConnectionState, EveryStateMeetsEveryEvent) {
  for (bool comes_back : {false, true})
    for (unsigned at = 0; at < state_count; ++at)
      for (unsigned what = 0; what < event_count; ++what) {
        cell here{static_cast<state>(at), static_cast<event>(what), comes_back};
        auto known = expected().find(here);
        step wanted =
            known == expected().end() ? step{static_cast<state>(at), duty::none} : known->second;
        EXPECT_EQ(next(static_cast<state>(at), static_cast<event>(what), comes_back), wanted)
            << "state " << at << ", event " << what << ", comes back " << comes_back;
      }
}

TEST(ConnectionState, OverIsForGood) {
  for (unsigned what = 0; what < event_count; ++what)
    EXPECT_EQ(next(state::over, static_cast<event>(what), true), (step{state::over, duty::none}));
}
