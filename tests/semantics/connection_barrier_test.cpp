// Send barriers, rules 103 to 109, in each setting.
#include "support/resources.hpp"

#include <dispatch/dispatch.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include "a_queue.hpp"
#include "settings.hpp"

using namespace semantics;
using talk::kept;

namespace {

/// Runs a function object as a barrier.
void barrier(const client& c, std::function<void()> run) {
  made_block<void()> once(std::move(run));
  xpc_connection_send_barrier(c, once.get());
}

openxpc_counters_s counters(const client& of) {
  openxpc_counters_s now{};
  now.size = sizeof now;
  openxpc_peer_get_counters(static_cast<xpc_connection_t>(of), &now);
  return now;
}

/// More than the other side takes while it handles nothing.
void send_bulk(const client& c) {
  const std::vector<std::byte> bulk(65536);
  for (int i = 0; i < 64; ++i) {
    owned note = order("note", i);
    xpc_dictionary_set_data(note, "bulk", bulk.data(), bulk.size());
    c.send(note);
  }
}

}  // namespace

TEST_P(Connections, R103_ABarrierRunsAfterWhatWasQueuedBeforeAndNothingIsSentWhileItRuns) {
  client watcher(connection()), c(connection());
  watcher.ask("watch");
  c.send("block");
  wait_for(watcher, "blocked");
  send_bulk(c);
  xpc_testing::event passed;
  openxpc_counters_s begun{}, ended{};
  barrier(c, [&] {
    begun = counters(c);
    c.send("note", 1000);
    ended = counters(c);
    passed.set();
  });
  c.send("note", 2000);
  EXPECT_FALSE(passed.happened());
  watcher.send("unblock");
  passed.wait();
  EXPECT_EQ(begun.sent_messages, 65u);
  EXPECT_EQ(begun.unsent_bytes, 0u);
  EXPECT_EQ(ended.sent_messages, 65u);
  EXPECT_EQ(ended.unsent_bytes, 0u);
  std::vector<std::int64_t> notes = notes_in(c.ask("notes"));
  ASSERT_EQ(notes.size(), 66u);
  EXPECT_EQ(notes[64], 2000);  // in the order of the calls (rule 79)
  EXPECT_EQ(notes[65], 1000);
}

// The memory that rule 103 speaks of: after the barrier nothing of a message is left in the sender.
TEST_P(NamedConnections, R103_WhatAMessageHeldIsReleasedWhenTheBarrierRuns) {
  client watcher(connection()), c(connection());
  watcher.ask("watch");
  c.send("block");
  wait_for(watcher, "blocked");
  openxpc::base::fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::size_t before = xpc_testing::descriptor_count();
  send_bulk(c);
  {
    owned message = order("drop");
    xpc_dictionary_set_fd(message, "file", file.get());
    c.send(message);
  }
  EXPECT_EQ(xpc_testing::descriptor_count(), before + 1);  // a duplicate waits with the message
  xpc_testing::mailbox<std::size_t> then;
  barrier(c, [&] { then.put(xpc_testing::descriptor_count()); });
  watcher.send("unblock");
  EXPECT_EQ(then.take(), before);
}

TEST_P(Connections, R104_EventsAndRepliesArriveWhileABarrierRuns) {
  client c(connection()), other(connection());
  c.ask("watch");
  talk::events replies;
  talk::handler got = talk::into(replies);
  c.ask_later(order("hold", 1), got);
  xpc_testing::event runs, enough, done;
  barrier(c, [&] {
    runs.set();
    enough.wait();
    done.set();
  });
  runs.wait();
  EXPECT_EQ(wait_for(c, "peer"), xpc_dictionary_get_int64(other.ask("who"), "peer"));
  other.ask("answer");
  EXPECT_EQ(talk::number_in(replies.take().get()), 2);
  enough.set();
  done.wait();
}

TEST_P(Connections, R106_BarriersOutstandingAtTheCancelRun) {
  client watcher(connection()), c(connection());
  watcher.ask("watch");
  c.send("block");
  wait_for(watcher, "blocked");
  send_bulk(c);
  std::atomic<int> ran{0};
  for (int i = 0; i < 3; ++i) barrier(c, [&] { ++ran; });
  xpc_connection_cancel(c);
  xpc_testing::wait_until("the barriers to run", [&] { return ran == 3; });
  watcher.send("unblock");
}

TEST_P(Connections, R107_ABarrierIsNotOrderedWithOtherBlocksOfTheQueue) {
  a_queue concurrent("rule 107", DISPATCH_QUEUE_CONCURRENT);
  {
    client c(connection(concurrent));
    c.send("note", 1);
    xpc_testing::event other, passed;
    barrier(c, [&] {
      concurrent.async([&] { other.set(); });
      other.wait();  // submitted later, and runs before this one has returned
      passed.set();
    });
    passed.wait();
  }
  concurrent.drain();
}

TEST_P(Connections, R108_ABarrierSaysNothingAboutWhatTheOtherSideHasSeen) {
  client watcher(connection()), c(connection());
  watcher.ask("watch");
  c.send("block");
  wait_for(watcher, "blocked");
  c.send("note", 1);
  xpc_testing::event passed;
  barrier(c, [&] { passed.set(); });
  passed.wait();
  EXPECT_TRUE(notes_in(watcher.ask("notes")).empty());
  watcher.send("unblock");
  EXPECT_EQ(notes_in(c.ask("notes")), std::vector<std::int64_t>{1});
}

TEST_P(Connections, R109_ABarrierMayCancelItsConnection) {
  client c(connection()), other(connection());
  EXPECT_EQ(c.add(1), 2);
  barrier(c, [&] {
    c.send("note", 1);  // waits for the end of the block, and vanishes by the cancel
    xpc_connection_cancel(c);
  });
  EXPECT_EQ(c.box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  EXPECT_TRUE(notes_in(other.ask("notes")).empty());
}
