// The functions of <xpc/private.h>, and sessions that need no name (rule 151).
#include "support/role.hpp"

#include <xpc/openxpc/session.h>
#include <xpc/private.h>
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "semantics/owned.hpp"
#include "semantics/services/linked_service.hpp"
#include "semantics/talk.hpp"

namespace {

using semantics::no_object;
using semantics::owned;

std::string text(char* malloced) {
  std::unique_ptr<char, void (*)(void*)> freed(malloced, std::free);
  return malloced ? malloced : "";
}

TEST(PrivateObjects, AStringTakesItsTextOver) {
  owned it(xpc_string_create_no_copy(::strdup("mine")));
  EXPECT_STREQ(xpc_string_get_string_ptr(it), "mine");
}

TEST(PrivateObjects, AbsoluteDatesCountFrom2001) {
  owned epoch(xpc_date_create_absolute(0)), before(xpc_date_create_absolute(-978307200.5));
  EXPECT_EQ(xpc_date_get_value(epoch), INT64_C(978307200000000000));
  EXPECT_EQ(xpc_date_get_value(before), -500000000);
  EXPECT_EQ(xpc_date_get_value_absolute(before), -978307200.5);
  EXPECT_EQ(xpc_date_get_value(owned(xpc_date_create_absolute(1e30))), INT64_MAX);
  EXPECT_EQ(xpc_date_get_value(owned(xpc_date_create_absolute(-1e30))), INT64_MIN);
  EXPECT_EQ(xpc_date_get_value(owned(xpc_date_create_absolute(NAN))), 0);
  EXPECT_TRUE(xpc_date_is_int64_range(epoch));
  EXPECT_FALSE(xpc_date_is_int64_range(XPC_BOOL_TRUE));
}

TEST(PrivateObjects, DescriptionsComeCleanAndShort) {
  owned it(xpc_dictionary_create_empty());
  xpc_dictionary_set_string(it, "k", "a: 0x12> \"b: 0x34>\"");
  EXPECT_EQ(text(xpc_copy_clean_description(it)),
            "<dictionary> { count = 1, transaction: 0, voucher = 0x0, contents =\n"
            "\t\"k\" => <string> { length = 19, contents = \"a: 0x12> \\\"b: 0x34>\\\"\" }\n}");
  EXPECT_EQ(text(xpc_copy_short_description(it)).find('\n'), std::string::npos);
  EXPECT_EQ(text(xpc_dictionary_copy_basic_description(it)), text(xpc_copy_short_description(it)));
  EXPECT_EQ(text(xpc_copy_debug_description(it)), text(xpc_copy_description(it)));
}

TEST(PrivateObjects, ErrorsHaveTexts) {
  EXPECT_STREQ(xpc_strerror(ENOENT), "No such file or directory");
  EXPECT_STREQ(xpc_strerror(123456), "Unknown error");
}

TEST(PrivateObjects, EndpointsHaveAnOrder) {
  talk::service one([](xpc_connection_t, xpc_object_t) {}),
      other([](xpc_connection_t, xpc_object_t) {});
  owned again(xpc_endpoint_create(one.listener()));
  EXPECT_EQ(xpc_endpoint_compare(one.endpoint(),
                                 static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(again))),
            0);
  const int order = xpc_endpoint_compare(one.endpoint(), other.endpoint());
  EXPECT_NE(order, 0);
  EXPECT_EQ(xpc_endpoint_compare(other.endpoint(), one.endpoint()), -order);
}

TEST(PrivateConnections, AMessageSaysWhetherAReplyIsExpectedAndTheReplyFindsItsWay) {
  xpc_testing::mailbox<std::string> seen;
  talk::service service([&](xpc_connection_t peer, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    std::string said = xpc_dictionary_expects_reply(event) ? "expects" : "does not";
    EXPECT_EQ(xpc_dictionary_get_connection(event), peer);
    if (owned reply = xpc_dictionary_create_reply(event)) {
      said += xpc_dictionary_expects_reply(event) ? ", still" : ", no more";
      xpc_dictionary_set_int64(reply, "n", 7);
      xpc_dictionary_send_reply(reply);
    }
    seen.put(said);
  });
  talk::events events;
  xpc_connection_t client = service.connect(talk::into(events));
  owned message(talk::number(1));
  owned reply(xpc_connection_send_message_with_reply_sync(client, message));
  EXPECT_EQ(talk::number_in(reply), 7);
  EXPECT_FALSE(xpc_dictionary_expects_reply(reply));
  EXPECT_FALSE(xpc_dictionary_expects_reply(message));
  EXPECT_FALSE(xpc_dictionary_expects_reply(XPC_BOOL_TRUE));
  EXPECT_EQ(seen.take(), "expects, no more");
  xpc_connection_send_notification(client, message);
  EXPECT_EQ(seen.take(), "does not");
  talk::finish(client, events);
}

/// Answers until it is killed.
XPC_TEST_ROLE(answers_pipes) {
  semantics::take_sockets();
  xpc_connection_t listener = xpc_connection_create_mach_service(
      "org.example.pipe", nullptr, XPC_CONNECTION_MACH_SERVICE_LISTENER);
  talk::set_handler(listener, [](xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
    auto peer = static_cast<xpc_connection_t>(xpc_retain(event));
    talk::set_handler(peer, [](xpc_object_t what) {
      if (xpc_get_type(what) != XPC_TYPE_DICTIONARY) return;
      if (talk::number_in(what) == 7) xpc_testing::say("seven");
      if (owned reply = xpc_dictionary_create_reply(what)) {
        xpc_dictionary_set_int64(reply, "n", talk::number_in(what) + 1);
        if (xpc_pipe_routine_reply(reply) != 0) std::abort();
      }
    });
    xpc_connection_activate(peer);
  });
  xpc_connection_activate(listener);
  xpc_testing::hear();
  return 0;
}

TEST(PrivatePipes, ARoutineGivesTheReplyOrANumber) {
  semantics::linked_service one({"org.example.pipe"});
  one.start("answers_pipes");
  one.checked_in();
  owned pipe(xpc_pipe_create("org.example.pipe", 0));
  owned question(talk::number(1)), seven(talk::number(7));
  xpc_object_t reply = nullptr;
  ASSERT_EQ(xpc_pipe_routine(pipe, question, &reply), 0);
  EXPECT_EQ(talk::number_in(owned(reply)), 2);
  ASSERT_EQ(xpc_pipe_routine_with_flags(pipe, question, &reply, 4), 0);
  EXPECT_EQ(talk::number_in(owned(reply)), 2);
  EXPECT_EQ(xpc_pipe_simpleroutine(pipe, seven), 0);
  one.process->expect_line("seven");
  xpc_pipe_invalidate(pipe);
  reply = nullptr;
  EXPECT_EQ(xpc_pipe_routine(pipe, question, &reply), ECANCELED);
  EXPECT_EQ(xpc_pipe_simpleroutine(pipe, seven), ECANCELED);
  owned other(xpc_pipe_create("org.example.none", 0));
  EXPECT_EQ(xpc_pipe_routine(other, question, &reply), ENOENT);
  EXPECT_EQ(reply, nullptr);
}

TEST(PrivateConnections, ASignalGoesToTheProcessAtTheOtherEnd) {
  semantics::linked_service one({"org.example.pipe"});
  one.start("answers_pipes");
  one.checked_in();
  talk::events events;
  xpc_connection_t client = one.client(events);
  xpc_connection_kill(client, 0);
  EXPECT_EQ(errno, ENOTCONN);
  owned reply(xpc_connection_send_message_with_reply_sync(client, owned(talk::number(1))));
  EXPECT_EQ(talk::number_in(reply), 2);
  EXPECT_FALSE(xpc_connection_is_extension(client));
  xpc_connection_kill(client, 0);
  if (errno != ENOTSUP) {
    EXPECT_EQ(errno, 0);
    xpc_connection_kill(client, 1000);
    EXPECT_EQ(errno, EINVAL);
    xpc_connection_kill(client, SIGKILL);
    EXPECT_EQ(errno, 0);
    EXPECT_EQ(one.process->wait(), xpc_testing::ending{.signal = SIGKILL});
  }
  talk::finish(client, events);
}

TEST(PrivateConnections, AreMadeToTheDomainOfTheUserThatIsNamed) {
  semantics::linked_service one({"org.example.pipe"});
  one.start("answers_pipes");
  one.checked_in();
  talk::events events;
  xpc_connection_t mine = xpc_connection_create("org.example.pipe", nullptr);
  talk::handler told = talk::into(events);
  talk::set_handler(mine, talk::into(events));
  xpc_connection_set_target_uid(mine, ::geteuid());
  xpc_connection_activate(mine);
  owned reply(xpc_connection_send_message_with_reply_sync(mine, owned(talk::number(1))));
  EXPECT_EQ(talk::number_in(reply), 2);
  talk::finish(mine, events);

  // Nobody has this number.
  talk::events others;
  xpc_connection_t nobodys = xpc_connection_create("org.example.pipe", nullptr);
  talk::set_handler(nobodys, talk::into(others));
  xpc_connection_set_target_uid(nobodys, 4'242'424);
  xpc_connection_activate(nobodys);
  EXPECT_EQ(xpc_connection_send_message_with_reply_sync(nobodys, owned(talk::number(1))),
            XPC_ERROR_CONNECTION_INVALID);
  char* why = xpc_connection_copy_invalidation_reason(nobodys);
  ASSERT_TRUE(why);
  EXPECT_NE(std::string(why).find("/run/user/4242424"), std::string::npos) << why;
  std::free(why);
  talk::finish(nobodys, others);
}

TEST(PrivateConnectionsDeathTest, TheUserIsNamedBeforeActivation) {
  talk::events events;
  xpc_connection_t one = xpc_connection_create("org.example.pipe", nullptr);
  talk::set_handler(one, talk::into(events));
  xpc_connection_activate(one);
  EXPECT_DEATH(xpc_connection_set_target_uid(one, 0),
               "XPC API Misuse: xpc_connection_set_target_uid: .*active");
  talk::finish(one, events);
}

bool same(const audit_token_t& one, const audit_token_t& other) {
  return std::memcmp(&one, &other, sizeof one) == 0;
}

TEST(PrivateConnections, ATokenNamesTheSenderAndCannotBeForged) {
  xpc_testing::mailbox<audit_token_t> of_messages;
  talk::service service([&](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    audit_token_t token;
    xpc_dictionary_get_audit_token(event, &token);
    of_messages.put(token);
    talk::answer_plus_one(event);
  });
  talk::events events, more;
  xpc_connection_t client = service.connect(talk::into(events));
  xpc_connection_t other = service.connect(talk::into(more));
  audit_token_t unknown, nobody;
  std::memset(&nobody, 0xff, sizeof nobody);
  xpc_connection_get_audit_token(client, &unknown);
  EXPECT_TRUE(same(unknown, nobody));
  owned message(talk::number(1));
  owned reply(xpc_connection_send_message_with_reply_sync(client, message));
  owned again(xpc_connection_send_message_with_reply_sync(client, message));
  owned third(xpc_connection_send_message_with_reply_sync(other, message));
  const audit_token_t first = of_messages.take(), second = of_messages.take(),
                      foreign = of_messages.take();
  EXPECT_TRUE(same(first, second));
  EXPECT_FALSE(same(first, foreign));  // another connection, if of the same process
  EXPECT_EQ(first.val[1], ::geteuid());
  EXPECT_EQ(first.val[2], ::getegid());
  EXPECT_EQ(first.val[5], static_cast<unsigned>(::getpid()));
  talk::kept peer = service.peers.take();
  audit_token_t of_peer;
  xpc_connection_get_audit_token(static_cast<xpc_connection_t>(peer.get()), &of_peer);
  EXPECT_TRUE(same(first, of_peer));
  EXPECT_TRUE(openxpc_audit_token_is_genuine(&first));
  for (unsigned int& word : of_peer.val) {
    word ^= 1;
    EXPECT_FALSE(openxpc_audit_token_is_genuine(&of_peer));
    word ^= 1;
  }
  EXPECT_FALSE(openxpc_audit_token_is_genuine(&nobody));
  xpc_dictionary_get_audit_token(message, &unknown);
  EXPECT_TRUE(same(unknown, nobody));
  xpc_connection_get_audit_token(service.listener(), &unknown);
  EXPECT_TRUE(same(unknown, nobody));
  talk::finish(client, events);
  talk::finish(other, more);
}

TEST(PrivateConnectionsDeathTest, WhatIsNoReplyIsMisuse) {
  EXPECT_DEATH(xpc_dictionary_send_reply(owned(xpc_dictionary_create_empty())),
               "XPC API Misuse: xpc_dictionary_send_reply: the dictionary was not made by");
}

// ---- Sessions, both ends in one process

struct session_service {
  session_service() {
    listener =
        openxpc_listener_create_anonymous_f(nullptr, XPC_LISTENER_CREATE_NONE, this, take, nullptr);
    endpoint = xpc_listener_create_endpoint(listener);
  }
  ~session_service() {
    xpc_listener_cancel(listener);
    xpc_release(endpoint);
    xpc_release(listener);
  }
  static void take(xpc_session_t peer, void* self) {
    auto& in = *static_cast<session_service*>(self);
    if (in.rejects) return xpc_listener_reject_peer(peer, "not today");
    openxpc_session_set_incoming_message_handler_f(peer, self, handle);
    openxpc_session_set_cancel_handler_f(peer, self, end);
  }
  static void handle(xpc_object_t message, void* self) {
    static_cast<session_service*>(self)->messages.put(talk::kept(message));
    if (owned reply = xpc_dictionary_create_reply(message)) {
      xpc_dictionary_set_int64(reply, "n", talk::number_in(message) + 1);
      xpc_dictionary_send_reply(reply);
    }
  }
  static void end(xpc_rich_error_t, void* self) {
    static_cast<session_service*>(self)->ends.put(true);
  }
  bool rejects = false;
  talk::events messages;
  xpc_testing::mailbox<bool> ends;
  xpc_listener_t listener;
  xpc_endpoint_t endpoint;
};

TEST(SemanticsSessions, R151_AnonymousListenersAndTheirEndpointsServeSessions) {
  session_service service;
  xpc_session_t client =
      xpc_session_create_xpc_endpoint(service.endpoint, nullptr, XPC_SESSION_CREATE_NONE, nullptr);
  ASSERT_NE(client, nullptr);
  owned message(talk::number(1));
  owned reply(xpc_session_send_message_with_reply_sync(client, message, nullptr));
  EXPECT_EQ(talk::number_in(reply), 2);
  xpc_session_cancel(client);
  EXPECT_TRUE(service.ends.take());
  xpc_release(client);
}

TEST(SemanticsSessionsDeathTest, R137_ASessionIsCancelledBeforeItsLastRelease) {
  // A mere fork of a process whose engine runs cannot make sessions.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        session_service service;
        xpc_release(xpc_session_create_xpc_endpoint(service.endpoint, nullptr,
                                                    XPC_SESSION_CREATE_NONE, nullptr));
      },
      "XPC API Misuse: xpc_release: release of the last reference to a session that was not");
}

TEST(SemanticsSessions, R143_AnAsynchronousReplyIsAReplyOrAnError) {
  session_service service;
  xpc_session_t client =
      xpc_session_create_xpc_endpoint(service.endpoint, nullptr, XPC_SESSION_CREATE_NONE, nullptr);
  struct outcome {
    std::int64_t number;
    bool error;
  };
  xpc_testing::mailbox<outcome> came;
  auto told = [](xpc_object_t reply, xpc_rich_error_t error, void* box) {
    static_cast<xpc_testing::mailbox<outcome>*>(box)->put(
        {reply ? talk::number_in(reply) : -1, error != nullptr});
  };
  owned message(talk::number(4));
  openxpc_session_send_message_with_reply_async_f(client, message, &came, told);
  outcome first = came.take();
  EXPECT_EQ(first.number, 5);
  EXPECT_FALSE(first.error);
  xpc_session_cancel(client);
  openxpc_session_send_message_with_reply_async_f(client, message, &came, told);
  outcome second = came.take();
  EXPECT_EQ(second.number, -1);
  EXPECT_TRUE(second.error);
  EXPECT_TRUE(service.ends.take());
  xpc_release(client);
}

TEST(SemanticsSessions, R148_ARejectedClientReadsTheReason) {
  session_service service;
  service.rejects = true;
  xpc_session_t client =
      xpc_session_create_xpc_endpoint(service.endpoint, nullptr, XPC_SESSION_CREATE_NONE, nullptr);
  owned message(talk::number(1));
  xpc_rich_error_t error = nullptr;
  EXPECT_EQ(xpc_session_send_message_with_reply_sync(client, message, &error), nullptr);
  owned freed(error);
  EXPECT_STREQ(openxpc_error_get_message(error), "not today");
  xpc_session_cancel(client);
  xpc_release(client);
}

TEST(SemanticsSessions, ASessionWithARequirementCannotBeActivated) {
  session_service service;
  xpc_session_t client = xpc_session_create_xpc_endpoint(service.endpoint, nullptr,
                                                         XPC_SESSION_CREATE_INACTIVE, nullptr);
  EXPECT_EQ(xpc_session_set_peer_code_signing_requirement(client, "anchor"), 0);
  xpc_rich_error_t error = nullptr;
  EXPECT_FALSE(xpc_session_activate(client, &error));
  owned freed(error);
  EXPECT_EQ(openxpc_error_get_code(error), OPENXPC_ERROR_PEER_REFUSED);
  xpc_release(client);
  EXPECT_EQ(service.messages.size(), 0u);
}

TEST(SemanticsSessions, AListenerWithARequirementRefusesEverySession) {
  session_service service;
  xpc_listener_t listener = openxpc_listener_create_anonymous_f(
      nullptr, XPC_LISTENER_CREATE_INACTIVE, &service, session_service::take, nullptr);
  owned requirement(xpc_peer_requirement_create_entitlement_exists("e", nullptr));
  xpc_listener_set_peer_requirement(
      listener, static_cast<xpc_peer_requirement_t>(static_cast<xpc_object_t>(requirement)));
  EXPECT_TRUE(xpc_listener_activate(listener, nullptr));
  owned endpoint(xpc_listener_create_endpoint(listener));
  xpc_session_t client = xpc_session_create_xpc_endpoint(
      static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(endpoint)), nullptr,
      XPC_SESSION_CREATE_NONE, nullptr);
  owned message(talk::number(1));
  xpc_rich_error_t error = nullptr;
  EXPECT_EQ(xpc_session_send_message_with_reply_sync(client, message, &error), nullptr);
  owned freed(error);
  EXPECT_EQ(openxpc_error_get_code(error), OPENXPC_ERROR_PEER_REFUSED);
  EXPECT_STREQ(openxpc_error_get_message(error), "a requirement on the peer is not met");
  EXPECT_EQ(service.messages.size(), 0u);
  xpc_session_cancel(client);
  xpc_release(client);
  xpc_listener_cancel(listener);
  xpc_release(listener);
}

}  // namespace
