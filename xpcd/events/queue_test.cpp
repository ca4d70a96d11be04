#include "events/queue.hpp"

#include <gtest/gtest.h>

namespace openxpc::events {
namespace {

event make(std::int64_t id, const char* stream = "s", const char* name = "n") {
  event made;
  made.id = id;
  made.stream = stream;
  made.name = name;
  return made;
}
std::int64_t next_of(queue& all) {
  const event* one = all.next();
  return one == nullptr ? 0 : one->id;
}

TEST(EventQueue, R199_EventsWaitUntilTheProcessReadsTheirStream) {
  queue all;
  EXPECT_TRUE(all.add(make(1)));
  EXPECT_TRUE(all.add(make(2, "other")));
  EXPECT_EQ(next_of(all), 0);
  EXPECT_TRUE(all.has_unread());
  EXPECT_TRUE(all.listen("other"));
  EXPECT_EQ(next_of(all), 2);
  EXPECT_EQ(next_of(all), 0);
  EXPECT_TRUE(all.listen("s"));
  EXPECT_EQ(next_of(all), 1);
  EXPECT_FALSE(all.has_unread());
  EXPECT_FALSE(all.empty()) << "handed over, not handled";
  EXPECT_EQ(all.take(1).name, "n");
  EXPECT_EQ(all.take(2).stream, "other");
  EXPECT_TRUE(all.empty());
  EXPECT_EQ(all.take(2).id, 0);
}

TEST(EventQueue, WhatAProcessHadAndDidNotHandleGoesToTheNextOneInOrder) {
  queue all;
  for (int id = 1; id <= 3; ++id) EXPECT_TRUE(all.add(make(id)));
  EXPECT_TRUE(all.listen("s"));
  EXPECT_EQ(next_of(all), 1);
  EXPECT_EQ(next_of(all), 0) << "one at a time";
  EXPECT_EQ(all.take(1).id, 1);
  EXPECT_EQ(next_of(all), 2);
  EXPECT_FALSE(all.has_unsent("s", "other"));
  EXPECT_TRUE(all.has_sent());
  all.forget_process();
  EXPECT_FALSE(all.has_sent());
  EXPECT_EQ(next_of(all), 0) << "the next one has not said what it reads";
  EXPECT_TRUE(all.listen("s"));
  EXPECT_EQ(next_of(all), 2);
  EXPECT_EQ(all.take(2).id, 2);
  EXPECT_EQ(next_of(all), 3);
}

TEST(EventQueue, HoldsSoManyAndNoMore) {
  queue all;
  for (std::size_t i = 0; i < queue::most_events; ++i)
    ASSERT_TRUE(all.add(make(static_cast<std::int64_t>(i) + 1)));
  EXPECT_FALSE(all.add(make(5000)));
  EXPECT_EQ(all.size(), queue::most_events);
  queue large;
  event half = make(1);
  half.bytes = queue::most_bytes / 2 + 1;
  EXPECT_TRUE(large.add(std::move(half)));
  EXPECT_FALSE(large.has_room(queue::most_bytes / 2));
  EXPECT_TRUE(large.has_room(queue::most_bytes / 2 - 1));
  EXPECT_EQ(large.take(1).id, 1);
  EXPECT_TRUE(large.has_room(queue::most_bytes));
  EXPECT_FALSE(large.has_room(queue::most_bytes + 1));
}

TEST(EventQueue, AProcessReadsSoManyStreamsAndNoMore) {
  queue all;
  for (std::size_t i = 0; i < queue::most_streams; ++i)
    ASSERT_TRUE(all.listen("s" + std::to_string(i)));
  EXPECT_FALSE(all.listen("another"));
  EXPECT_TRUE(all.listen("s0"));
  all.forget_process();
  EXPECT_TRUE(all.listen("another"));
}

TEST(EventQueue, ADroppedNameIsGoneAndOthersStay) {
  queue all;
  EXPECT_TRUE(all.add(make(1, "s", "a")));
  EXPECT_TRUE(all.add(make(2, "s", "b")));
  EXPECT_TRUE(all.has_unsent("s", "a"));
  all.drop("s", "a");
  EXPECT_FALSE(all.has_unsent("s", "a"));
  EXPECT_TRUE(all.has_unsent("s", "b"));
}

}  // namespace
}  // namespace openxpc::events
