#include "supervise/state.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace openxpc::supervise {
namespace {

/// One line of the whole machine for a wish: what is not listed changes nothing.
struct row {
  state at;
  event what;
  state to;
  duties then;
};

using s = state;
using e = event;

std::vector<row> table(wish want) {
  const bool keep = want == wish::keep;
  const state rest = keep ? s::starting : s::idle;
  const duties again = keep ? start : none;
  std::vector<row> rows = {
      {s::idle, e::load, rest, again},
      {s::idle, e::adopt, s::running, none},
      {s::idle, e::activity, s::starting, start},
      {s::idle, e::kickstart, s::starting, start},
      {s::idle, e::restart, s::starting, start},
      {s::idle, e::bootout, s::gone, remove},
      {s::throttled, e::adopt, s::running, untime},
      {s::throttled, e::timer, rest, again},
      {s::throttled, e::kickstart, s::starting, start | untime},
      {s::throttled, e::restart, s::starting, start | untime},
      {s::throttled, e::bootout, s::gone, remove | untime},
      {s::failed, e::adopt, s::running, untime},
      {s::failed, e::activity, s::failed, refuse},
      {s::failed, e::timer, rest, again},
      {s::failed, e::kickstart, s::starting, start | untime},
      {s::failed, e::restart, s::starting, start | untime},
      {s::failed, e::bootout, s::gone, remove | untime},
  };
  for (event what : {e::upgrade_beside, e::upgrade_after}) {
    for (state at : {s::throttled, s::failed}) {
      rows.push_back({at, what, rest, static_cast<duties>(again | untime)});
    }
  }
  for (state at : {s::starting, s::running}) {
    const duties also = at == s::starting ? untime : none;
    rows.insert(rows.end(), {
                                {at, e::checked_in, s::running, also},
                                {at, e::spawn_failed, s::failed, refuse | time_retry},
                                {at, e::spawn_delayed, s::throttled, time_retry},
                                {at, e::exited, rest, static_cast<duties>(again | also)},
                                {at, e::exited_quickly, s::throttled, time_throttle},
                                {at, e::exited_too_often, s::failed, refuse | time_failed},
                                {at, e::restart, s::restarting, ask_exit | time_exit},
                                {at, e::upgrade_after, s::restarting, ask_exit | time_exit},
                                {at, e::stop, s::stopping, ask_exit | time_exit},
                                {at, e::bootout, s::removing, ask_exit | time_exit},
                            });
  }
  rows.insert(rows.end(),
              {
                  {s::starting, e::spawned_on_trial, s::starting, time_check_in},
                  {s::starting, e::trial_ended, s::starting, start | revert | untime},
                  {s::starting, e::timer, s::restarting, kill_hard | revert},
                  {s::starting, e::upgrade_beside, s::restarting, ask_exit | time_exit},
                  {s::running, e::trial_ended, rest, again},
                  {s::running, e::upgrade_beside, s::upgrading, start_beside | time_check_in},
                  {s::upgrading, e::candidate_ready, s::running, hand_over | untime},
                  {s::upgrading, e::candidate_lost, s::running, drop_candidate | untime},
                  {s::upgrading, e::timer, s::running, drop_candidate},
                  {s::upgrading, e::restart, s::restarting, drop_candidate | ask_exit | time_exit},
                  {s::upgrading, e::stop, s::stopping, drop_candidate | ask_exit | time_exit},
                  {s::upgrading, e::bootout, s::removing, drop_candidate | ask_exit | time_exit},
              });
  for (event gone : {e::exited, e::exited_quickly, e::exited_too_often, e::trial_ended}) {
    rows.push_back({s::upgrading, gone, s::starting, promote});
    rows.push_back({s::stopping, gone, rest, static_cast<duties>(again | untime)});
    rows.push_back({s::restarting, gone, s::starting, start | untime});
    rows.push_back({s::removing, gone, s::gone, remove | untime});
  }
  for (state at : {s::stopping, s::restarting, s::removing}) {
    rows.push_back({at, e::timer, at, kill_hard});
    rows.push_back({at, e::bootout, s::removing, none});
  }
  for (state at : {s::stopping, s::restarting}) {
    rows.push_back({at, e::kickstart, s::restarting, none});
    rows.push_back({at, e::restart, s::restarting, none});
    rows.push_back({at, e::stop, s::stopping, none});
  }
  return rows;
}

TEST(JobState, EveryStateMeetsEveryEvent) {
  int visited = 0;
  for (wish want : {wish::on_demand, wish::keep}) {
    std::vector<row> rows = table(want);
    for (int at = 0; at < state_count; ++at) {
      for (int what = 0; what < event_count; ++what) {
        step expected{static_cast<state>(at), none};
        for (const row& r : rows) {
          if (r.at == static_cast<state>(at) && r.what == static_cast<event>(what)) {
            expected = {r.to, r.then};
          }
        }
        EXPECT_EQ(next(static_cast<state>(at), static_cast<event>(what), want), expected)
            << "state " << at << " event " << what << " keep " << (want == wish::keep);
        ++visited;
      }
    }
  }
  EXPECT_EQ(visited, 2 * state_count * event_count);
}

/// Properties that the table must have whoever edits it.
TEST(JobState, NoStepStartsASecondProcessOrForgetsATimer) {
  for (wish want : {wish::on_demand, wish::keep}) {
    for (int at_number = 0; at_number < state_count; ++at_number) {
      for (int what_number = 0; what_number < event_count; ++what_number) {
        state at = static_cast<state>(at_number);
        event what = static_cast<event>(what_number);
        step to = next(at, what, want);
        std::string where =
            "state " + std::to_string(at_number) + " event " + std::to_string(what_number);
        if (to.then & start) {
          EXPECT_EQ(to.to, state::starting) << where;
          EXPECT_TRUE(!has_process(at) || is_exit(what)) << where;
          EXPECT_NE(at, state::upgrading) << where;
        }
        if (to.then & (ask_exit | kill_hard)) {
          EXPECT_TRUE(has_process(at)) << where;
        }
        bool was_timed = at == state::throttled || at == state::failed || at == state::upgrading ||
                         is_ending(at);
        bool is_timed = to.to == state::throttled || to.to == state::failed ||
                        to.to == state::upgrading || is_ending(to.to);
        // What never said that it is ready is not asked to end but killed, once.
        bool killed = at == state::starting && what == event::timer;
        if (is_timed && to.to != at && !killed && !(is_ending(at) && is_ending(to.to))) {
          EXPECT_TRUE(to.then &
                      (time_throttle | time_exit | time_failed | time_retry | time_check_in))
              << where;
        }
        // The timer of a candidate goes on when it becomes the job's process.
        bool goes_on = to.then & promote;
        if (was_timed && !is_timed && !goes_on && what != event::timer) {
          EXPECT_TRUE(to.then & untime) << where;
        }
        // Two processes, and a way out for each: the second one is not forgotten.
        if (at == state::upgrading && to.to != at) {
          EXPECT_TRUE(to.then & (hand_over | promote | drop_candidate)) << where;
        }
        if (to.to != at && to.to == state::upgrading) {
          EXPECT_TRUE(to.then & start_beside) << where;
        }
        if (to.to == state::gone && at != state::gone) {
          EXPECT_TRUE(to.then & remove) << where;
        }
      }
    }
  }
}

}  // namespace
}  // namespace openxpc::supervise
