// Sessions, rules 132 to 144 and 355: between two processes and with the service under xpcd, which
// is one of the connection API.
#include <dispatch/dispatch.h>

#include <gtest/gtest.h>

#include <atomic>

#include "a_queue.hpp"
#include "a_session.hpp"

using namespace semantics;
using talk::kept;

TEST_P(NamedConnections, R132_ASessionHasOneLife) {
  a_session s(service_name);
  EXPECT_EQ(s.add(1), 2);
  s.send(order("say", 2));
  EXPECT_EQ(talk::number_in(s.messages.take().get()), 1);
  EXPECT_EQ(talk::number_in(s.messages.take().get()), 2);
  lose_process(static_cast<pid_t>(xpc_dictionary_get_int64(s.ask("notes"), "pid")));
  EXPECT_EQ(xpc_get_type(s.endings.take().get()), XPC_TYPE_RICH_ERROR);
  EXPECT_NE(s.send(order("note", 1)), nullptr);
  owned why;
  EXPECT_EQ(s.ask(owned(talk::number(1)), &why), nullptr);
  EXPECT_NE(text_of(why), "");
  client c(connection());
  owned now = c.ask("notes");
  EXPECT_EQ(xpc_dictionary_get_int64(now, "peers"), 1);  // nothing of the session came back
  EXPECT_TRUE(notes_in(now).empty());
}

TEST_P(NamedConnections, R133_CreationFailsAtOnceForAServiceThatIsMissing) {
  xpc_rich_error_t error = nullptr;
  EXPECT_EQ(xpc_session_create_mach_service("org.example.nobody", nullptr,
                                            XPC_SESSION_CREATE_INACTIVE, &error),
            nullptr);
  owned why(error);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(xpc_get_type(error), XPC_TYPE_RICH_ERROR);
  EXPECT_NE(text_of(error).find("org.example.nobody"), std::string::npos) << text_of(error);
  EXPECT_EQ(xpc_session_create_xpc_service("org.example.nobody", nullptr, XPC_SESSION_CREATE_NONE,
                                           nullptr),
            nullptr);
  // A name of this user's domain is none of the system's.
  EXPECT_EQ(xpc_session_create_mach_service(service_name, nullptr,
                                            XPC_SESSION_CREATE_MACH_PRIVILEGED, nullptr),
            nullptr);
}

TEST_P(NamedConnections, R134_WithoutInactiveASessionIsActiveWhenItIsReturned) {
  xpc_session_t s = a_session::created(service_name, nullptr, XPC_SESSION_CREATE_NONE);
  owned reply(xpc_session_send_message_with_reply_sync(s, owned(talk::number(1)), nullptr));
  EXPECT_EQ(talk::number_in(reply), 2);
  xpc_session_cancel(s);
  xpc_release(s);
}

TEST_P(NamedConnections, R135_ASecondCallReplacesHandlersAndQueueOfAnInactiveSession) {
  a_queue first_queue("first"), second_queue("second");
  xpc_testing::event first_let_go;
  xpc_testing::mailbox<bool> on_second;
  {
    xpc_session_t made = a_session::created(service_name, first_queue, XPC_SESSION_CREATE_INACTIVE);
    auto owner = std::shared_ptr<void>(nullptr, [&](void*) { first_let_go.set(); });
    message_block first([owner = std::move(owner)](xpc_object_t) { FAIL() << "it was replaced"; });
    xpc_session_set_incoming_message_handler(made, first.get());
    error_block first_end([](xpc_rich_error_t) { FAIL() << "it was replaced"; });
    xpc_session_set_cancel_handler(made, first_end.get());
    a_session s(made);  // sets both again
    message_block second([&](xpc_object_t) { on_second.put(second_queue.is_here()); });
    xpc_session_set_incoming_message_handler(made, second.get());
    xpc_session_set_target_queue(made, second_queue);
    EXPECT_TRUE(xpc_session_activate(made, nullptr));
    s.send(order("say", 1));
    EXPECT_TRUE(on_second.take());
  }
  first_let_go.wait();
  first_queue.drain();
  second_queue.drain();
}

TEST_P(NamedConnections, R135_SettersAreMisuseOnAnActiveSession) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  a_session s(service_name);
  message_block message([](xpc_object_t) {});
  error_block end([](xpc_rich_error_t) {});
  EXPECT_DEATH(xpc_session_set_incoming_message_handler(s, message.get()),
               "XPC API Misuse: xpc_session_set_incoming_message_handler: .*active");
  EXPECT_DEATH(xpc_session_set_cancel_handler(s, end.get()),
               "XPC API Misuse: xpc_session_set_cancel_handler: .*active");
  EXPECT_DEATH(xpc_session_set_target_queue(s, nullptr),
               "XPC API Misuse: xpc_session_set_target_queue: .*active");
}

TEST_P(NamedConnections, R136_AFailedActivationCancelsTheSession) {
  a_session s(a_session::created(service_name, nullptr, XPC_SESSION_CREATE_INACTIVE));
  remove_name();
  xpc_rich_error_t error = nullptr;
  EXPECT_FALSE(xpc_session_activate(s, &error));
  owned why(error);
  EXPECT_NE(text_of(why).find(service_name), std::string::npos) << text_of(why);
  EXPECT_EQ(text_of(s.endings.take().get()), text_of(why));
  EXPECT_NE(s.send(owned(talk::number(1))), nullptr);
}

TEST_P(NamedConnections, R136_ActivatingTwiceIsMisuse) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  a_session s(service_name);
  EXPECT_DEATH(xpc_session_activate(s, nullptr),
               "XPC API Misuse: xpc_session_activate: the session is active already");
}

TEST_P(NamedConnections, R137_ReleasingASessionThatWasNotCancelledIsMisuse) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(xpc_release(a_session::created(service_name, nullptr, XPC_SESSION_CREATE_INACTIVE)),
               "XPC API Misuse: xpc_release: .*inactive session");
  EXPECT_DEATH(xpc_release(a_session::created(service_name, nullptr, XPC_SESSION_CREATE_NONE)),
               "XPC API Misuse: xpc_release: .*session that was not cancelled");
  // The legal order, and one that the other side has ended.
  xpc_session_t s = a_session::created(service_name, nullptr, XPC_SESSION_CREATE_NONE);
  xpc_session_cancel(s);
  xpc_release(s);
  s = a_session::created(service_name, nullptr, XPC_SESSION_CREATE_INACTIVE);
  xpc_testing::event over;
  error_block end([&](xpc_rich_error_t) { over.set(); });
  xpc_session_set_cancel_handler(s, end.get());
  EXPECT_TRUE(xpc_session_activate(s, nullptr));
  EXPECT_EQ(xpc_session_send_message(s, order("cancel")), nullptr);
  over.wait();
  xpc_release(s);
}

TEST_P(NamedConnections, R138_ACancelDropsWhatWasNotSentAndFailsPendingReplies) {
  client watcher(connection());
  watcher.ask("watch");
  outcomes replies;
  const std::vector<std::byte> bulk(65536);
  constexpr int many = 64;  // more than the service takes while it handles nothing
  {
    a_session s(service_name);
    EXPECT_EQ(s.send(order("block")), nullptr);
    wait_for(watcher, "blocked");
    for (int i = 0; i < many; ++i) {
      owned note = order("note", i);
      xpc_dictionary_set_data(note, "bulk", bulk.data(), bulk.size());
      EXPECT_EQ(s.send(note), nullptr);
    }
    s.ask_later(owned(talk::number(1)), replies);
    xpc_session_cancel(s);
    outcome got = replies.take();
    EXPECT_EQ(got.reply.get(), nullptr);
    EXPECT_EQ(xpc_get_type(got.error.get()), XPC_TYPE_RICH_ERROR);
  }
  watcher.send("unblock");
  wait_for(watcher, "invalid");
  EXPECT_LT(notes_in(watcher.ask("notes")).size(), static_cast<std::size_t>(many));
  EXPECT_EQ(replies.size(), 0u);
}

TEST_P(NamedConnections, R139_TheCancelHandlerRunsOnceForAnyEnd) {
  client watcher(connection());
  for (const bool local : {true, false}) {
    xpc_testing::event let_go;
    std::atomic<int> calls{0};
    kept why;
    xpc_session_t s = a_session::created(service_name, nullptr, XPC_SESSION_CREATE_INACTIVE);
    {
      auto owner = std::shared_ptr<void>(nullptr, [&](void*) { let_go.set(); });
      error_block end([&, owner = std::move(owner)](xpc_rich_error_t error) {
        ++calls;
        why = kept(error);
      });
      xpc_session_set_cancel_handler(s, end.get());
    }
    EXPECT_TRUE(xpc_session_activate(s, nullptr));
    if (local) {
      for (int i = 0; i < 3; ++i) xpc_session_cancel(s);
    } else {
      EXPECT_EQ(xpc_session_send_message(s, order("cancel")), nullptr);
    }
    xpc_testing::wait_until("the cancel handler to run", [&] { return calls == 1; });
    xpc_session_cancel(s);
    xpc_release(s);
    let_go.wait();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(xpc_get_type(why.get()), XPC_TYPE_RICH_ERROR);
    EXPECT_NE(text_of(why.get()), "");
  }
  EXPECT_EQ(watcher.add(1), 2);
}

TEST_P(NamedConnections, R140_SendSaysNullOrWhyAndIsMisuseOnAnInactiveSession) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  a_session s(a_session::created(service_name, nullptr, XPC_SESSION_CREATE_INACTIVE));
  owned message = owned(talk::number(1));
  EXPECT_DEATH(owned(xpc_session_send_message(s, message)),
               "XPC API Misuse: xpc_session_send_message: the session is not active");
  EXPECT_DEATH(owned(xpc_session_send_message_with_reply_sync(s, message, nullptr)),
               "XPC API Misuse: xpc_session_send_message_with_reply_sync: .*not active");
  EXPECT_TRUE(xpc_session_activate(s, nullptr));
  EXPECT_EQ(s.send(order("note", 5)), nullptr);
  EXPECT_EQ(notes_in(s.ask("notes")), std::vector<std::int64_t>{5});
  xpc_session_cancel(s);
  owned why = s.send(message);
  EXPECT_EQ(xpc_get_type(why), XPC_TYPE_RICH_ERROR);
}

// Apple's side simulates a crash report. Here the handler hears an error, and never a reply.
TEST_P(NamedConnections, R141_AnAsynchronousCallOnACancelledSessionGetsNoReply) {
  a_session s(service_name);
  xpc_session_cancel(s);
  s.endings.take();
  outcomes replies;
  s.ask_later(order("note", 1), replies);
  outcome got = replies.take();
  EXPECT_EQ(got.reply.get(), nullptr);
  EXPECT_EQ(xpc_get_type(got.error.get()), XPC_TYPE_RICH_ERROR);
  EXPECT_EQ(replies.size(), 0u);
  client c(connection());
  EXPECT_TRUE(notes_in(c.ask("notes")).empty());
}

TEST_P(NamedConnections, R142_ASynchronousCallOnTheSessionsOwnQueueIsMisuse) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  a_queue own("rule 142"), other("another");
  EXPECT_DEATH(
      {
        a_session s(service_name, own);
        own.async([&] { s.add(1); });
        own.drain();
      },
      "XPC API Misuse: xpc_session_send_message_with_reply_sync: .*own target queue");
  xpc_testing::mailbox<std::int64_t> sums;
  {
    a_session s(service_name, own);
    other.async([&] { sums.put(s.add(1)); });
    EXPECT_EQ(sums.take(), 2);
    other.drain();
  }
  own.drain();
}

TEST_P(NamedConnections, R143_AReplyHandlerGetsEitherAReplyOrAnError) {
  a_session s(service_name);
  outcomes replies;
  for (const char* op : {"note", "drop", "cancel"}) {
    s.ask_later(order(op), replies);
    outcome got = replies.take();
    EXPECT_NE(got.reply.get() == nullptr, got.error.get() == nullptr) << op;
    EXPECT_EQ(got.reply.get() != nullptr, std::string(op) == "note") << op;
  }
}

// Whether they overlap on a concurrent queue is silent on Apple's side; here they never do.
TEST_P(NamedConnections, R144_EventsOfASessionGoToItsQueueAndDoNotOverlap) {
  a_queue concurrent("rule 144", DISPATCH_QUEUE_CONCURRENT);
  std::atomic<int> inside{0}, most{0}, calls{0}, elsewhere{0};
  xpc_testing::event all;
  {
    xpc_session_t made = a_session::created(service_name, concurrent, XPC_SESSION_CREATE_INACTIVE);
    a_session s(made);
    message_block message([&](xpc_object_t) {
      most = std::max(most.load(), ++inside);
      if (!concurrent.is_here()) ++elsewhere;
      --inside;
      if (++calls == 200) all.set();
    });
    xpc_session_set_incoming_message_handler(made, message.get());
    EXPECT_TRUE(xpc_session_activate(made, nullptr));
    EXPECT_EQ(s.send(order("say", 200)), nullptr);
    all.wait();
  }
  concurrent.drain();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(elsewhere, 0);
}

TEST_P(NamedConnections, R355_WhereAnErrorGoesIsTouchedAfterAFailureOnly) {
  auto* untouched = reinterpret_cast<xpc_rich_error_t>(std::uintptr_t{1});  // as if uninitialised
  xpc_rich_error_t error = untouched;
  xpc_session_t s =
      xpc_session_create_mach_service(service_name, nullptr, XPC_SESSION_CREATE_INACTIVE, &error);
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(error, untouched);
  EXPECT_TRUE(xpc_session_activate(s, &error));
  EXPECT_EQ(error, untouched);
  owned reply(xpc_session_send_message_with_reply_sync(s, owned(talk::number(1)), &error));
  EXPECT_NE(reply, nullptr);
  EXPECT_EQ(error, untouched);
  xpc_session_cancel(s);
  owned late(xpc_session_send_message_with_reply_sync(s, owned(talk::number(1)), &error));
  EXPECT_EQ(late, nullptr);
  EXPECT_NE(error, untouched);
  xpc_release(error);
  xpc_release(s);
}

TEST_P(NamedConnections, R355_ActivatingOrSettingTheHandlerOfAnActiveSessionIsMisuse) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  xpc_session_t s = a_session::created(service_name, nullptr, XPC_SESSION_CREATE_NONE);
  message_block message([](xpc_object_t) {});
  EXPECT_DEATH(xpc_session_activate(s, nullptr), "XPC API Misuse: xpc_session_activate: ");
  EXPECT_DEATH(xpc_session_set_incoming_message_handler(s, message.get()),
               "XPC API Misuse: xpc_session_set_incoming_message_handler: ");
  xpc_session_cancel(s);
  xpc_release(s);
}
