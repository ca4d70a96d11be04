// Contexts, finalizers and target queues, rules 110 to 117, in each setting.
#include <dispatch/dispatch.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>

#include "a_queue.hpp"
#include "settings.hpp"

using namespace semantics;
using talk::kept;

TEST_P(Connections, R110_SetContextReplacesThePointerWithoutTheFinalizer) {
  static std::atomic<int> finalized;
  finalized = 0;
  int first = 0, second = 0;
  {
    client c(connection());
    EXPECT_EQ(xpc_connection_get_context(c), nullptr);
    xpc_connection_set_finalizer_f(c, [](void*) { ++finalized; });
    xpc_connection_set_context(c, &first);
    EXPECT_EQ(xpc_connection_get_context(c), &first);
    xpc_connection_set_context(c, &second);
    EXPECT_EQ(xpc_connection_get_context(c), &second);
    xpc_connection_set_context(c, nullptr);
    EXPECT_EQ(xpc_connection_get_context(c), nullptr);
    EXPECT_EQ(c.add(1), 2);
    EXPECT_EQ(finalized, 0);
  }
  xpc_testing::wait_until("the finalizer to run", [] { return finalized.load() == 1; });
}

TEST(SemanticsDeathTest, R112_AFinalizerThatTouchesItsConnectionIsMisuse) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        xpc_connection_t c = xpc_connection_create("org.example.nobody", nullptr);
        xpc_connection_set_context(c, c);
        xpc_connection_set_finalizer_f(c, [](void* context) {
          xpc_connection_cancel(static_cast<xpc_connection_t>(context));
        });
        xpc_connection_cancel(c);
        xpc_release(c);
      },
      "XPC API Misuse: xpc_connection_cancel: .*released more often than retained");
}

TEST_P(Connections, R114_TheQueueCanBeSetUntilActivation) {
  a_queue first("first"), second("second");
  {
    xpc_testing::mailbox<bool> right;
    xpc_connection_t made = connection(first);
    xpc_connection_set_target_queue(made, second);
    client c(made, talk::handler([&](xpc_object_t) { right.put(second.is_here()); }));
    c.send("say", 1);
    EXPECT_TRUE(right.take());
  }
  first.drain();
  second.drain();
}

TEST(SemanticsDeathTest, R114_SettingTheQueueOfAnActiveConnectionIsMisuse) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  talk::service s([](xpc_connection_t, xpc_object_t) {});
  talk::events box;
  xpc_connection_t c = s.connect(talk::into(box));
  EXPECT_DEATH(xpc_connection_set_target_queue(c, nullptr),
               "XPC API Misuse: xpc_connection_set_target_queue: .*before activation");
  EXPECT_DEATH(xpc_connection_set_target_queue(s.listener(), nullptr),
               "XPC API Misuse: xpc_connection_set_target_queue: .*before activation");
  talk::finish(c, box);
}

TEST_P(Connections, R115_NullMeansTheDefaultQueue) {
  a_queue serial("rule 115");
  xpc_testing::mailbox<bool> on_serial;
  xpc_connection_t made = connection(serial);
  xpc_connection_set_target_queue(made, nullptr);  // back to the default
  client c(made, talk::handler([&](xpc_object_t) { on_serial.put(serial.is_here()); }));
  xpc_testing::event enough;
  serial.async([&] { enough.wait(); });
  c.send("say", 1);
  EXPECT_FALSE(on_serial.take());  // also the blocked queue does not hold it up
  enough.set();
  serial.drain();
}

TEST(Semantics, R116_PeersDoNotInheritTheListenersQueue) {
  a_queue of_listener("listener"), of_peer("peer");
  xpc_testing::mailbox<std::pair<bool, bool>> where;
  xpc_testing::event first_over, second_over, listener_over;
  std::atomic<int> peers{0};
  xpc_connection_t listener = xpc_connection_create(nullptr, of_listener);
  talk::set_handler(listener, [&](xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return listener_over.set();
    where.put({of_listener.is_here(), of_peer.is_here()});
    auto peer = static_cast<xpc_connection_t>(event);
    const bool first = ++peers == 1;
    if (!first) xpc_connection_set_target_queue(peer, of_peer);
    talk::set_handler(peer, [&, first](xpc_object_t what) {
      if (what == XPC_ERROR_CONNECTION_INVALID) return (first ? first_over : second_over).set();
      where.put({of_listener.is_here(), of_peer.is_here()});
    });
    xpc_connection_activate(peer);
  });
  xpc_connection_activate(listener);
  owned endpoint(xpc_endpoint_create(listener));
  auto connect = [&] {
    return xpc_connection_create_from_endpoint(
        static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(endpoint)));
  };
  {
    client first(connect());
    first.send(owned(talk::number(1)));
    EXPECT_EQ(where.take(), std::pair(true, false));   // the listener's handler
    EXPECT_EQ(where.take(), std::pair(false, false));  // its peer's
    client second(connect());
    second.send(owned(talk::number(1)));
    EXPECT_EQ(where.take(), std::pair(true, false));
    EXPECT_EQ(where.take(), std::pair(false, true));
  }
  first_over.wait();
  second_over.wait();
  xpc_connection_cancel(listener);
  listener_over.wait();
  xpc_release(listener);
  of_listener.drain();
  of_peer.drain();
}

TEST_P(Connections, R117_TheCurrentQueueIsNoMoreThanALabelForDebugging) {
  a_queue serial("org.example.rule-117");
  xpc_testing::mailbox<std::string> labels;
  talk::handler tell = [&](xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_DICTIONARY)
      labels.put(dispatch_queue_get_label(DISPATCH_CURRENT_QUEUE_LABEL));
  };
  {
    // The default queue is none that dispatch knows; whoever asks gets a label all the same, and
    // never that of a queue that the program made.
    client c(connection(), tell);
    c.send("say", 1);
    EXPECT_NE(labels.take(), "org.example.rule-117");
  }
  {
    client c(connection(serial), tell);
    c.send("say", 1);
    EXPECT_EQ(labels.take(), "org.example.rule-117");
  }
  serial.drain();
}
