// Life cycle and errors of connections, rules 49 to 77, in each setting.
#include <gtest/gtest.h>

#include <atomic>

#include "settings.hpp"

using namespace semantics;
using talk::kept;

TEST_P(Connections, R049_NothingIsSentOrReceivedBeforeActivation) {
  client other(connection());
  talk::events replies;
  talk::handler got = talk::into(replies);
  client c(connection(), false);
  c.send("note", 1);
  c.send("say", 1);
  c.ask_later(owned(talk::number(5)), got);
  EXPECT_TRUE(notes_in(other.ask("notes")).empty());
  EXPECT_EQ(replies.size(), 0u);
  EXPECT_EQ(c.box.size(), 0u);
  xpc_connection_activate(c);
  EXPECT_EQ(talk::number_in(replies.take().get()), 6);
  EXPECT_EQ(talk::number_in(c.box.take().get()), 1);
  EXPECT_EQ(notes_in(other.ask("notes")), std::vector<std::int64_t>{1});
}

TEST_P(Connections, R054_SuspendResumeSetHandlerAndCancelAreSafeInAHandlerAndInterruptNothing) {
  static xpc_connection_t self;
  std::atomic<bool> running{false}, overlapped{false};
  xpc_testing::event finished;
  talk::events later;
  self = connection();
  client c(self, talk::handler([&](xpc_object_t) {
             running = true;
             xpc_connection_suspend(self);
             xpc_connection_suspend(self);
             xpc_connection_resume(self);
             xpc_connection_resume(self);
             talk::set_handler(self, [&](xpc_object_t event) {
               if (running) overlapped = true;
               later.put(kept(event));
               if (event == XPC_ERROR_CONNECTION_INVALID) finished.set();
             });
             xpc_connection_cancel(self);
             EXPECT_EQ(later.size(), 0u);
             running = false;
           }));
  c.send("say", 1);
  finished.wait();
  EXPECT_FALSE(overlapped);
  EXPECT_EQ(later.take().get(), XPC_ERROR_CONNECTION_INVALID);
  EXPECT_EQ(later.size(), 0u);
  c.note_invalid();  // its own handler was replaced
}

TEST_P(Connections, R058_CancelAfterInvalidIsHarmless) {
  client c(connection());
  EXPECT_EQ(c.add(1), 2);
  xpc_testing::event let_go;
  auto owner = std::shared_ptr<void>(nullptr, [&](void*) { let_go.set(); });
  {
    made_block<void(xpc_object_t)> last([owner = std::move(owner), &c](xpc_object_t event) {
      c.box.put(kept(event));
      if (event == XPC_ERROR_CONNECTION_INVALID) c.note_invalid();
    });
    xpc_connection_set_event_handler(c, last.get());
  }
  xpc_connection_cancel(c);
  EXPECT_EQ(c.box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  for (int i = 0; i < 3; ++i) xpc_connection_cancel(c);
  let_go.wait();  // nobody can call it any more
  EXPECT_EQ(c.box.size(), 0u);
}

TEST_P(Connections, R061_PeersHaveNoNameAndNamedConnectionsTheirs) {
  client c(connection());
  if (named())
    EXPECT_STREQ(xpc_connection_get_name(c), service_name);
  else
    EXPECT_EQ(xpc_connection_get_name(c), nullptr);  // made from an endpoint
  owned who = c.ask("who");
  EXPECT_EQ(xpc_dictionary_get_int64(who, "peer"), 1);
  EXPECT_FALSE(xpc_dictionary_get_bool(who, "named"));
}

TEST_P(Connections, R062_CancelBreaksTheCycleOfAConnectionAndItsHandler) {
  static std::atomic<int> freed;
  freed = 0;
  xpc_connection_t c = connection();
  xpc_testing::event heard;
  {
    auto itself = std::shared_ptr<void>(xpc_retain(c), [](void* held) { xpc_release(held); });
    made_block<void(xpc_object_t)> handler(
        [itself = std::move(itself), &heard](xpc_object_t event) {
          if (event == XPC_ERROR_CONNECTION_INVALID) heard.set();
        });
    xpc_connection_set_event_handler(c, handler.get());
  }
  xpc_connection_set_finalizer_f(c, [](void*) { ++freed; });
  xpc_connection_activate(c);
  owned reply(xpc_connection_send_message_with_reply_sync(c, owned(talk::number(1))));
  EXPECT_EQ(talk::number_in(reply), 2);
  reply = owned();  // a reply remembers its connection (rule 91)
  xpc_connection_cancel(c);
  xpc_release(c);
  heard.wait();
  xpc_testing::wait_until("the connection to be freed", [] { return freed.load() == 1; });
}

TEST_P(NamedConnections, R063_AServiceThatDiesInterruptsAndTheNextMessageReachesANewOne) {
  client c(connection());
  const std::int64_t before = xpc_dictionary_get_int64(c.ask("notes"), "pid");
  lose(c);
  EXPECT_EQ(c.box.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  const std::int64_t after = xpc_dictionary_get_int64(c.ask("notes"), "pid");
  EXPECT_NE(before, after);
  EXPECT_EQ(c.add(1), 2);
  EXPECT_EQ(c.box.size(), 0u);  // one loss, one event
}

TEST_P(NamedConnections, R064_WhatWasQueuedAtAnInterruptionIsDroppedAndItsRepliesAreInterrupted) {
  client watcher(connection()), c(connection());
  watcher.ask("watch");
  c.send("block");
  wait_for(watcher, "blocked");
  // More than the service takes unhandled, so that some of it waits here.
  const std::vector<std::byte> bulk(65536);
  for (int i = 0; i < 64; ++i) {
    owned note = order("note", i);
    xpc_dictionary_set_data(note, "bulk", bulk.data(), bulk.size());
    c.send(note);
  }
  talk::events replies;
  talk::handler got = talk::into(replies);
  for (int i = 0; i < 10; ++i) c.ask_later(owned(talk::number(i)), got);
  openxpc_counters_s counters{};
  counters.size = sizeof counters;
  openxpc_peer_get_counters(static_cast<xpc_connection_t>(c), &counters);
  EXPECT_GT(counters.unsent_bytes, 0u);
  lose(c);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(replies.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  EXPECT_EQ(c.box.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  EXPECT_EQ(c.add(1), 2);
  EXPECT_TRUE(notes_in(c.ask("notes")).empty());
  EXPECT_EQ(replies.size(), 0u);
  EXPECT_EQ(c.box.size(), 0u);
}

TEST_P(NamedConnections, R065_WhatTheServiceKnewIsGoneAfterAnInterruption) {
  client c(connection());
  c.send("note", 1);
  EXPECT_EQ(notes_in(c.ask("notes")), std::vector<std::int64_t>{1});
  lose(c);
  EXPECT_EQ(c.box.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  EXPECT_TRUE(notes_in(c.ask("notes")).empty());
  c.send("note", 2);  // so the client says it again
  EXPECT_EQ(notes_in(c.ask("notes")), std::vector<std::int64_t>{2});
}

TEST_P(NamedConnections, R066_AnUnknownNameIsInvalidAfterActivationAndNothingElse) {
  client reachable(connection());
  EXPECT_EQ(reachable.add(1), 2);
  struct {
    const char* name;
    std::uint64_t flags;
  } const cases[] = {
      {"org.example.nobody", 0},
      // A name of this user's domain is none of the system's.
      {service_name, XPC_CONNECTION_MACH_SERVICE_PRIVILEGED},
  };
  for (const auto& one : cases) {
    client c(xpc_connection_create_mach_service(one.name, nullptr, one.flags), false);
    c.send("note", 1);
    EXPECT_EQ(c.box.size(), 0u);
    xpc_connection_activate(c);
    EXPECT_EQ(c.box.take().get(), XPC_ERROR_CONNECTION_INVALID);
    EXPECT_EQ(xpc_connection_send_message_with_reply_sync(c, owned(talk::number(1))),
              XPC_ERROR_CONNECTION_INVALID);
    c.wait_until_invalid();
    EXPECT_EQ(c.box.size(), 0u);
  }
  EXPECT_TRUE(notes_in(reachable.ask("notes")).empty());
}

TEST_P(NamedConnections, R069_AServiceThatCancelsItsPeerInterruptsAndTheNextMessageMakesANewPeer) {
  client c(connection());
  EXPECT_EQ(xpc_dictionary_get_int64(c.ask("who"), "peer"), 1);
  c.send("cancel");
  EXPECT_EQ(c.box.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  EXPECT_EQ(xpc_dictionary_get_int64(c.ask("who"), "peer"), 2);
  EXPECT_EQ(c.box.size(), 0u);
}

TEST_P(Connections, R070_AClientThatCancelsMakesItsPeerInvalid) {
  client watcher(connection());
  watcher.ask("watch");
  std::int64_t peer;
  {
    client c(connection());
    peer = xpc_dictionary_get_int64(c.ask("who"), "peer");
  }
  for (;;) {
    kept seen = watcher.box.take();
    ASSERT_NE(event_in(seen.get()), "interrupted");
    if (event_in(seen.get()) != "invalid") continue;
    EXPECT_EQ(xpc_dictionary_get_int64(seen.get(), "peer"), peer);
    break;
  }
}

TEST(Semantics, R072_AListenerOfANameThatIsNotThisJobsIsInvalid) {
  xpc_connection_t listener = xpc_connection_create_mach_service(
      "org.example.not-ours", nullptr, XPC_CONNECTION_MACH_SERVICE_LISTENER);
  ASSERT_NE(listener, nullptr);
  talk::events box;
  talk::set_handler(listener, talk::into(box));
  EXPECT_EQ(box.size(), 0u);
  xpc_connection_activate(listener);
  EXPECT_EQ(box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  char* why = xpc_connection_copy_invalidation_reason(listener);
  ASSERT_NE(why, nullptr);
  EXPECT_NE(std::string(why).find("MachServices"), std::string::npos) << why;
  free(why);
  xpc_release(listener);
}

TEST_P(Connections, R075_InvalidIsTheLastEvent) {
  xpc_testing::event let_go;
  std::atomic<int> events{0}, after{0};
  std::atomic<bool> over{false};
  xpc_connection_t c = connection();
  {
    auto owner = std::shared_ptr<void>(nullptr, [&](void*) { let_go.set(); });
    made_block<void(xpc_object_t)> handler([&, owner = std::move(owner)](xpc_object_t event) {
      if (over) ++after;
      if (event == XPC_ERROR_CONNECTION_INVALID) over = true;
      if (++events == 10) xpc_connection_cancel(c);
    });
    xpc_connection_set_event_handler(c, handler.get());
  }
  xpc_connection_activate(c);
  xpc_connection_send_message(c, order("say", 1000));
  let_go.wait();
  EXPECT_TRUE(over);
  EXPECT_EQ(after, 0);
  EXPECT_EQ(events, 11);  // rule 57: what had come and was not handled vanishes
  xpc_release(c);
}

TEST_P(Connections, R076_ErrorEventsAreTheSingletons) {
  talk::events replies;
  talk::handler got = talk::into(replies);
  client c(connection());
  EXPECT_EQ(c.add(1), 2);
  c.ask_later(order("hold"), got);
  c.ask("notes");
  lose(c);
  expect_loss(c);  // by address
  EXPECT_EQ(replies.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  if (named()) {
    xpc_connection_cancel(c);
    EXPECT_EQ(c.box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  }
  owned late = c.ask("notes");
  EXPECT_EQ(late, XPC_ERROR_CONNECTION_INVALID);
  EXPECT_EQ(xpc_get_type(late), XPC_TYPE_ERROR);
}
