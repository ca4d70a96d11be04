// semantics.md, sections 16 and 20: xpc_main(), and services that are there before they run.
#include "support/role.hpp"

#include <xpc/openxpc/connection.h>
#include <xpc/openxpc/dispatch.h>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <sysexits.h>

#include <cstring>

#include "semantics/services/linked_service.hpp"

namespace {

using semantics::linked_service;
using semantics::order;
using semantics::owned;

constexpr const char* name = "org.example.main";

/// Answers a number with the next one, and says who came and went.
void handle(xpc_object_t event, void* number) {
  if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
  xpc_testing::say("peer " + std::to_string(reinterpret_cast<std::uintptr_t>(number)) + " got " +
                   std::to_string(talk::number_in(event)));
  talk::answer_plus_one(event);
}

std::uintptr_t peers = 0;

void note_end(void* number) {
  xpc_testing::say("peer " + std::to_string(reinterpret_cast<std::uintptr_t>(number)) + " freed");
}

void take_peer(xpc_connection_t peer) {
  auto* number = reinterpret_cast<void*>(++peers);
  xpc_testing::say("peer " + std::to_string(peers));
  xpc_connection_set_context(peer, number);
  xpc_connection_set_finalizer_f(peer, note_end);
  xpc_connection_set_event_handler_f(peer, number, handle);
  xpc_connection_activate(peer);  // and not retained (rule 183)
}

XPC_TEST_ROLE(runs_main) {
  semantics::take_sockets();
  xpc_main(take_peer);
}

/// Stands in for a dispatch library; only its main loop is needed.
XPC_TEST_ROLE(runs_main_with_dispatch) {
  semantics::take_sockets();
  static openxpc_dispatch_table_s table{};
  table.size = sizeof table;
  table.name = "a stand-in";
  table.main = [] {
    xpc_testing::say("dispatch_main");
    while (!xpc_testing::hear().empty()) {
    }
    std::_Exit(3);
  };
  openxpc_dispatch_register(&table);
  xpc_main(take_peer);
}

class SemanticsMain : public testing::Test {
 protected:
  void expect_line(const char* line) { one.process->expect_line(line); }
  std::int64_t ask(xpc_connection_t client, std::int64_t number) {
    owned message(talk::number(number));
    owned reply(xpc_connection_send_message_with_reply_sync(client, message));
    return talk::number_in(reply);
  }

  linked_service one{{name}};
  talk::events events;
};

TEST_F(SemanticsMain, R180_CallsTheFunctionWithEachClientAndDoesNotReturn) {
  one.start("runs_main");
  one.checked_in();
  xpc_connection_t client = one.client(events);
  EXPECT_EQ(ask(client, 1), 2);
  expect_line("peer 1");
  expect_line("peer 1 got 1");
  talk::finish(client, events);
  expect_line("peer 1 freed");
  one.terminate();
  EXPECT_EQ(one.process->wait(), xpc_testing::ending{.status = 0});
}

TEST_F(SemanticsMain, R181_ItsMainLoopIsDispatchMainWhereThereIsADispatchLibrary) {
  one.start("runs_main_with_dispatch");
  one.checked_in();
  expect_line("dispatch_main");
  xpc_connection_t client = one.client(events);
  EXPECT_EQ(ask(client, 4), 5);
  talk::finish(client, events);
}

TEST(SemanticsMainNames, R182_AJobWithSeveralNamesOrNoneIsToldThatItCannot) {
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{}, std::vector<std::string>{name, "org.example.other"}}) {
    linked_service one(names);
    one.start("runs_main", {}, true);
    EXPECT_EQ(one.process->wait(), xpc_testing::ending{.status = EX_CONFIG});
    EXPECT_NE(one.process->error_text().find("xpc_main: this process was started with " +
                                             std::to_string(names.size()) + " service names"),
              std::string::npos);
  }
}

TEST_F(SemanticsMain, R183_ThePeerIsLentAndLivesAsLongAsItsClient) {
  one.start("runs_main");
  one.checked_in();
  xpc_connection_t client = one.client(events);
  for (std::int64_t n : {1, 2, 3}) EXPECT_EQ(ask(client, n), n + 1);
  talk::finish(client, events);
  for (const char* line :
       {"peer 1", "peer 1 got 1", "peer 1 got 2", "peer 1 got 3", "peer 1 freed"})
    expect_line(line);
}

TEST_F(SemanticsMain, R184_EachConnectionOfAClientIsAPeerOfItsOwn) {
  one.start("runs_main");
  one.checked_in();
  talk::events more;
  xpc_connection_t first = one.client(events), second = one.client(more);
  EXPECT_EQ(ask(first, 10), 11);
  expect_line("peer 1");
  expect_line("peer 1 got 10");
  EXPECT_EQ(ask(second, 20), 21);
  expect_line("peer 2");
  expect_line("peer 2 got 20");
  talk::finish(first, events);
  expect_line("peer 1 freed");
  EXPECT_EQ(ask(second, 30), 31);
  talk::finish(second, more);
}

TEST_F(SemanticsMain, R213_MessagesWaitUntilTheServiceChecksIn) {
  xpc_connection_t client = one.client(events);
  struct answer {
    std::int64_t number;
  };
  xpc_testing::mailbox<answer> answers;
  owned message(talk::number(7));
  openxpc_connection_send_message_with_reply_f(
      client, message, nullptr, &answers, [](xpc_object_t reply, void* box) {
        static_cast<xpc_testing::mailbox<answer>*>(box)->put({talk::number_in(reply)});
      });
  // Nobody runs that could answer; the name is there all the same.
  EXPECT_FALSE(answers.try_take());
  EXPECT_FALSE(events.try_take());
  one.start("runs_main");
  one.checked_in();
  EXPECT_EQ(answers.take().number, 8);
  talk::finish(client, events);
}

TEST_F(SemanticsMain, R217_WhatWasSentToACrashedInstanceDoesNotReachTheNext) {
  one.start("runs_main");
  one.checked_in();
  xpc_connection_t client = one.client(events);
  EXPECT_EQ(ask(client, 1), 2);
  expect_line("peer 1");
  expect_line("peer 1 got 1");
  one.process->kill(SIGSTOP);  // what is sent once it stands still it never handles
  siginfo_t stopped{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(one.process->pid()), &stopped, WSTOPPED), 0);
  xpc_testing::mailbox<talk::kept> answers;
  owned lost(talk::number(2));
  openxpc_connection_send_message_with_reply_f(
      client, lost, nullptr, &answers, [](xpc_object_t reply, void* box) {
        static_cast<xpc_testing::mailbox<talk::kept>*>(box)->put(talk::kept(reply));
      });
  one.end();
  EXPECT_EQ(answers.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  EXPECT_EQ(events.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  one.start("runs_main");
  one.checked_in();
  EXPECT_EQ(ask(client, 3), 4);
  expect_line("peer 1");
  expect_line("peer 1 got 3");
  talk::finish(client, events);
}

TEST(SemanticsLaunch, R215_ANameThatIsNotTheJobsOwnCannotBeListenedOn) {
  talk::events events;
  xpc_connection_t listener = xpc_connection_create_mach_service(
      "org.example.foreign", nullptr, XPC_CONNECTION_MACH_SERVICE_LISTENER);
  talk::set_handler(listener, talk::into(events));
  xpc_connection_activate(listener);
  EXPECT_EQ(events.take().get(), XPC_ERROR_CONNECTION_INVALID);
  xpc_release(listener);
}

XPC_TEST_ROLE(listens_to_one) {
  semantics::take_sockets();
  xpc_connection_t listener =
      xpc_connection_create_mach_service(name, nullptr, XPC_CONNECTION_MACH_SERVICE_LISTENER);
  xpc_connection_set_event_handler_f(listener, nullptr, [](xpc_object_t, void*) {});
  xpc_connection_activate(listener);
  while (!xpc_testing::hear().empty()) {
  }
  return 0;
}

TEST(SemanticsLaunch, R218_AJobChecksInForAllItsNames) {
  linked_service one({name, "org.example.other"});
  one.start("listens_to_one");
  talk::kept hello = one.checked_in();
  xpc_object_t sockets = xpc_dictionary_get_dictionary(hello.get(), "sockets");
  EXPECT_EQ(xpc_dictionary_get_count(sockets), 2u);
  for (const char* each : {name, "org.example.other"})
    EXPECT_EQ(xpc_get_type(xpc_dictionary_get_value(sockets, each)), XPC_TYPE_FD) << each;
}

}  // namespace
