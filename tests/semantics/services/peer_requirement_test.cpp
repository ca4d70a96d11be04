// Peer requirements, until they can be judged: each is checked, and then nobody meets it.
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include "semantics/owned.hpp"
#include "semantics/talk.hpp"

namespace {

using semantics::owned;

xpc_peer_requirement_t requirement(xpc_object_t object) {
  return static_cast<xpc_peer_requirement_t>(object);
}

std::string text_of(xpc_rich_error_t error) {
  owned freed(error);
  return openxpc_error_get_message(error);
}

xpc_connection_t connect(const talk::service& to) {
  return xpc_connection_create_from_endpoint(to.endpoint());
}

/// A call on a client that is not active yet, and its two events.
void expect_the_two_errors(xpc_connection_t client) {
  talk::events events;
  talk::set_handler(client, talk::into(events));
  xpc_connection_activate(client);
  owned message(talk::number(1));
  owned reply(xpc_connection_send_message_with_reply_sync(client, message));
  EXPECT_EQ(static_cast<xpc_object_t>(reply), XPC_ERROR_PEER_CODE_SIGNING_REQUIREMENT);
  EXPECT_EQ(events.take().get(), XPC_ERROR_PEER_CODE_SIGNING_REQUIREMENT);
  EXPECT_EQ(events.take().get(), XPC_ERROR_CONNECTION_INVALID);
}

/// A connection on which a requirement was set sends nothing and ends with the two errors.
void expect_refused(xpc_connection_t client) {
  expect_the_two_errors(client);
  std::unique_ptr<char, void (*)(void*)> why(xpc_connection_copy_invalidation_reason(client),
                                             std::free);
  EXPECT_NE(std::string(why ? why.get() : "").find("peer requirement"), std::string::npos);
  xpc_release(client);
}

TEST(SemanticsPeerRequirements, AConnectionWithAnyOfThemEndsBeforeAnythingIsSent) {
  talk::service nobody([](xpc_connection_t, xpc_object_t) { ADD_FAILURE() << "was reached"; });
  owned conditions(xpc_dictionary_create_empty());
  xpc_dictionary_set_string(conditions, "team-identifier", "T");
  const std::function<int(xpc_connection_t)> setters[] = {
      [](xpc_connection_t it) {
        return xpc_connection_set_peer_code_signing_requirement(it, "anchor apple");
      },
      [](xpc_connection_t it) {
        return xpc_connection_set_peer_entitlement_exists_requirement(it, "e");
      },
      [](xpc_connection_t it) {
        return xpc_connection_set_peer_entitlement_matches_value_requirement(it, "e",
                                                                             XPC_BOOL_TRUE);
      },
      [](xpc_connection_t it) {
        return xpc_connection_set_peer_team_identity_requirement(it, nullptr);
      },
      [](xpc_connection_t it) {
        return xpc_connection_set_peer_platform_identity_requirement(it, "org.example.x");
      },
      [&](xpc_connection_t it) {
        return xpc_connection_set_peer_lightweight_code_requirement(it, conditions);
      },
      [](xpc_connection_t it) {
        owned made(xpc_peer_requirement_create_team_identity(nullptr, nullptr));
        xpc_connection_set_peer_requirement(it, requirement(made));
        return 0;
      }};
  for (auto& set : setters) {
    xpc_connection_t client = connect(nobody);
    EXPECT_EQ(set(client), 0);
    expect_refused(client);
  }
  EXPECT_EQ(nobody.peers.size(), 0u);
}

TEST(SemanticsPeerRequirements, R153_WhatIsNoRequirementIsRefusedAtOnceAndRequiresNothing) {
  talk::service service([](xpc_connection_t, xpc_object_t event) { talk::answer_plus_one(event); });
  talk::events events;
  xpc_connection_t client = connect(service);
  EXPECT_EQ(xpc_connection_set_peer_code_signing_requirement(client, "(anchor apple"), EINVAL);
  EXPECT_EQ(xpc_connection_set_peer_code_signing_requirement(client, ""), EINVAL);
  EXPECT_EQ(xpc_connection_set_peer_entitlement_exists_requirement(client, ""), EINVAL);
  owned number(xpc_uint64_create(1)), nothing(xpc_dictionary_create_empty());
  EXPECT_EQ(xpc_connection_set_peer_entitlement_matches_value_requirement(client, "e", number),
            EINVAL);
  EXPECT_EQ(xpc_connection_set_peer_team_identity_requirement(client, ""), EINVAL);
  EXPECT_EQ(xpc_connection_set_peer_lightweight_code_requirement(client, nothing), EINVAL);
  talk::set_handler(client, talk::into(events));
  xpc_connection_activate(client);
  owned message(talk::number(1));
  owned reply(xpc_connection_send_message_with_reply_sync(client, message));
  EXPECT_EQ(talk::number_in(reply), 2);
  talk::finish(client, events);

  xpc_rich_error_t error = nullptr;
  EXPECT_EQ(xpc_peer_requirement_create_entitlement_exists("", &error), nullptr);
  EXPECT_EQ(text_of(error), "the entitlement is empty");
  EXPECT_EQ(xpc_peer_requirement_create_entitlement_matches_value("e", number, &error), nullptr);
  EXPECT_EQ(text_of(error), "an entitlement's value is a bool, string or int64, no uint64");
  EXPECT_EQ(xpc_peer_requirement_create_platform_identity("\xff", &error), nullptr);
  EXPECT_EQ(text_of(error), "the identifier is not UTF-8");
  EXPECT_EQ(xpc_peer_requirement_create_lwcr(number, &error), nullptr);
  EXPECT_EQ(text_of(error), "a lightweight code requirement is a dictionary, no uint64");
  EXPECT_EQ(xpc_peer_requirement_create_lwcr(nothing, nullptr), nullptr);
}

TEST(SemanticsPeerRequirements, AListenerWithOneTurnsEveryClientAway) {
  xpc_connection_t listener = xpc_connection_create(nullptr, nullptr);
  talk::events heard;
  talk::set_handler(listener, talk::into(heard));
  EXPECT_EQ(xpc_connection_set_peer_code_signing_requirement(listener, "anchor trusted"), 0);
  xpc_connection_activate(listener);
  owned endpoint(xpc_endpoint_create(listener));
  for (int i = 0; i < 2; ++i) {
    xpc_connection_t client = xpc_connection_create_from_endpoint(
        static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(endpoint)));
    expect_the_two_errors(client);
    xpc_release(client);
  }
  xpc_connection_cancel(listener);
  EXPECT_EQ(heard.take().get(), XPC_ERROR_CONNECTION_INVALID);  // and nothing before
  xpc_release(listener);
}

TEST(SemanticsPeerRequirements, NoReceivedMessageMatches) {
  struct outcome {
    bool matched;
    std::string said;
  };
  xpc_testing::mailbox<outcome> judged;
  owned made(xpc_peer_requirement_create_entitlement_exists("e", nullptr));
  talk::service service([&](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    xpc_rich_error_t error = nullptr;
    bool matched = xpc_peer_requirement_match_received_message(requirement(made), event, &error);
    judged.put({matched, error ? text_of(error) : ""});
  });
  talk::events events;
  xpc_connection_t client = service.connect(talk::into(events));
  owned message(talk::number(1));
  xpc_connection_send_message(client, message);
  outcome got = judged.take();
  EXPECT_FALSE(got.matched);
  EXPECT_EQ(got.said, "the peer requirement cannot be judged, so no peer meets it");
  talk::finish(client, events);
}

TEST(SemanticsPeerRequirements, R160_OneObjectMayBeSetOnAnyNumberOfConnections) {
  talk::service nobody([](xpc_connection_t, xpc_object_t) { ADD_FAILURE() << "was reached"; });
  owned made(xpc_peer_requirement_create_team_identity("org.example.x", nullptr));
  EXPECT_EQ(xpc_get_type(made), XPC_TYPE_PEER_REQUIREMENT);
  EXPECT_NE(semantics::described(made).find("org.example.x"), std::string::npos);
  xpc_connection_t one = connect(nobody), other = connect(nobody);
  xpc_connection_set_peer_requirement(one, requirement(made));
  xpc_connection_set_peer_requirement(other, requirement(made));
  expect_refused(one);
  expect_refused(other);
}

TEST(SemanticsPeerRequirementsDeathTest, R154_ASecondOneIsMisuse) {
  // A mere fork of a process whose engine runs cannot use its connections, nor misuse them.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        xpc_connection_t it = xpc_connection_create("org.example.x", nullptr);
        EXPECT_EQ(xpc_connection_set_peer_code_signing_requirement(it, "anchor apple"), 0);
        EXPECT_EQ(xpc_connection_set_peer_entitlement_exists_requirement(it, "e"), 0);
      },
      "XPC API Misuse: xpc_connection_set_peer_entitlement_exists_requirement: there is a peer "
      "requirement already");
  EXPECT_DEATH(
      {
        xpc_connection_t it = xpc_connection_create(nullptr, nullptr);
        EXPECT_EQ(xpc_connection_set_peer_team_identity_requirement(it, nullptr), 0);
        EXPECT_EQ(xpc_connection_set_peer_team_identity_requirement(it, nullptr), 0);
      },
      "XPC API Misuse: xpc_connection_set_peer_team_identity_requirement: there is a peer");
  EXPECT_DEATH(
      {
        owned made(xpc_peer_requirement_create_team_identity(nullptr, nullptr));
        owned message(xpc_dictionary_create_empty());
        EXPECT_FALSE(
            xpc_peer_requirement_match_received_message(requirement(made), message, nullptr));
      },
      "XPC API Misuse: xpc_peer_requirement_match_received_message: the message was not received");
}

}  // namespace
