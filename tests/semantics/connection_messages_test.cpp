#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "talk.hpp"

using namespace talk;

TEST(Semantics, R079_MessagesArriveInTheOrderOfTheCalls) {
  constexpr int count = 20'000;
  xpc_testing::event done;
  std::int64_t next = 0;
  bool ordered = true;
  service s([&](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    ordered &= number_in(event) == next++;
    if (next == count) done.set();
  });
  events box;
  xpc_connection_t c = s.connect(into(box));
  for (int i = 0; i < count; ++i) {
    xpc_object_t message = number(i);
    xpc_connection_send_message(c, message);
    xpc_release(message);
  }
  done.wait();
  EXPECT_TRUE(ordered);
  finish(c, box);
}

TEST(Semantics, R009_ALaterChangeOfTheDictionaryIsNotSeen) {
  xpc_testing::mailbox<kept> got;
  service s([&](xpc_connection_t, xpc_object_t event) { got.put(kept(event)); });
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_object_t message = number(1);
  xpc_connection_send_message(c, message);
  xpc_dictionary_set_int64(message, "n", 2);
  xpc_connection_send_message(c, message);
  EXPECT_EQ(number_in(got.take().get()), 1);
  EXPECT_EQ(number_in(got.take().get()), 2);
  xpc_release(message);
  finish(c, box);
  EXPECT_EQ(got.take().get(), XPC_ERROR_CONNECTION_INVALID);
}

TEST(SemanticsDeathTest, R078_OnlyDictionariesCanBeSent) {
  service s([](xpc_connection_t, xpc_object_t) {});
  events box;
  xpc_connection_t c = s.connect(into(box));
  EXPECT_DEATH(xpc_connection_send_message(c, xpc_null_create()),
               "XPC API Misuse: xpc_connection_send_message: .*dictionary");
  finish(c, box);
}

TEST(Semantics, R089_R090_AReplyContextExistsOnceAndOnlyForRequests) {
  xpc_testing::mailbox<int> seen;
  service s([&](xpc_connection_t peer, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    xpc_object_t first = xpc_dictionary_create_reply(event);
    xpc_object_t second = xpc_dictionary_create_reply(event);
    seen.put((first ? 1 : 0) + (second ? 2 : 0));
    EXPECT_EQ(xpc_dictionary_get_remote_connection(event), peer);  // R091
    if (!first) return;
    EXPECT_EQ(xpc_dictionary_get_remote_connection(first), peer);
    xpc_connection_send_message(peer, first);  // R334
    xpc_release(first);
  });
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_object_t message = number(1);
  xpc_connection_send_message(c, message);
  EXPECT_EQ(seen.take(), 0);
  xpc_object_t reply = xpc_connection_send_message_with_reply_sync(c, message);
  EXPECT_EQ(seen.take(), 1);
  EXPECT_EQ(xpc_get_type(reply), XPC_TYPE_DICTIONARY);
  EXPECT_EQ(xpc_dictionary_get_remote_connection(message), nullptr);
  xpc_release(reply);
  xpc_release(message);
  finish(c, box);
}

TEST(Semantics, R095_ADroppedRequestGivesInterruptedAtOnce) {
  service s([](xpc_connection_t, xpc_object_t) {});
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_object_t message = number(1);
  EXPECT_EQ(xpc_connection_send_message_with_reply_sync(c, message),
            XPC_ERROR_CONNECTION_INTERRUPTED);
  // The connection lives: only that request was lost.
  EXPECT_EQ(xpc_connection_send_message_with_reply_sync(c, message),
            XPC_ERROR_CONNECTION_INTERRUPTED);
  EXPECT_FALSE(box.try_take());
  xpc_release(message);
  finish(c, box);
}

TEST(SemanticsDeathTest, R097_SendingAReplyTwiceIsMisuse) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";  // a forked child has no engine
  EXPECT_DEATH(
      {
        service s([](xpc_connection_t peer, xpc_object_t event) {
          if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
          xpc_object_t reply = xpc_dictionary_create_reply(event);
          xpc_connection_send_message(peer, reply);
          xpc_connection_send_message(peer, reply);
        });
        events box;
        xpc_connection_t c = s.connect(into(box));
        xpc_object_t message = number(1);
        xpc_object_t first = xpc_connection_send_message_with_reply_sync(c, message);
        xpc_object_t second = xpc_connection_send_message_with_reply_sync(c, message);
        EXPECT_NE(first, second);
      },
      "XPC API Misuse: xpc_connection_send_message: this reply has been sent already");
}

TEST(Semantics, R334_AReplyMayBeSentLongAfterTheHandlerReturned) {
  xpc_testing::mailbox<kept> requests;
  service s([&](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_DICTIONARY) requests.put(kept(event));
  });
  events box, replies;
  xpc_connection_t c = s.connect(into(box));
  handler got = into(replies);
  for (int i = 0; i < 3; ++i) {
    xpc_object_t message = number(i);
    openxpc_connection_send_message_with_reply_f(c, message, nullptr, &got, call_handler);
    xpc_release(message);
  }
  std::vector<kept> all;
  for (int i = 0; i < 3; ++i) all.push_back(requests.take());
  // The last first: replies are no part of the order (R085).
  std::thread other([&] {
    for (int i = 2; i >= 0; --i) answer_plus_one(all[static_cast<std::size_t>(i)].get());
  });
  for (int i = 2; i >= 0; --i) EXPECT_EQ(number_in(replies.take().get()), i + 1);
  other.join();
  all.clear();
  finish(c, box);
}

TEST(Semantics, R333_BothSidesMaySendUnasked) {
  service s([](xpc_connection_t peer, xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_DICTIONARY)
      xpc_connection_send_message(peer, event);  // R335: sent on as it is
  });
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_object_t message = number(41);
  xpc_connection_send_message(c, message);
  EXPECT_EQ(number_in(box.take().get()), 41);
  xpc_release(message);
  finish(c, box);
}

TEST(Semantics, R331_ASynchronousSendInsideTheHandlerOfTheSameConnectionCompletes) {
  service s([](xpc_connection_t peer, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    answer_plus_one(event);
    if (number_in(event) == 100) xpc_connection_send_message(peer, event);
  });
  xpc_testing::mailbox<std::int64_t> inner;
  static xpc_connection_t client;
  events box;
  client = s.connect([&](xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return box.put(kept(event));
    xpc_object_t question = number(5);
    xpc_object_t reply = xpc_connection_send_message_with_reply_sync(client, question);
    inner.put(number_in(reply));
    xpc_release(reply);
    xpc_release(question);
  });
  xpc_object_t message = number(100);
  xpc_connection_send_message(client, message);
  xpc_release(message);
  EXPECT_EQ(inner.take(), 6);
  finish(client, box);
}

TEST(Semantics, R332_NestedSynchronousCallsInOppositeDirectionsComplete) {
  service s([](xpc_connection_t peer, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    xpc_object_t question = number(number_in(event) * 10);
    xpc_object_t sure = xpc_connection_send_message_with_reply_sync(peer, question);
    xpc_object_t reply = xpc_dictionary_create_reply(event);
    xpc_dictionary_set_int64(reply, "n", number_in(sure) + 1);
    xpc_connection_send_message(peer, reply);
    xpc_release(reply);
    xpc_release(sure);
    xpc_release(question);
  });
  events box;
  xpc_connection_t c = s.connect([&](xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_DICTIONARY) return answer_plus_one(event);
    box.put(kept(event));
  });
  for (int i = 1; i <= 50; ++i) {
    xpc_object_t message = number(i);
    xpc_object_t reply = xpc_connection_send_message_with_reply_sync(c, message);
    EXPECT_EQ(number_in(reply), i * 10 + 2);
    xpc_release(reply);
    xpc_release(message);
  }
  finish(c, box);
}

TEST(Semantics, R328_OneConnectionNeverTwoHandlerCallsAtOncePeersTrulyParallel) {
  std::atomic<int> inside{0}, most_in_one{0};
  std::mutex mutex;
  std::condition_variable both;
  int waiting = 0;
  service s([&](xpc_connection_t peer, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    if (number_in(event) == -1) {  // each peer waits here for the other one
      std::unique_lock hold(mutex);
      if (++waiting == 2) both.notify_all();
      both.wait(hold, [&] { return waiting >= 2; });
    } else {
      auto* count = static_cast<std::atomic<int>*>(xpc_connection_get_context(peer));
      int now = ++*count;
      int seen = most_in_one.load();
      while (now > seen && !most_in_one.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::yield();
      --*count;
    }
    answer_plus_one(event);
  });
  events box_a, box_b;
  xpc_connection_t a = s.connect(into(box_a)), b = s.connect(into(box_b));
  handler ignore = [](xpc_object_t) {};
  xpc_object_t meet = number(-1);
  openxpc_connection_send_message_with_reply_f(a, meet, nullptr, &ignore, call_handler);
  xpc_object_t reply = xpc_connection_send_message_with_reply_sync(b, meet);
  EXPECT_EQ(number_in(reply), 0);
  xpc_release(reply);
  for (int i = 0; i < 2; ++i) {
    kept peer = s.peers.take();
    xpc_connection_set_context(static_cast<xpc_connection_t>(peer.get()), &inside);
  }
  // Both peers share the counter of one here; only a's messages go to it, so at most one call at a
  // time.
  for (int i = 0; i < 1000; ++i) {
    xpc_object_t message = number(i);
    xpc_connection_send_message(a, message);
    xpc_release(message);
  }
  reply = xpc_connection_send_message_with_reply_sync(a, meet);
  xpc_release(reply);
  EXPECT_EQ(most_in_one.load(), 1);
  xpc_release(meet);
  finish(a, box_a);
  finish(b, box_b);
}

TEST(Semantics, R081_SixtyFourHandlersBlockedAtOnceWhileCallsAreAnswered) {
  std::mutex mutex;
  std::condition_variable changed;
  int blocked = 0;
  bool open = false;
  service s([&](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    if (number_in(event) == -1) {
      std::unique_lock hold(mutex);
      ++blocked;
      changed.notify_all();
      changed.wait(hold, [&] { return open; });
    }
    answer_plus_one(event);
  });
  constexpr int many = 64;
  std::vector<std::unique_ptr<events>> boxes;
  std::vector<xpc_connection_t> clients;
  events replies;
  handler got = into(replies);
  xpc_object_t block = number(-1);
  for (int i = 0; i < many; ++i) {
    boxes.push_back(std::make_unique<events>());
    clients.push_back(s.connect(into(*boxes.back())));
    openxpc_connection_send_message_with_reply_f(clients.back(), block, nullptr, &got,
                                                 call_handler);
  }
  {
    std::unique_lock hold(mutex);
    changed.wait(hold, [&] { return blocked == many; });
  }
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_object_t message = number(7);
  xpc_object_t reply = xpc_connection_send_message_with_reply_sync(c, message);
  EXPECT_EQ(number_in(reply), 8);
  xpc_release(reply);
  xpc_release(message);
  {
    std::lock_guard hold(mutex);
    open = true;
  }
  changed.notify_all();
  for (int i = 0; i < many; ++i) EXPECT_EQ(number_in(replies.take().get()), 0);
  for (int i = 0; i < many; ++i)
    finish(clients[static_cast<std::size_t>(i)], *boxes[static_cast<std::size_t>(i)]);
  xpc_release(block);
  finish(c, box);
}

TEST(Semantics, R105_R343_ABarrierRunsAfterTheMessagesBeforeItAndNotAfterReplies) {
  xpc_testing::mailbox<kept> requests;
  service s([&](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_DICTIONARY) requests.put(kept(event));
  });
  events box, replies;
  xpc_connection_t c = s.connect(into(box));
  handler got = into(replies);
  xpc_object_t message = number(1);
  openxpc_connection_send_message_with_reply_f(c, message, nullptr, &got, call_handler);
  xpc_testing::event passed;
  openxpc_connection_send_barrier_f(c, &passed,
                                    [](void* e) { static_cast<xpc_testing::event*>(e)->set(); });
  passed.wait();
  EXPECT_FALSE(replies.try_take());
  {
    kept request = requests.take();
    answer_plus_one(request.get());
  }
  EXPECT_EQ(number_in(replies.take().get()), 2);
  xpc_release(message);
  finish(c, box);
}

TEST(Semantics, R106_ABarrierOnACancelledConnectionRuns) {
  service s([](xpc_connection_t, xpc_object_t) {});
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_connection_cancel(c);
  EXPECT_EQ(box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  xpc_testing::event passed;
  openxpc_connection_send_barrier_f(c, &passed,
                                    [](void* e) { static_cast<xpc_testing::event*>(e)->set(); });
  passed.wait();
  xpc_release(c);
}

TEST(Semantics, R119_R122_ThePeerAppearsWithTheFirstMessageAndItsCredentials) {
  service s([](xpc_connection_t, xpc_object_t event) { answer_plus_one(event); });
  events box;
  xpc_connection_t c = s.connect(into(box));
  EXPECT_EQ(xpc_connection_get_pid(c), 0);
  EXPECT_EQ(xpc_connection_get_euid(c), static_cast<uid_t>(-1));
  EXPECT_FALSE(s.peers.try_take());
  xpc_object_t message = number(1);
  xpc_object_t reply = xpc_connection_send_message_with_reply_sync(c, message);
  xpc_release(reply);
  kept peer = s.peers.take();
  auto p = static_cast<xpc_connection_t>(peer.get());
  EXPECT_EQ(xpc_connection_get_pid(p), ::getpid());  // R336
  EXPECT_EQ(xpc_connection_get_euid(p), ::geteuid());
  EXPECT_EQ(xpc_connection_get_egid(p), ::getegid());
  EXPECT_EQ(xpc_connection_get_pid(c), ::getpid());
  EXPECT_EQ(xpc_connection_get_name(p), nullptr);  // R061
  EXPECT_EQ(xpc_connection_get_name(c), nullptr);
  xpc_release(message);
  finish(c, box);
}

TEST(Semantics, R311_ADescriptorThatCrossedNamesTheSameFile) {
  xpc_testing::mailbox<int> got;
  service s([&](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_DICTIONARY) got.put(xpc_dictionary_dup_fd(event, "file"));
  });
  int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  events box;
  xpc_connection_t c = s.connect(into(box));
  xpc_object_t message = xpc_dictionary_create_empty();
  xpc_dictionary_set_fd(message, "file", file);
  xpc_connection_send_message(c, message);
  xpc_release(message);
  int crossed = got.take();
  struct stat here{}, there{};
  ASSERT_EQ(::fstat(file, &here), 0);
  ASSERT_EQ(::fstat(crossed, &there), 0);
  EXPECT_NE(crossed, file);
  EXPECT_EQ(here.st_ino, there.st_ino);
  EXPECT_EQ(here.st_dev, there.st_dev);
  ::close(crossed);
  ::close(file);
  finish(c, box);
}

TEST(Semantics, R131_R346_AnEndpointRelayedThroughAThirdPartyConnectsStraight) {
  // The lobby keeps the endpoint that A sends and gives it to B.
  std::mutex mutex;
  kept door;
  service lobby([&](xpc_connection_t peer, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    xpc_object_t reply = xpc_dictionary_create_reply(event);
    std::lock_guard hold(mutex);
    if (xpc_object_t given = xpc_dictionary_get_value(event, "door"))
      door = kept(given);
    else
      xpc_dictionary_set_value(reply, "door", door.get());
    xpc_connection_send_message(peer, reply);
    xpc_release(reply);
  });
  service a([](xpc_connection_t, xpc_object_t event) { answer_plus_one(event); });
  events box_a, box_b;
  xpc_connection_t ca = lobby.connect(into(box_a)), cb = lobby.connect(into(box_b));
  xpc_object_t give = xpc_dictionary_create_empty();
  xpc_dictionary_set_value(give, "door", a.endpoint());
  xpc_release(xpc_connection_send_message_with_reply_sync(ca, give));
  xpc_object_t ask = xpc_dictionary_create_empty();
  xpc_object_t found = xpc_connection_send_message_with_reply_sync(cb, ask);
  xpc_object_t endpoint = xpc_dictionary_get_value(found, "door");
  ASSERT_EQ(xpc_get_type(endpoint), XPC_TYPE_ENDPOINT);
  EXPECT_TRUE(xpc_equal(endpoint, a.endpoint()));  // R309
  events box;
  xpc_connection_t straight =
      xpc_connection_create_from_endpoint(static_cast<xpc_endpoint_t>(endpoint));
  set_handler(straight, into(box));
  xpc_connection_activate(straight);
  xpc_object_t message = number(1);
  xpc_object_t reply = xpc_connection_send_message_with_reply_sync(straight, message);
  EXPECT_EQ(number_in(reply), 2);
  for (xpc_object_t each : {give, ask, found, message, reply}) xpc_release(each);
  finish(straight, box);
  finish(ca, box_a);
  finish(cb, box_b);
  std::lock_guard hold(mutex);
  door = kept();
}

TEST(Semantics, R130_EachConnectionFromOneEndpointIsAPeerOfItsOwn) {
  service s([](xpc_connection_t, xpc_object_t event) { answer_plus_one(event); });
  events box_a, box_b;
  xpc_connection_t a = s.connect(into(box_a)), b = s.connect(into(box_b));
  xpc_object_t message = number(1);
  xpc_release(xpc_connection_send_message_with_reply_sync(a, message));
  xpc_release(xpc_connection_send_message_with_reply_sync(b, message));
  kept first = s.peers.take(), second = s.peers.take();
  EXPECT_NE(first.get(), second.get());
  EXPECT_FALSE(xpc_equal(first.get(), second.get()));
  xpc_release(message);
  finish(a, box_a);
  finish(b, box_b);
}
