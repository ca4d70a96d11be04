#include "channel/reader_role.hpp"
#include "channel/role_model.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

// Two callers, the engine, a peer that answers, and one who cancels or answers from the side, in
// every order their steps can have. A step is what wait(), ready(), finish() and cancel() do
// between taking and freeing the lock, or a sleep; the real reader_role decides. Whatever the
// order: when nothing can move any more, every caller has returned, nothing that arrived is unread,
// and somebody is there for what comes next. One lost wake-up, and some order ends with a sleeper.
namespace openxpc::channel {

namespace {

using holder = reader_role::holder;

struct scenario {
  bool may_time_out[2] = {false, false};
  bool can_poll[2] = {true, true};
  std::string answers = "AB";  ///< what the peer sends, in this order; 'x' is for nobody
  bool canceller = false;
  bool finisher = false;  ///< answers A from another thread
  bool starts_detached = false;
};

enum class at : std::uint8_t { look, asleep, reading, polling, receiving, done };
enum class engine_at : std::uint8_t { idle, claiming, receiving, giving };

struct world {
  const scenario& plan;
  reader_role role;
  waiter who[2];
  int news[2] = {0, 0};
  bool bell[2] = {false, false};
  at where[2] = {at::look, at::look};
  bool result_is_answer[2] = {false, false};
  engine_at engine = engine_at::idle;
  std::string sent;  // in the wire
  std::size_t next_answer = 0;
  bool armed = false, attached = false, ending = false, posted = false;
  bool cancelled = false, answered_aside = false;

  explicit world(const scenario& of) : plan(of) {
    if (!plan.starts_detached) attach();
  }

  int index(const waiter* of) const { return of == &who[1]; }

  void act(reader_role::handed what) {
    if (what.what == reader_role::handed::duty::arm) armed = true;
    if (what.what == reader_role::handed::duty::wake) news[index(what.next)] = 1;
  }
  void attach() {
    attached = true;
    act(role.attach());
  }
  void finish(int which) {
    switch (role.finish(who[which])) {
      case reader_role::alarm::none:
        break;
      case reader_role::alarm::sleeper:
        news[which] = 1;
        break;
      case reader_role::alarm::poller:
        bell[which] = true;
        break;
    }
  }
  void deliver() {
    if (sent.empty()) return;
    const char what = sent.front();
    sent.erase(0, 1);
    if (what == 'A') finish(0);
    if (what == 'B') finish(1);
  }
  void finale() {
    role.close([this](waiter& each) { news[index(&each)] = 1; });
    armed = false;
  }
  bool wire_speaks() const { return attached && (!sent.empty() || ending); }

  // Steps: 0, 1 callers; 2, 3 their time-outs; 4 engine; 5 posted work; 6 peer; 7 canceller; 8
  // finisher; 9 attaching.
  static constexpr int steps = 10;
  bool enabled(int step) const {
    switch (step) {
      case 0:
      case 1:
        if (where[step] == at::done) return false;
        if (where[step] == at::asleep) return news[step] != 0;
        if (where[step] == at::polling) return bell[step] || wire_speaks();
        return true;
      case 2:
      case 3:
        return plan.may_time_out[step - 2] &&
               (where[step - 2] == at::asleep || where[step - 2] == at::polling);
      case 4:
        return engine == engine_at::idle ? armed && wire_speaks() : true;
      case 5:
        return posted && engine == engine_at::idle;
      case 6:
        return attached && next_answer < plan.answers.size();
      case 7:
        return plan.canceller && !cancelled;
      case 8:
        return plan.finisher && !answered_aside;
      default:
        return !attached;
    }
  }

  void caller(int me) {
    switch (where[me]) {
      case at::look:
        switch (role.look(who[me], plan.can_poll[me])) {
          case reader_role::turn::read:
            where[me] = at::reading;
            return;
          case reader_role::turn::sleep:
            news[me] = 0;
            where[me] = at::asleep;
            return;
          case reader_role::turn::finished:
            result_is_answer[me] = true;
            [[fallthrough]];
          case reader_role::turn::closed:
            return leave(me);
        }
        return;
      case at::asleep:
        where[me] = at::look;
        return;
      case at::reading:  // what is asked of the holder before it sleeps
        if (ending) {
          finale();
          where[me] = at::look;
        } else {
          where[me] = role_model::finished(who[me]) ? at::look : at::polling;
        }
        return;
      case at::polling:
        bell[me] = false;
        where[me] = at::receiving;
        return;
      case at::receiving:
        deliver();
        where[me] = at::look;
        return;
      case at::done:
        return;
    }
  }
  void leave(int me) {
    where[me] = at::done;
    if (role.reading() == &who[me]) {
      if (ending)
        finale();
      else
        act(role.give_up(&who[me]));
    } else {
      role.forget(who[me]);
    }
  }
  void time_out(int me) {
    if (role_model::finished(who[me])) {
      result_is_answer[me] = true;
    }
    leave(me);
  }
  void engine_step() {
    switch (engine) {
      case engine_at::idle:
        armed = false;
        engine = engine_at::claiming;
        return;
      case engine_at::claiming:
        engine = role.engine_claims() ? engine_at::receiving : engine_at::idle;
        return;
      case engine_at::receiving:
        deliver();
        engine = engine_at::giving;
        return;
      case engine_at::giving:
        engine = engine_at::idle;
        if (ending) return finale();
        if (!attached) return role.detach();
        return act(role.give_up(nullptr));
    }
  }
  void step(int which) {
    switch (which) {
      case 0:
      case 1:
        return caller(which);
      case 2:
      case 3:
        return time_out(which - 2);
      case 4:
        return engine_step();
      case 5:
        posted = false;
        if (role.engine_claims_even_detached()) engine = engine_at::giving;
        return;
      case 6:
        sent += plan.answers[next_answer++];
        return;
      case 7:
        cancelled = ending = true;
        if (role.held_by() == holder::armed || role.held_by() == holder::detached) posted = true;
        if (const waiter* reader = role.reading()) bell[index(reader)] = true;
        return;
      case 8:
        answered_aside = true;
        return finish(0);
      default:
        return attach();
    }
  }

  std::string encode() const {
    std::string out;
    auto add = [&](int value) { out += static_cast<char>('0' + value); };
    add(static_cast<int>(role.held_by()));
    add(role.reading() ? 1 + index(role.reading()) : 0);
    for (int i = 0; i < 2; ++i) {
      add(news[i]);
      add(bell[i]);
      add(static_cast<int>(where[i]));
      add(result_is_answer[i]);
      add(role_model::finished(who[i]));
    }
    out += role.order([this](const waiter& each) { return static_cast<char>('a' + index(&each)); });
    add(static_cast<int>(engine));
    add(static_cast<int>(next_answer));
    add(armed);
    add(attached);
    add(ending);
    add(posted);
    add(cancelled);
    add(answered_aside);
    return out + "/" + sent;
  }
};

/// All orders, with states met before cut off. Returns how many states there are.
std::size_t explore(const scenario& plan) {
  std::set<std::string> met;
  std::deque<std::vector<int>> to_visit{{}};
  while (!to_visit.empty()) {
    const std::vector<int> path = std::move(to_visit.front());
    to_visit.pop_front();
    auto now = std::make_unique<world>(plan);
    for (int each : path) now->step(each);
    if (!met.insert(now->encode()).second) continue;
    bool any = false;
    for (int each = 0; each < world::steps; ++each) {
      if (!now->enabled(each)) continue;
      any = any || (each != 2 && each != 3);  // a time-out must not be what saves a caller
      std::vector<int> further = path;
      further.push_back(each);
      to_visit.push_back(std::move(further));
    }
    if (any) continue;
    std::string order;
    for (int each : path) order += std::to_string(each) + " ";
    for (int i = 0; i < 2; ++i)
      EXPECT_EQ(now->where[i], at::done) << "caller " << i << " sleeps for ever after " << order;
    if (now->role.held_by() == holder::closed) continue;
    EXPECT_FALSE(now->ending) << "the end was lost after " << order;
    EXPECT_EQ(now->role.held_by(), holder::armed) << order;
    EXPECT_TRUE(now->armed) << "nobody listens any more after " << order;
    EXPECT_TRUE(now->sent.empty()) << "unread after " << order;
    if (::testing::Test::HasFailure()) break;
  }
  return met.size();
}

TEST(ReaderRoleInterleaving, TwoCallersTheEngineAndACancellerLoseNoWakeUp) {
  std::size_t states = 0;
  for (const char* answers : {"AB", "BA", "xAB", "BxA", "A", ""})
    for (int timeouts = 0; timeouts < 4; ++timeouts)
      for (int polls = 0; polls < 4; ++polls)
        for (bool detached : {false, true})
          for (bool canceller : {false, true}) {
            scenario plan;
            plan.answers = answers;
            plan.may_time_out[0] = timeouts & 1;
            plan.may_time_out[1] = timeouts & 2;
            plan.can_poll[0] = !(polls & 1);
            plan.can_poll[1] = !(polls & 2);
            plan.starts_detached = detached;
            plan.canceller = canceller;
            // Somebody has to end each wait: an answer, or the canceller.
            if (!canceller && std::string(answers).size() < 2) continue;
            states += explore(plan);
            if (::testing::Test::HasFailure()) return;
          }
  EXPECT_GT(states, 50'000u);
}

TEST(ReaderRoleInterleaving, AnAnswerFromTheSideLosesNoWakeUp) {
  for (const char* answers : {"B", "xB", "Bx", "AB"})
    for (int timeouts = 0; timeouts < 4; ++timeouts)
      for (bool canceller : {false, true}) {
        scenario plan;
        plan.answers = answers;
        plan.may_time_out[0] = timeouts & 1;
        plan.may_time_out[1] = timeouts & 2;
        plan.finisher = true;
        plan.canceller = canceller;
        explore(plan);
        if (::testing::Test::HasFailure()) return;
      }
}

/// The model must be able to fail: without the peer's second answer the second caller is found
/// asleep.
TEST(ReaderRoleInterleaving, AMissingAnswerIsFound) {
  scenario plan;
  plan.answers = "A";
  std::size_t asleep = 0;
  std::set<std::string> met;
  std::deque<std::vector<int>> to_visit{{}};
  while (!to_visit.empty()) {
    const std::vector<int> path = std::move(to_visit.front());
    to_visit.pop_front();
    world now(plan);
    for (int each : path) now.step(each);
    if (!met.insert(now.encode()).second) continue;
    bool any = false;
    for (int each = 0; each < world::steps; ++each) {
      if (!now.enabled(each)) continue;
      any = true;
      to_visit.push_back(path);
      to_visit.back().push_back(each);
    }
    if (!any && now.where[1] != at::done) ++asleep;
  }
  EXPECT_GT(asleep, 0u);
}

}  // namespace
}  // namespace openxpc::channel
