#include <gtest/gtest.h>

#include <thread>

#include "talk.hpp"

using namespace talk;

TEST(Semantics, R048_CreationOfAnUnknownNameNeverFails) {
  xpc_connection_t c = xpc_connection_create_mach_service("org.openxpc.no-such-name", nullptr, 0);
  ASSERT_NE(c, nullptr);
  events box;
  set_handler(c, into(box));
  xpc_connection_activate(c);
  EXPECT_EQ(box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  xpc_release(c);
}

TEST(Semantics, R337_UnknownServiceIsInvalidAndSynchronousSendsReturnThat) {
  xpc_connection_t c = xpc_connection_create_mach_service("org.openxpc.no-such-name", nullptr, 0);
  events box;
  set_handler(c, into(box));
  xpc_connection_activate(c);
  xpc_object_t message = number(1);
  xpc_object_t reply = xpc_connection_send_message_with_reply_sync(c, message);
  EXPECT_EQ(reply, XPC_ERROR_CONNECTION_INVALID);
  EXPECT_EQ(box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  char* why = xpc_connection_copy_invalidation_reason(c);
  ASSERT_NE(why, nullptr);
  EXPECT_NE(std::string(why).find("xpcd"), std::string::npos) << why;
  free(why);
  xpc_release(message);
  xpc_release(c);
}

TEST(Semantics, R060_InvalidationReasonIsNullWhileValid) {
  service s([](xpc_connection_t, xpc_object_t event) { answer_plus_one(event); });
  events box;
  xpc_connection_t c = s.connect(into(box));
  EXPECT_EQ(xpc_connection_copy_invalidation_reason(c), nullptr);
  finish(c, box);
}

TEST(Semantics, R325_CancelEndsWithExactlyOneInvalidEvenIfNothingWasSent) {
  xpc_connection_t c = xpc_connection_create_mach_service("org.openxpc.no-such-name", nullptr, 0);
  events box;
  set_handler(c, into(box));
  xpc_connection_cancel(c);
  xpc_connection_activate(c);
  EXPECT_EQ(box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  xpc_release(c);
}

TEST(Semantics, R056_R057_ReleasedAfterCancelTheHandlerStillHearsTheEnd) {
  events never_activated, suspended;
  xpc_connection_t c = xpc_connection_create_mach_service("org.openxpc.no-such-name", nullptr, 0);
  set_handler(c, into(never_activated));
  xpc_connection_cancel(c);
  xpc_release(c);
  EXPECT_EQ(never_activated.take().get(), XPC_ERROR_CONNECTION_INVALID);
  service s([](xpc_connection_t, xpc_object_t) {});
  c = s.connect(into(suspended));
  xpc_connection_suspend(c);
  xpc_connection_suspend(c);
  xpc_connection_cancel(c);
  EXPECT_FALSE(suspended.try_take());  // R053
  xpc_release(c);
  EXPECT_EQ(suspended.take().get(), XPC_ERROR_CONNECTION_INVALID);
}

TEST(Semantics, R323_MessagesSentBeforeResumeAreDeliveredAfterIt) {
  service s([](xpc_connection_t, xpc_object_t event) { answer_plus_one(event); });
  xpc_connection_t c = xpc_connection_create_from_endpoint(s.endpoint());
  events box, replies;
  set_handler(c, into(box));
  handler got = into(replies);
  for (int i = 0; i < 3; ++i) {
    xpc_object_t message = number(i);
    openxpc_connection_send_message_with_reply_f(c, message, nullptr, &got, call_handler);
    xpc_release(message);
  }
  xpc_connection_resume(c);
  std::int64_t sum = 0;
  for (int i = 0; i < 3; ++i) sum += number_in(replies.take().get());
  EXPECT_EQ(sum, 6);
  finish(c, box);
}

TEST(Semantics, R053_SuspendStopsHandlerCallsUntilAsManyResumes) {
  events at_client;
  xpc_testing::mailbox<kept> asked;
  service s([&](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_DICTIONARY) asked.put(kept(event));
  });
  xpc_connection_t c = s.connect(into(at_client));
  xpc_object_t hello = number(0);
  xpc_connection_send_message(c, hello);
  kept peer = s.peers.take();
  asked.take();
  xpc_connection_suspend(c);
  xpc_connection_suspend(c);
  xpc_object_t word = number(7);
  xpc_connection_send_message(static_cast<xpc_connection_t>(peer.get()), word);
  xpc_connection_send_message(c, hello);  // leaves only after the second resume
  xpc_connection_resume(c);
  EXPECT_FALSE(at_client.try_take());
  xpc_connection_resume(c);
  EXPECT_EQ(number_in(at_client.take().get()), 7);
  EXPECT_EQ(number_in(asked.take().get()), 0);
  xpc_release(hello);
  xpc_release(word);
  finish(c, at_client);
}

TEST(SemanticsDeathTest, R052_OverResumeIsMisuse) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";  // a forked child has no engine
  service s([](xpc_connection_t, xpc_object_t) {});
  events box;
  xpc_connection_t c = s.connect(into(box));
  EXPECT_DEATH(xpc_connection_resume(c),
               "XPC API Misuse: xpc_connection_resume: Over-resume of a connection");
  finish(c, box);
}

TEST(SemanticsDeathTest, R050_ActivationWithoutHandlerIsMisuse) {
  xpc_connection_t c = xpc_connection_create_mach_service("org.openxpc.x", nullptr, 0);
  EXPECT_DEATH(xpc_connection_activate(c),
               "XPC API Misuse: xpc_connection_activate: activation of a connection without");
  xpc_connection_cancel(c);
  xpc_release(c);
}

TEST(Semantics, R051_ActivatingTwiceDoesNothing) {
  service s([](xpc_connection_t, xpc_object_t event) { answer_plus_one(event); });
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_connection_activate(c);
  finish(c, box);
}

TEST(SemanticsDeathTest, R055_ReleasingAnInactiveConnectionIsMisuse) {
  xpc_connection_t c = xpc_connection_create_mach_service("org.openxpc.x", nullptr, 0);
  EXPECT_DEATH(
      xpc_release(c),
      "XPC API Misuse: xpc_release: release of the last reference to an inactive connection");
  xpc_connection_cancel(c);
  xpc_release(c);
}

TEST(Semantics, R342_SuspendThenReleaseClosesAndTheOtherSideNotices) {
  xpc_testing::mailbox<kept> events_at_service;
  service s([&](xpc_connection_t, xpc_object_t event) { events_at_service.put(kept(event)); });
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_object_t hello = number(0);
  xpc_connection_send_message(c, hello);
  xpc_release(hello);
  EXPECT_EQ(number_in(events_at_service.take().get()), 0);
  xpc_connection_suspend(c);
  xpc_release(c);
  EXPECT_EQ(events_at_service.take().get(), XPC_ERROR_CONNECTION_INVALID);
}

TEST(Semantics, R057_CancelFailsPendingRepliesWithInvalid) {
  xpc_testing::event asked;
  std::vector<kept> held;
  std::mutex mutex;
  service s([&](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    std::lock_guard hold(mutex);
    held.emplace_back(event);
    asked.set();
  });
  events box, replies;
  xpc_connection_t c = s.connect(into(box));
  handler got = into(replies);
  xpc_object_t message = number(1);
  openxpc_connection_send_message_with_reply_f(c, message, nullptr, &got, call_handler);
  xpc_release(message);
  asked.wait();
  xpc_connection_cancel(c);
  EXPECT_EQ(replies.take().get(), XPC_ERROR_CONNECTION_INVALID);
  EXPECT_EQ(box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  xpc_connection_cancel(c);  // R058: harmless
  xpc_release(c);
  std::lock_guard hold(mutex);
  held.clear();
}

TEST(Semantics, R059_SendingOnACancelledConnectionGivesInvalidReplies) {
  service s([](xpc_connection_t, xpc_object_t event) { answer_plus_one(event); });
  events box, replies;
  xpc_connection_t c = s.connect(into(box));
  xpc_connection_cancel(c);
  EXPECT_EQ(box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  xpc_object_t message = number(1);
  handler got = into(replies);
  openxpc_connection_send_message_with_reply_f(c, message, nullptr, &got, call_handler);
  EXPECT_EQ(replies.take().get(), XPC_ERROR_CONNECTION_INVALID);
  EXPECT_EQ(xpc_connection_send_message_with_reply_sync(c, message), XPC_ERROR_CONNECTION_INVALID);
  xpc_release(message);
  xpc_release(c);
}

TEST(Semantics, R068_R340_ClientGoesAwayThePeerGetsInvalidOnly) {
  xpc_testing::mailbox<kept> at_service;
  service s([&](xpc_connection_t peer, xpc_object_t event) {
    at_service.put(kept(event));
    if (event == XPC_ERROR_CONNECTION_INVALID) xpc_connection_cancel(peer);
  });
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_object_t hello = number(3);
  xpc_connection_send_message(c, hello);
  xpc_release(hello);
  EXPECT_EQ(number_in(at_service.take().get()), 3);
  finish(c, box);
  EXPECT_EQ(at_service.take().get(), XPC_ERROR_CONNECTION_INVALID);
}

TEST(Semantics, R071_R339_ServiceCancelsAnEndpointConnectionInterruptedThenInvalid) {
  service s([&](xpc_connection_t peer, xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_DICTIONARY) xpc_connection_cancel(peer);
  });
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_object_t hello = number(3);
  xpc_connection_send_message(c, hello);
  EXPECT_EQ(box.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  EXPECT_EQ(box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  EXPECT_EQ(xpc_connection_send_message_with_reply_sync(c, hello), XPC_ERROR_CONNECTION_INVALID);
  xpc_release(hello);
  xpc_release(c);
}

TEST(Semantics, R129_AConnectionFromADeadEndpointIsCreatedAndThenInvalid) {
  auto s = std::make_unique<service>([](xpc_connection_t, xpc_object_t) {});
  auto endpoint = static_cast<xpc_endpoint_t>(xpc_retain(s->endpoint()));
  s->cancel();
  xpc_connection_t c = xpc_connection_create_from_endpoint(endpoint);
  ASSERT_NE(c, nullptr);
  events box;
  set_handler(c, into(box));
  xpc_connection_activate(c);
  xpc_object_t hello = number(3);
  xpc_connection_send_message(c, hello);
  while (box.take().get() != XPC_ERROR_CONNECTION_INVALID) {
  }
  xpc_release(hello);
  xpc_release(endpoint);
  xpc_release(c);
}

TEST(Semantics, R111_TheFinalizerRunsOnceWithTheContextThatIsSetThen) {
  service s([](xpc_connection_t, xpc_object_t event) { answer_plus_one(event); });
  static std::atomic<int> calls;
  static std::atomic<void*> seen;
  calls = 0;
  int first = 0, second = 0;
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_connection_set_finalizer_f(c, [](void* context) {
    seen = context;
    ++calls;
  });
  xpc_connection_set_context(c, &first);
  xpc_connection_set_context(c, &second);
  EXPECT_EQ(xpc_connection_get_context(c), &second);
  EXPECT_EQ(calls, 0);  // R110: replacing runs nothing
  finish(c, box);
  xpc_testing::wait_until("the finalizer has run", [] { return calls.load() == 1; });
  EXPECT_EQ(seen.load(), &second);
}

TEST(Semantics, R341_ThePeerIsLetGoAfterItsLastEvent) {
  static std::atomic<int> gone;
  gone = 0;
  xpc_connection_t listener = xpc_connection_create(nullptr, nullptr);
  events listener_events;
  xpc_testing::event came;
  set_handler(listener, [&](xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return listener_events.put(kept(event));
    auto peer = static_cast<xpc_connection_t>(event);
    xpc_connection_set_finalizer_f(peer, [](void*) { ++gone; });
    set_handler(peer, [](xpc_object_t) {});
    xpc_connection_resume(peer);
    came.set();
  });
  xpc_connection_activate(listener);
  xpc_endpoint_t endpoint = xpc_endpoint_create(listener);
  xpc_connection_t c = xpc_connection_create_from_endpoint(endpoint);
  events box;
  set_handler(c, into(box));
  xpc_connection_activate(c);
  xpc_object_t hello = number(3);
  xpc_connection_send_message(c, hello);
  xpc_release(hello);
  came.wait();
  finish(c, box);
  xpc_testing::wait_until("the peer's finalizer has run", [] { return gone.load() == 1; });
  xpc_connection_cancel(listener);
  EXPECT_EQ(listener_events.take().get(), XPC_ERROR_CONNECTION_INVALID);
  xpc_release(endpoint);
  xpc_release(listener);
}
