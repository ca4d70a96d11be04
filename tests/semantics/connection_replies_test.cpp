// Replies, rules 90 to 102, in each setting.
#include <dispatch/dispatch.h>

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "a_queue.hpp"
#include "settings.hpp"

using namespace semantics;
using talk::kept;

namespace {

/// A reply block that counts its calls and says when nobody can call it any more.
struct counted_reply {
  std::atomic<int> calls{0};
  xpc_testing::event let_go;
  kept last;
  /// Sends it and lets go of the block.
  void ask(const client& c, const owned& message) {
    auto owner = std::shared_ptr<void>(nullptr, [this](void*) { let_go.set(); });
    made_block<void(xpc_object_t)> handler([this, owner = std::move(owner)](xpc_object_t reply) {
      ++calls;
      last = kept(reply);
    });
    xpc_connection_send_message_with_reply(c, message, nullptr, handler.get());
  }
  /// What it was called with, once.
  xpc_object_t outcome() {
    let_go.wait();
    EXPECT_EQ(calls, 1);
    return last.get();
  }
};

}  // namespace

TEST_P(Connections, R090_CreateReplySucceedsOncePerMessage) {
  client c(connection());
  owned reply = c.ask("twice", 1);
  EXPECT_EQ(talk::number_in(reply), 2);
  ASSERT_NE(xpc_dictionary_get_value(reply, "second"), nullptr);
  EXPECT_FALSE(xpc_dictionary_get_bool(reply, "second"));
}

TEST_P(Connections, R091_AReceivedMessageAndItsReplyRememberTheConnectionAndNothingElseDoes) {
  client c(connection());
  owned message = order("remote");
  owned reply = c.ask(message);
  EXPECT_TRUE(xpc_dictionary_get_bool(reply, "of-message"));
  EXPECT_TRUE(xpc_dictionary_get_bool(reply, "of-reply"));
  EXPECT_EQ(xpc_dictionary_get_remote_connection(reply), static_cast<xpc_connection_t>(c));
  EXPECT_EQ(xpc_dictionary_get_remote_connection(message), nullptr);  // sent, not received
  owned copy(xpc_copy(reply));
  EXPECT_EQ(xpc_dictionary_get_remote_connection(copy), nullptr);
}

TEST_P(Connections, R092_AReplyGoesToWhoAskedAndNeverToTheEventHandler) {
  client c(connection());
  counted_reply asynchronous;
  asynchronous.ask(c, owned(talk::number(1)));
  EXPECT_EQ(c.add(2), 3);
  EXPECT_EQ(talk::number_in(asynchronous.outcome()), 2);
  c.ask("say", 1);
  EXPECT_EQ(talk::number_in(c.box.take().get()), 1);  // the first that the event handler hears
  EXPECT_EQ(c.box.size(), 0u);
}

TEST_P(Connections, R093_AReplyHandlerRunsExactlyOnceWithAReplyOrAnError) {
  client c(connection());
  counted_reply answered, dropped;
  answered.ask(c, owned(talk::number(1)));
  dropped.ask(c, order("drop"));
  EXPECT_EQ(talk::number_in(answered.outcome()), 2);
  EXPECT_EQ(xpc_get_type(dropped.outcome()), XPC_TYPE_ERROR);
  lose(c);
  expect_loss(c);
  EXPECT_EQ(answered.calls, 1);
}

TEST_P(Connections, R094_APeerThatDiesInterruptsEachPendingReplyAndACancelMakesThemInvalid) {
  constexpr int many = 10;
  talk::events replies;
  talk::handler got = talk::into(replies);
  client c(connection());
  for (int i = 0; i < many; ++i) c.ask_later(order("hold", i), got);
  c.ask("notes");
  lose(c);
  for (int i = 0; i < many; ++i) EXPECT_EQ(replies.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  expect_loss(c);
  client again(connection());
  for (int i = 0; i < many; ++i) again.ask_later(order("hold", i), got);
  again.ask("notes");
  xpc_connection_cancel(again);
  for (int i = 0; i < many; ++i) EXPECT_EQ(replies.take().get(), XPC_ERROR_CONNECTION_INVALID);
  EXPECT_EQ(again.box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  EXPECT_EQ(replies.size(), 0u);
}

TEST_P(Connections, R096_AReplyThatComesAfterTheCancelIsDropped) {
  client watcher(connection());
  watcher.ask("watch");
  counted_reply late;
  std::int64_t peer;
  {
    client c(connection());
    late.ask(c, order("hold", 1));
    peer = xpc_dictionary_get_int64(c.ask("who"), "peer");
    xpc_connection_cancel(c);
    EXPECT_EQ(late.outcome(), XPC_ERROR_CONNECTION_INVALID);
  }
  EXPECT_EQ(wait_for(watcher, "invalid"), peer);
  watcher.ask("answer");  // it answers now, and nobody hears it
  EXPECT_EQ(late.calls, 1);
}

TEST_P(Connections, R098_ASynchronousCallReturnsAnOwnedObjectAndNeverNull) {
  client c(connection());
  const char* const cases[] = {"note", "drop", "cancel", "notes"};
  for (const char* op : cases) {
    xpc_object_t reply = xpc_connection_send_message_with_reply_sync(c, order(op));
    ASSERT_NE(reply, nullptr) << op;
    EXPECT_TRUE(xpc_get_type(reply) == XPC_TYPE_DICTIONARY ||
                xpc_get_type(reply) == XPC_TYPE_ERROR);
    xpc_release(reply);
  }
  xpc_connection_cancel(c);
  xpc_object_t late = xpc_connection_send_message_with_reply_sync(c, order("note"));
  EXPECT_EQ(late, XPC_ERROR_CONNECTION_INVALID);
  xpc_release(late);
}

// Linux has no priority that travels with a message: the caller's changes nothing at the service.
TEST_P(Connections, R099_TheCallersPriorityDoesNotTravel) {
  client c(connection());
  const std::int64_t before = xpc_dictionary_get_int64(c.ask("nice"), "nice");
  std::thread low([&] {
    ASSERT_EQ(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10), 0);
    owned reply = c.ask("nice");
    EXPECT_EQ(xpc_dictionary_get_int64(reply, "nice"), before);
  });
  low.join();
}

// A danger on Apple's side. Here replies do not pass through the queue, so it cannot happen.
TEST_P(Connections, R100_ASynchronousCallOnTheConnectionsOwnQueueReturns) {
  a_queue serial("rule 100");
  xpc_testing::mailbox<std::int64_t> sums;
  client c(connection(serial));
  serial.async([&] { sums.put(c.add(1)); });
  EXPECT_EQ(sums.take(), 2);
  serial.drain();
}

TEST_P(Connections, R101_ANullReplyQueueIsTheConnectionsOwnQueue) {
  a_queue own("own"), replies("replies");
  xpc_testing::mailbox<std::pair<bool, bool>> where;
  talk::handler got = [&](xpc_object_t) { where.put({own.is_here(), replies.is_here()}); };
  {
    client c(connection(own));
    c.ask_later(owned(talk::number(1)), got);
    EXPECT_EQ(where.take(), std::pair(true, false));
    c.ask_later(owned(talk::number(1)), got, replies);
    EXPECT_EQ(where.take(), std::pair(false, true));
  }
  own.drain();
  replies.drain();
}

TEST_P(Connections, R102_OnlyCreateReplyTellsARequestFromAMessage) {
  client c(connection());
  owned message = order("seen", 3);
  c.send(message);
  owned reply = c.ask(message);  // what came by the one is equal to what came by the other
  ASSERT_EQ(xpc_get_type(reply), XPC_TYPE_DICTIONARY);
  EXPECT_TRUE(xpc_dictionary_get_bool(reply, "equal"));
}
