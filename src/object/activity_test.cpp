#include "object/activity.hpp"

#include "object/dictionary.hpp"

#include <gtest/gtest.h>

namespace {

using namespace openxpc;
using object::activity_state;

constexpr activity_state every[] = {activity_state::check_in, activity_state::wait,
                                    activity_state::run,      activity_state::defer,
                                    activity_state::go_on,    activity_state::done};

TEST(Activity, ProgramsMayAskForTheseStepsAndNoOthers) {
  const char* table[object::activity_states] = {
      // to: check_in wait run defer continue done
      "......",  // from check_in
      "......",  // wait
      "...xxx",  // run
      "......",  // defer
      "...x.x",  // continue
      "......",  // done
  };
  for (activity_state from : every)
    for (activity_state to : every)
      EXPECT_EQ(object::activity_may_ask(from, to),
                table[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)] == 'x')
          << static_cast<int>(from) << " to " << static_cast<int>(to);
}

TEST(Activity, ARefusedStepChangesNothing) {
  auto it =
      base::make_ref<object::activity>("x", object::dictionary::create(), activity_state::wait);
  EXPECT_FALSE(it->ask(activity_state::done));
  EXPECT_EQ(it->state(), activity_state::wait);
  EXPECT_FALSE(it->move(activity_state::check_in, activity_state::run));
  EXPECT_TRUE(it->move(activity_state::wait, activity_state::run));
  EXPECT_TRUE(it->ask(activity_state::go_on));
  EXPECT_FALSE(it->ask(activity_state::go_on));
  EXPECT_TRUE(it->ask(activity_state::done));
  EXPECT_EQ(it->state(), activity_state::done);
}

}  // namespace
