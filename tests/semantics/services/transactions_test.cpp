// semantics.md, section 15: transactions. The test is the service manager, and asks the service
// whether it is idle.
#include "support/role.hpp"

#include <xpc/openxpc/connection.h>

#include <gtest/gtest.h>

#include <atomic>

#include "semantics/services/linked_service.hpp"

namespace {

using semantics::linked_service;
using semantics::op_of;
using semantics::order;
using semantics::owned;

constexpr const char* name = "org.example.busy";

std::atomic<xpc_object_t> kept{nullptr};
xpc_testing::event may_return;

void handle(xpc_object_t event, void* peer) {
  if (event == XPC_ERROR_TERMINATION_IMMINENT) xpc_testing::say("imminent");
  if (event == XPC_ERROR_CONNECTION_INVALID) {
    xpc_release(peer);
    xpc_testing::say("gone");
  }
  if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
  if (op_of(event) == "hold") kept = xpc_retain(event);
  if (op_of(event) == "reply") kept = xpc_dictionary_create_reply(event);
  xpc_testing::say("got");
  if (op_of(event) == "stay") may_return.wait();
}

void take_peer(xpc_object_t event, void*) {
  if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
  auto peer = static_cast<xpc_connection_t>(xpc_retain(event));
  xpc_connection_set_event_handler_f(peer, peer, handle);
  xpc_connection_activate(peer);
}

/// A service that does with its transactions what it reads from its input.
XPC_TEST_ROLE(busy) {
  semantics::take_sockets();
  xpc_connection_t listener =
      xpc_connection_create_mach_service(name, nullptr, XPC_CONNECTION_MACH_SERVICE_LISTENER);
  xpc_connection_set_event_handler_f(listener, nullptr, take_peer);
  xpc_connection_activate(listener);
  for (std::string line = xpc_testing::hear(); !line.empty(); line = xpc_testing::hear()) {
    if (line == "begin") xpc_transaction_begin();
    if (line == "end") xpc_transaction_end();
    if (line == "drop") xpc_release(kept.load());
    if (line == "return") may_return.set();
    // The reply itself stays: it is having been sent that counts.
    if (line == "send")
      xpc_connection_send_message(xpc_dictionary_get_remote_connection(kept.load()), kept.load());
    xpc_testing::say(line);
  }
  return 5;
}

void ignore(xpc_object_t, void*) {}

class SemanticsTransactions : public testing::Test {
 protected:
  SemanticsTransactions() {
    one.start("busy");
    one.checked_in();
  }
  void does(const char* what) {
    one.process->write_line(what);
    one.process->expect_line(what);
  }
  void expect_line(const char* line) { one.process->expect_line(line); }
  /// A client that sends one message, is there until the service has it, and leaves.
  void hears(const char* op) {
    talk::events events;
    xpc_connection_t from = one.client(events);
    openxpc_connection_send_message_with_reply_f(from, order(op), nullptr, nullptr, ignore);
    expect_line("got");
    talk::finish(from, events);
  }

  linked_service one{{name}};
};

TEST_F(SemanticsTransactions, R167_WithoutAnyAServiceIsIdleAndMayBeEnded) { one.expect_idle(); }

TEST_F(SemanticsTransactions, R172_ManualOnesCount) {
  does("begin");
  does("begin");
  does("end");
  one.expect_busy();
  does("end");
  one.expect_idle();
}

TEST_F(SemanticsTransactions, R168_AMessageCountsWhileItsHandlerRuns) {
  hears("stay");
  one.expect_busy();
  one.process->write_line("return");
  one.expect_idle();
}

TEST_F(SemanticsTransactions, R169_AMessageCountsUntilItsLastRelease) {
  hears("hold");
  expect_line("gone");
  one.expect_busy();
  does("drop");
  one.expect_idle();
}

TEST_F(SemanticsTransactions, R170_AReplyTakesTheTransactionOverUntilItIsReleased) {
  hears("reply");  // the message itself is gone
  expect_line("gone");
  one.expect_busy();
  does("drop");
  one.expect_idle();
}

TEST_F(SemanticsTransactions, R170_OrUntilItIsSent) {
  hears("reply");
  expect_line("gone");
  one.expect_busy();
  does("send");
  one.expect_idle();
}

TEST_F(SemanticsTransactions, R171_ARequestThatIsDroppedEndsItsOwn) {
  hears("nothing");
  expect_line("gone");
  one.expect_idle();
}

TEST_F(SemanticsTransactions, R173_TheEndOfTheLastOneEndsAProcessThatWasAskedTo) {
  talk::events events;
  xpc_connection_t peer = one.client(events);
  xpc_connection_send_message(peer, order("hold"));
  expect_line("got");
  does("begin");
  one.terminate();
  expect_line("imminent");
  expect_line("gone");  // the planned stop is over, and still it is there:
  does("drop");
  does("begin");
  does("end");
  one.process->write_line("end");
  EXPECT_EQ(one.process->wait(), xpc_testing::ending{.signal = SIGTERM});
  talk::finish(peer, events);
}

TEST(SemanticsTransactionsDeathTest, R174_EndingMoreThanWasBegunIsMisuse) {
  EXPECT_DEATH(
      {
        xpc_transaction_begin();
        xpc_transaction_end();
        xpc_transaction_end();
      },
      "XPC API Misuse: xpc_transaction_end: there is no transaction");
}

}  // namespace
