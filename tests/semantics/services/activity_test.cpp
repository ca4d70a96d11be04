// Activities and event streams, as far as they do not depend on a scheduler.
#include "support/mailbox.hpp"

#include <xpc/openxpc/activity.h>
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "semantics/owned.hpp"

namespace {

using semantics::no_object;
using semantics::owned;

/// A function as a handler; lives as long as the test, which unregisters what it registered.
using handler = std::function<void(xpc_activity_t)>;
void call(xpc_activity_t activity, void* context) { (*static_cast<handler*>(context))(activity); }

owned criteria(std::int64_t interval) {
  owned made(xpc_dictionary_create_empty());
  xpc_dictionary_set_int64(made, XPC_ACTIVITY_INTERVAL, interval);
  return made;
}

struct seen {
  xpc_activity_state_t state;
  std::int64_t interval;
};
seen look(xpc_activity_t activity) {
  owned copy(xpc_activity_copy_criteria(activity));
  return {xpc_activity_get_state(activity), xpc_dictionary_get_int64(copy, XPC_ACTIVITY_INTERVAL)};
}

TEST(SemanticsActivity, R186_CheckInCallsTheHandlerFirstWithTheCriteriaThatThereAre) {
  xpc_testing::mailbox<seen> calls;
  handler told = [&](xpc_activity_t activity) { calls.put(look(activity)); };
  openxpc_activity_register_f("a", criteria(XPC_ACTIVITY_INTERVAL_1_DAY), &told, call);
  openxpc_activity_register_f("a", XPC_ACTIVITY_CHECK_IN, &told, call);
  seen first = calls.take();
  EXPECT_EQ(first.state, XPC_ACTIVITY_STATE_CHECK_IN);
  EXPECT_EQ(first.interval, 86400);
  xpc_activity_unregister("a");

  openxpc_activity_register_f("b", XPC_ACTIVITY_CHECK_IN, &told, call);
  seen fresh = calls.take();
  EXPECT_EQ(fresh.state, XPC_ACTIVITY_STATE_CHECK_IN);
  EXPECT_EQ(fresh.interval, 0);
  xpc_activity_unregister("b");
}

TEST(SemanticsActivity, R185_RegisteringAnIdentifierAgainReplacesItsCriteria) {
  xpc_testing::mailbox<seen> calls;
  handler told = [&](xpc_activity_t activity) { calls.put(look(activity)); };
  handler never = [&](xpc_activity_t) { ADD_FAILURE() << "the handler was replaced"; };
  openxpc_activity_register_f("a", criteria(XPC_ACTIVITY_INTERVAL_1_DAY), &never, call);
  owned hour = criteria(XPC_ACTIVITY_INTERVAL_1_HOUR);
  openxpc_activity_register_f("a", hour, &never, call);
  xpc_dictionary_set_int64(hour, XPC_ACTIVITY_INTERVAL, 5);  // it has a copy
  openxpc_activity_register_f("a", XPC_ACTIVITY_CHECK_IN, &told, call);
  EXPECT_EQ(calls.take().interval, 3600);
  xpc_activity_unregister("a");
}

TEST(SemanticsActivity, ItsHandlerMayReadAndChangeTheCriteriaAndItWaitsAfterwards) {
  xpc_testing::mailbox<xpc_activity_t> calls;
  handler told = [&](xpc_activity_t activity) {
    xpc_activity_set_criteria(activity, criteria(7));
    EXPECT_FALSE(xpc_activity_set_state(activity, XPC_ACTIVITY_STATE_DONE));
    EXPECT_FALSE(xpc_activity_set_state(activity, 99));
    EXPECT_EQ(xpc_activity_get_state(activity), XPC_ACTIVITY_STATE_CHECK_IN);
    EXPECT_FALSE(xpc_activity_should_defer(activity));
    calls.put(static_cast<xpc_activity_t>(xpc_retain(activity)));
  };
  openxpc_activity_register_f("a", XPC_ACTIVITY_CHECK_IN, &told, call);
  owned activity(calls.take());
  EXPECT_EQ(xpc_get_type(activity), XPC_TYPE_ACTIVITY);
  EXPECT_EQ(look(static_cast<xpc_activity_t>(static_cast<void*>(activity))).interval, 7);
  EXPECT_EQ(xpc_copy(activity), nullptr);
  // A second handler call could only come once the first has returned.
  openxpc_activity_register_f("a", XPC_ACTIVITY_CHECK_IN, &told, call);
  owned again(calls.take());
  EXPECT_EQ(static_cast<xpc_object_t>(again), static_cast<xpc_object_t>(activity));
  EXPECT_NE(semantics::described(activity).find("identifier = \"a\""), std::string::npos);
  xpc_activity_unregister("a");
}

TEST(SemanticsActivity, AnUnregisteredOneIsForgottenAndHarmlessToUnregisterAgain) {
  xpc_testing::mailbox<seen> calls;
  handler told = [&](xpc_activity_t activity) { calls.put(look(activity)); };
  openxpc_activity_register_f("a", criteria(5), &told, call);
  xpc_activity_unregister("a");
  xpc_activity_unregister("a");
  openxpc_activity_register_f("a", XPC_ACTIVITY_CHECK_IN, &told, call);
  EXPECT_EQ(calls.take().interval, 0);
  xpc_activity_unregister("a");
}

void never_called(xpc_activity_t, void*) { ADD_FAILURE() << "called"; }

TEST(SemanticsActivityDeathTest, WrongArgumentsAreMisuse) {
  owned number(xpc_int64_create(1));
  EXPECT_DEATH(openxpc_activity_register_f("", XPC_ACTIVITY_CHECK_IN, nullptr, never_called),
               "XPC API Misuse: openxpc_activity_register_f: the identifier is empty");
  EXPECT_DEATH(
      openxpc_activity_register_f("a", number, nullptr, never_called),
      "XPC API Misuse: openxpc_activity_register_f: expected an object of type dictionary");
  EXPECT_DEATH(openxpc_activity_register_f(no_object<const char*>(), number, nullptr, never_called),
               "XPC API Misuse: openxpc_activity_register_f: the identifier is NULL");
  // By a pointer: UBSan would speak first.
  void (*volatile unregister)(const char*) = xpc_activity_unregister;
  EXPECT_DEATH(unregister(no_object<const char*>()),
               "XPC API Misuse: xpc_activity_unregister: the identifier is NULL");
}

void no_event(xpc_object_t, void*) { ADD_FAILURE() << "called"; }

TEST(SemanticsEventsDeathTest, R198_AStreamHasOneHandlerInAProcess) {
  EXPECT_DEATH(
      {
        openxpc_set_event_stream_handler_f("org.example.stream", nullptr, nullptr, no_event);
        openxpc_set_event_stream_handler_f("org.example.other", nullptr, nullptr, no_event);
        openxpc_set_event_stream_handler_f("org.example.stream", nullptr, nullptr, no_event);
      },
      "XPC API Misuse: openxpc_set_event_stream_handler_f: the stream org.example.stream has a "
      "handler");
  EXPECT_DEATH(
      openxpc_set_event_stream_handler_f("", nullptr, nullptr, no_event),
      "XPC API Misuse: openxpc_set_event_stream_handler_f: the name of the stream is empty");
}

}  // namespace
