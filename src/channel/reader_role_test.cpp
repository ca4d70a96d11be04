#include "channel/reader_role.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

// Every state with every event, as a table. How threads get in each other's way is
// role_interleaving_test.cpp.
namespace openxpc::channel {

namespace {

using holder = reader_role::holder;
using turn = reader_role::turn;
using duty = reader_role::handed::duty;
using alarm = reader_role::alarm;

/// A role in one of its states, with a thread `reader` that reads (if a thread does), `sleeper`
/// that waits (if asked for), and a newcomer.
struct scene {
  reader_role role;
  waiter reader, sleeper, newcomer;
  bool role_claimed = false;

  scene(holder state, bool somebody_waits) {
    auto come = [&](waiter& who, bool can_poll, turn expected) {
      EXPECT_EQ(role.look(who, can_poll), expected);
    };
    if (state != holder::detached) role.attach();
    if (state == holder::thread) come(reader, true, turn::read);
    // Nobody stays asleep in state armed but one who cannot poll.
    const bool by_way_of_engine = state == holder::engine || state == holder::closed;
    if (by_way_of_engine) role_claimed = role.engine_claims();
    if (somebody_waits) come(sleeper, state != holder::armed, turn::sleep);
    if (state == holder::closed) role.close([](waiter&) {});
    EXPECT_EQ(role.held_by(), state);
  }
};

constexpr holder all_states[] = {holder::detached, holder::armed, holder::engine, holder::thread,
                                 holder::closed};

/// What an event did: where the role is now, and what was to be done.
struct seen {
  holder then;
  std::string done;
  friend bool operator==(const seen&, const seen&) = default;
};
std::ostream& operator<<(std::ostream& to, const seen& what) {
  return to << "{" << static_cast<int>(what.then) << ", " << what.done << "}";
}

std::string name(turn what) {
  constexpr const char* names[] = {"read", "sleep", "finished", "closed"};
  return names[static_cast<int>(what)];
}
std::string name(reader_role::handed what) {
  constexpr const char* names[] = {"nothing", "arm", "wake"};
  return names[static_cast<int>(what.what)];
}
std::string name(alarm what) {
  constexpr const char* names[] = {"none", "sleeper", "poller"};
  return names[static_cast<int>(what)];
}

struct event {
  const char* what;
  std::function<std::string(scene&)> happen;
  /// For detached, armed, engine, thread, closed: nobody waits.
  seen alone[5];
  /// The same with a sleeper in the queue (who cannot poll in state armed, otherwise he would
  /// read).
  seen waited_for[5];
};

const std::vector<event>& events() {
  constexpr auto d = holder::detached, a = holder::armed, e = holder::engine, t = holder::thread,
                 c = holder::closed;
  static const std::vector<event> table = {
      {"attach",
       [](scene& s) { return name(s.role.attach()); },
       {{a, "arm"}, {a, "nothing"}, {e, "nothing"}, {t, "nothing"}, {c, "nothing"}},
       {{t, "wake"}, {a, "nothing"}, {e, "nothing"}, {t, "nothing"}, {c, "nothing"}}},
      {"the registration fires",
       [](scene& s) { return std::string(s.role.engine_claims() ? "claimed" : "stale"); },
       {{d, "stale"}, {e, "claimed"}, {e, "stale"}, {t, "stale"}, {c, "stale"}},
       {{d, "stale"}, {e, "claimed"}, {e, "stale"}, {t, "stale"}, {c, "stale"}}},
      {"the engine comes to tell something",
       [](scene& s) {
         return std::string(s.role.engine_claims_even_detached() ? "claimed" : "stale");
       },
       {{e, "claimed"}, {e, "claimed"}, {e, "stale"}, {t, "stale"}, {c, "stale"}},
       {{e, "claimed"}, {e, "claimed"}, {e, "stale"}, {t, "stale"}, {c, "stale"}}},
      {"a synchronous call",
       [](scene& s) { return name(s.role.look(s.newcomer, true)); },
       {{d, "sleep"}, {t, "read"}, {e, "sleep"}, {t, "sleep"}, {c, "closed"}},
       {{d, "sleep"}, {t, "read"}, {e, "sleep"}, {t, "sleep"}, {c, "closed"}}},
      {"a synchronous call without a bell",
       [](scene& s) { return name(s.role.look(s.newcomer, false)); },
       {{d, "sleep"}, {a, "sleep"}, {e, "sleep"}, {t, "sleep"}, {c, "closed"}},
       {{d, "sleep"}, {a, "sleep"}, {e, "sleep"}, {t, "sleep"}, {c, "closed"}}},
      {"the reader looks again",
       [](scene& s) { return name(s.role.look(s.reader, true)); },
       {{d, "sleep"}, {t, "read"}, {e, "sleep"}, {t, "read"}, {c, "closed"}},
       {{d, "sleep"}, {t, "read"}, {e, "sleep"}, {t, "read"}, {c, "closed"}}},
      {"the engine gives up",
       [](scene& s) { return name(s.role.give_up(nullptr)); },
       {{d, "nothing"}, {a, "nothing"}, {a, "arm"}, {t, "nothing"}, {c, "nothing"}},
       {{d, "nothing"}, {a, "nothing"}, {t, "wake"}, {t, "nothing"}, {c, "nothing"}}},
      {"the reader leaves",
       [](scene& s) { return name(s.role.leave(s.reader)); },
       {{d, "nothing"}, {a, "nothing"}, {e, "nothing"}, {a, "arm"}, {c, "nothing"}},
       {{d, "nothing"}, {a, "nothing"}, {e, "nothing"}, {t, "wake"}, {c, "nothing"}}},
      {"the sleeper leaves",
       [](scene& s) { return name(s.role.leave(s.sleeper)); },
       {{d, "nothing"}, {a, "nothing"}, {e, "nothing"}, {t, "nothing"}, {c, "nothing"}},
       {{d, "nothing"}, {a, "nothing"}, {e, "nothing"}, {t, "nothing"}, {c, "nothing"}}},
      {"an answer for the reader",
       [](scene& s) { return name(s.role.finish(s.reader)); },
       {{d, "sleeper"}, {a, "sleeper"}, {e, "sleeper"}, {t, "poller"}, {c, "sleeper"}},
       {{d, "sleeper"}, {a, "sleeper"}, {e, "sleeper"}, {t, "poller"}, {c, "sleeper"}}},
      {"an answer for the sleeper",
       [](scene& s) { return name(s.role.finish(s.sleeper)); },
       {{d, "sleeper"}, {a, "sleeper"}, {e, "sleeper"}, {t, "sleeper"}, {c, "sleeper"}},
       {{d, "sleeper"}, {a, "sleeper"}, {e, "sleeper"}, {t, "sleeper"}, {c, "sleeper"}}},
  };
  return table;
}

TEST(ReaderRole, MeetsEveryEventInEveryState) {
  for (const event& each : events())
    for (std::size_t state = 0; state < 5; ++state)
      for (bool somebody : {false, true}) {
        scene at(all_states[state], somebody);
        const std::string done = each.happen(at);
        EXPECT_EQ((seen{at.role.held_by(), done}), (somebody ? each.waited_for : each.alone)[state])
            << each.what << " in state " << state << (somebody ? ", somebody waits" : "");
      }
}

TEST(ReaderRole, PassesOverThoseWhoAreAnsweredOrLeaving) {
  scene at(holder::engine, true);
  waiter second, third;
  EXPECT_EQ(at.role.look(second, true), turn::sleep);
  EXPECT_EQ(at.role.look(third, true), turn::sleep);
  at.role.finish(at.sleeper);
  at.role.leave(second);
  const auto to = at.role.give_up(nullptr);
  EXPECT_EQ(to.what, duty::wake);
  EXPECT_EQ(to.next, &third);
  EXPECT_EQ(at.role.reading(), &third);
}

TEST(ReaderRole, AppointedAtTheLastMomentHandsOver) {
  scene at(holder::engine, true);
  waiter second;
  EXPECT_EQ(at.role.look(second, true), turn::sleep);
  EXPECT_EQ(at.role.give_up(nullptr).next, &at.sleeper);
  // Its deadline has passed before it saw the appointment.
  const auto to = at.role.leave(at.sleeper);
  EXPECT_EQ(to.what, duty::wake);
  EXPECT_EQ(to.next, &second);
}

TEST(ReaderRole, TheEndWakesEverybodyOnce) {
  scene at(holder::engine, true);
  EXPECT_EQ(at.role.look(at.newcomer, false), turn::sleep);
  std::vector<waiter*> woken;
  at.role.close([&](waiter& each) { woken.push_back(&each); });
  EXPECT_EQ(woken, (std::vector<waiter*>{&at.sleeper, &at.newcomer}));
  EXPECT_EQ(at.role.look(at.sleeper, true), turn::closed);
}

TEST(ReaderRole, FinishedWinsOverClosed) {
  scene at(holder::engine, true);
  at.role.finish(at.sleeper);
  at.role.close([](waiter&) {});
  EXPECT_EQ(at.role.look(at.sleeper, true), turn::finished);
}

TEST(ReaderRole, ALostWireMakesTheReaderASleeper) {
  scene at(holder::thread, false);
  at.role.detach();
  EXPECT_EQ(at.role.held_by(), holder::detached);
  EXPECT_EQ(at.role.attach().next, &at.reader);
}

}  // namespace
}  // namespace openxpc::channel
