// Listeners and endpoints, rules 118 to 128, in each setting.
#include "support/resources.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "settings.hpp"

using namespace semantics;
using talk::kept;

namespace {

/// An anonymous listener whose handler is the test's.
class listener {
 public:
  explicit listener(talk::handler told) : connection_(xpc_connection_create(nullptr, nullptr)) {
    talk::set_handler(connection_, [this, told = std::move(told)](xpc_object_t event) {
      told(event);
      if (event == XPC_ERROR_CONNECTION_INVALID) over_.set();
    });
    xpc_connection_activate(connection_);
    endpoint_ = owned(xpc_endpoint_create(connection_));
  }
  ~listener() {
    cancel();
    xpc_release(connection_);
  }
  void cancel() {
    xpc_connection_cancel(connection_);
    over_.wait();
  }
  operator xpc_connection_t() const { return connection_; }  // NOLINT: implicit on purpose
  xpc_connection_t connect() const {
    return xpc_connection_create_from_endpoint(
        static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(endpoint_)));
  }

 private:
  xpc_connection_t connection_;
  owned endpoint_;
  xpc_testing::event over_;
};

xpc_endpoint_t endpoint_in(const owned& message) {
  return static_cast<xpc_endpoint_t>(xpc_dictionary_get_value(message, "endpoint"));
}

}  // namespace

TEST(Semantics, R118_AListenersEventsArePeersAndErrorsAndNeverMessages) {
  talk::events at_listener, at_peer;
  {
    listener l([&](xpc_object_t event) {
      at_listener.put(kept(event));
      if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
      talk::set_handler(static_cast<xpc_connection_t>(event), talk::into(at_peer));
      xpc_connection_activate(static_cast<xpc_connection_t>(event));
    });
    {
      client c(l.connect());
      for (int i = 0; i < 3; ++i) c.send(owned(talk::number(i)));
      for (int i = 0; i < 3; ++i) EXPECT_EQ(talk::number_in(at_peer.take().get()), i);
    }
    EXPECT_EQ(at_peer.take().get(), XPC_ERROR_CONNECTION_INVALID);
  }
  EXPECT_EQ(xpc_get_type(at_listener.take().get()), XPC_TYPE_CONNECTION);
  EXPECT_EQ(at_listener.take().get(), XPC_ERROR_CONNECTION_INVALID);
  EXPECT_EQ(at_listener.size(), 0u);
}

// Undefined on Apple's side. Here the client of a peer that nobody activates waits, others do not.
TEST(Semantics, R120_APeerIsConfiguredOrCancelledOrItsClientWaits) {
  talk::events peers, replies;
  talk::handler got = talk::into(replies);
  std::atomic<int> count{0};
  xpc_testing::event last;
  listener l([&](xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
    auto peer = static_cast<xpc_connection_t>(event);
    switch (++count) {
      case 1:
        return peers.put(kept(peer));  // neither
      case 2:
        return xpc_connection_cancel(peer);
      default:
        talk::set_handler(peer, [&](xpc_object_t what) {
          if (what == XPC_ERROR_CONNECTION_INVALID) return last.set();
          talk::answer_plus_one(what);
        });
        xpc_connection_activate(peer);
    }
  });
  {
    client neither(l.connect());
    neither.ask_later(owned(talk::number(1)), got);
    kept peer = peers.take();
    client cancelled(l.connect());
    EXPECT_EQ(cancelled.add(1), -1);
    EXPECT_EQ(cancelled.box.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
    EXPECT_EQ(cancelled.box.take().get(), XPC_ERROR_CONNECTION_INVALID);
    client configured(l.connect());
    EXPECT_EQ(configured.add(1), 2);
    EXPECT_EQ(replies.size(), 0u);
    EXPECT_EQ(neither.box.size(), 0u);
    xpc_connection_cancel(static_cast<xpc_connection_t>(peer.get()));
    EXPECT_EQ(replies.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  }
  last.wait();
}

TEST(Semantics, R121_TheListenerLendsThePeerAndHoldsItUntilItsInvalidEventWasHandled) {
  static std::atomic<bool> freed;
  freed = false;
  xpc_testing::event heard, go_on;
  std::atomic<bool> alive_in_handler{false};
  listener l([&](xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
    auto peer = static_cast<xpc_connection_t>(event);  // not retained
    xpc_connection_set_finalizer_f(peer, [](void*) { freed = true; });
    talk::set_handler(peer, [&, peer](xpc_object_t what) {
      if (what != XPC_ERROR_CONNECTION_INVALID) return talk::answer_plus_one(what);
      heard.set();
      go_on.wait();
      alive_in_handler = !freed && xpc_connection_get_pid(peer) == ::getpid();
    });
    xpc_connection_activate(peer);
  });
  {
    client c(l.connect());
    EXPECT_EQ(c.add(1), 2);
  }
  heard.wait();
  EXPECT_FALSE(freed);
  go_on.set();
  xpc_testing::wait_until("the peer to be freed", [] { return freed.load(); });
  EXPECT_TRUE(alive_in_handler);
}

TEST_P(Connections, R122_ThePeersCredentialsAreThereAtOnceAndTheServicesAfterAMessage) {
  client c(connection());
  EXPECT_EQ(xpc_connection_get_pid(c), 0);
  EXPECT_EQ(xpc_connection_get_euid(c), static_cast<uid_t>(-1));
  EXPECT_EQ(xpc_connection_get_egid(c), static_cast<gid_t>(-1));
  EXPECT_EQ(xpc_connection_get_asid(c), -1);
  const pid_t service = static_cast<pid_t>(xpc_dictionary_get_int64(c.ask("notes"), "pid"));
  EXPECT_EQ(service == ::getpid(), !named());
  EXPECT_EQ(xpc_connection_get_pid(c), service);
  EXPECT_EQ(xpc_connection_get_euid(c), ::geteuid());
  EXPECT_EQ(xpc_connection_get_egid(c), ::getegid());
  EXPECT_EQ(xpc_connection_get_asid(c), ::getsid(service));
}

TEST_P(NamedConnections, R123_PrivilegedMeansNothingForAListener) {
  // The service was created with LISTENER and PRIVILEGED, in a domain that is not the system's.
  client c(connection());
  EXPECT_EQ(c.add(1), 2);
}

// Those of an anonymous listener came by its endpoint and end with it (rules 71, 129 and 339).
TEST_P(Connections, R124_ASuspendedListenerDelaysNewPeersAndACancelLeavesThoseOfItsName) {
  client c(connection());
  c.ask("suspend");
  client late(connection());
  talk::events replies;
  talk::handler got = talk::into(replies);
  late.ask_later(order("who"), got);
  EXPECT_EQ(xpc_dictionary_get_int64(c.ask("notes"), "peers"), 1);
  EXPECT_EQ(replies.size(), 0u);
  c.ask("resume");
  EXPECT_EQ(xpc_dictionary_get_int64(replies.take().get(), "peer"), 2);
  c.send("close");
  if (named()) {
    EXPECT_EQ(c.add(1), 2);
    EXPECT_EQ(late.add(1), 2);
  } else {
    expect_loss(c);
    expect_loss(late);
  }
}

/// connects and asks twice, and in between becomes somebody else.
XPC_TEST_ROLE(changes_its_user) {
  ::setenv("OPENXPC_DOMAIN", call.arguments.at(0).c_str(), 1);
  client c(xpc_connection_create_mach_service(call.arguments.at(1).c_str(), nullptr, 0));
  auto say = [&] {
    owned who = c.ask("who");
    xpc_testing::say(std::to_string(xpc_dictionary_get_int64(who, "euid")) + " " +
                     std::to_string(xpc_dictionary_get_int64(who, "euid-now")));
  };
  say();
  if (::seteuid(65534) != 0) return 1;
  say();
  // Back, or LeakSanitizer may not look at this process.
  if (::seteuid(0) != 0 || ::prctl(PR_SET_DUMPABLE, 1) != 0) return 1;
  return 0;
}

TEST_P(NamedConnections, R125_CredentialsAreThoseOfConnectionTime) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: needs root to become somebody else";
  auto other =
      xpc_testing::child::role("changes_its_user", {.arguments = {domain(), service_name}});
  other.expect_line("0 0");
  other.expect_line("0 0");
  EXPECT_EQ(other.wait().status, 0);
}

TEST(Semantics, R126_AConnectionWithoutANameIsAnAnonymousListener) {
  talk::events events;
  listener l([&](xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return events.put(kept(event));
    xpc_connection_cancel(static_cast<xpc_connection_t>(event));
    events.put(kept(event));
  });
  EXPECT_EQ(xpc_connection_get_name(l), nullptr);
  // It follows the rules of listeners: one peer for each client that has sent something, suspend.
  client a(l.connect()), b(l.connect()), silent(l.connect());
  xpc_connection_suspend(l);
  a.send(owned(talk::number(1)));
  b.send(owned(talk::number(1)));
  EXPECT_EQ(events.size(), 0u);
  xpc_connection_resume(l);
  kept first = events.take(), second = events.take();
  EXPECT_EQ(xpc_get_type(first.get()), XPC_TYPE_CONNECTION);
  EXPECT_EQ(xpc_get_type(second.get()), XPC_TYPE_CONNECTION);
  EXPECT_NE(first.get(), second.get());
  l.cancel();
  EXPECT_EQ(events.take().get(), XPC_ERROR_CONNECTION_INVALID);
}

TEST(SemanticsDeathTest, R126_WhatPeersDoIsMisuseOnAListener) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  listener l([](xpc_object_t) {});
  EXPECT_DEATH(xpc_connection_send_message(l, owned(talk::number(1))),
               "XPC API Misuse: xpc_connection_send_message: a listener is not a peer");
  EXPECT_DEATH(xpc_connection_resume(l),
               "XPC API Misuse: xpc_connection_resume: Over-resume of a connection");
  EXPECT_DEATH(xpc_connection_activate(xpc_connection_create(nullptr, nullptr)),
               "XPC API Misuse: xpc_connection_activate: .*without an event handler");
  EXPECT_DEATH(xpc_release(xpc_connection_create(nullptr, nullptr)),
               "XPC API Misuse: xpc_release: .*inactive listener");  // rule 55
}

TEST_P(Connections, R127_AnEndpointYieldsAnyNumberOfConnectionsWhereverItArrives) {
  client c(connection());
  // The test's own listener, connected to from where the service runs.
  xpc_testing::mailbox<std::int64_t> asked;
  talk::service mine([&](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_DICTIONARY) asked.put(talk::number_in(event));
    talk::answer_plus_one(event);
  });
  owned message = order("connect", 3);
  xpc_dictionary_set_value(message, "to", mine.endpoint());
  EXPECT_EQ(asked.size(), 0u);  // data, until somebody makes a connection of it
  EXPECT_EQ(xpc_dictionary_get_int64(c.ask(message), "sum"), 1 + 2 + 3);
  EXPECT_EQ(asked.size(), 3u);
  EXPECT_EQ(mine.peers.size(), 3u);
  // And the service's, connected to from here, also out of an array.
  owned reply = c.ask("endpoint");
  owned array(xpc_array_create_empty());
  xpc_array_append_value(array, xpc_dictionary_get_value(reply, "endpoint"));
  auto* endpoint = static_cast<xpc_endpoint_t>(xpc_array_get_value(array, 0));
  client first(xpc_connection_create_from_endpoint(endpoint));
  client second(xpc_connection_create_from_endpoint(endpoint));
  EXPECT_EQ(first.add(1), 2);
  EXPECT_EQ(second.add(1), 2);
  while (asked.try_take()) {
  }
}

TEST(SemanticsDeathTest, R128_EndpointsAreMadeOfCreatedListenersOnly) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  talk::service s([](xpc_connection_t, xpc_object_t event) { talk::answer_plus_one(event); });
  client c(s.connect([](xpc_object_t) {}), false);
  EXPECT_EQ(c.add(1), 2);
  kept peer = s.peers.take();
  EXPECT_DEATH(owned(xpc_endpoint_create(static_cast<xpc_connection_t>(peer.get()))),
               "XPC API Misuse: xpc_endpoint_create: only listeners");
  EXPECT_DEATH(owned(xpc_endpoint_create(c)),
               "XPC API Misuse: xpc_endpoint_create: only listeners");
}

TEST_P(NamedConnections, R129_AnEndpointKeepsNoListenerAlive) {
  client c(connection());
  owned reply = c.ask("endpoint");
  client before(xpc_connection_create_from_endpoint(endpoint_in(reply)));
  EXPECT_EQ(before.add(1), 2);
  lose(c);
  EXPECT_EQ(before.box.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  EXPECT_EQ(before.box.take().get(), XPC_ERROR_CONNECTION_INVALID);
  client after(xpc_connection_create_from_endpoint(endpoint_in(reply)));
  EXPECT_EQ(after.ask(owned(talk::number(1))), XPC_ERROR_CONNECTION_INVALID);
  EXPECT_EQ(after.box.take().get(), XPC_ERROR_CONNECTION_INVALID);
}
